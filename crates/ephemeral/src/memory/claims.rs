//! Prekeys that were given lately, and how many each account has taken of another today.

use dashmap::DashMap;

use super::Memory;
use crate::claims::{BUCKET_SECS, DAY_SECS, PER_DAY};
use crate::{Answer, Claimer, Claims, Entitlement, SessionId, UserId};

/// Claims of this bucket of time and of this day.
#[derive(Default)]
pub(super) struct GivenPrekeys {
    given: DashMap<(SessionId, UserId), (u64, Vec<u8>)>,
    taken: DashMap<(UserId, UserId), (u64, u32)>,
}

impl GivenPrekeys {
    fn entitlement(&self, claimer: &Claimer, now: u64) -> Entitlement {
        let Claimer {
            session,
            account,
            recipient,
        } = *claimer;
        let given = self.given.get(&(session, recipient));
        if let Some(given) = given.filter(|given| given.0 == now / BUCKET_SECS) {
            return Entitlement::Given(given.1.clone());
        }
        let taken = self.taken.get(&(account, recipient));
        match taken.filter(|taken| taken.0 == now / DAY_SECS && taken.1 >= PER_DAY) {
            Some(_) => Entitlement::LastResort,
            None => Entitlement::OneTime,
        }
    }

    fn give(&self, claimer: &Claimer, prekey: Vec<u8>, one_time: bool, now: u64) -> Vec<u8> {
        if one_time {
            let (of, today) = ((claimer.account, claimer.recipient), now / DAY_SECS);
            let mut taken = self.taken.entry(of).or_default();
            if taken.0 != today {
                *taken = (today, 0);
            }
            taken.1 += 1;
        }
        let bucket = now / BUCKET_SECS;
        let of = (claimer.session, claimer.recipient);
        let mut given = self.given.entry(of).or_insert((bucket, Vec::new()));
        if given.0 != bucket || given.1.is_empty() {
            *given = (bucket, prekey);
        }
        given.1.clone()
    }

    pub(super) fn tidy(&self, now: u64) {
        self.given
            .retain(|_, (bucket, _)| *bucket >= now / BUCKET_SECS);
        self.taken.retain(|_, (day, _)| *day >= now / DAY_SECS);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.given.len() + self.taken.len()
    }
}

impl Claims for Memory {
    fn entitlement(&self, claimer: &Claimer) -> Answer<'_, Entitlement> {
        Answer::ready(self.prekeys.entitlement(claimer, self.ambient.now()))
    }

    fn given(&self, claimer: &Claimer, prekey: Vec<u8>, one_time: bool) -> Answer<'_, Vec<u8>> {
        let now = self.ambient.now();
        Answer::ready(self.prekeys.give(claimer, prekey, one_time, now))
    }

    fn forget_recipient(&self, recipient: UserId) -> Answer<'_, ()> {
        self.prekeys.given.retain(|(_, of), _| *of != recipient);
        Answer::ready(())
    }

    fn forget_claimer(&self, account: UserId, sessions: &[SessionId]) -> Answer<'_, ()> {
        self.prekeys
            .given
            .retain(|(by, of), _| *of != account && !sessions.contains(by));
        self.prekeys
            .taken
            .retain(|(by, of), _| *by != account && *of != account);
        Answer::ready(())
    }
}
