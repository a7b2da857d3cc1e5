//! The single-use key that one link leaves for the next.

use std::collections::BTreeMap;

use subtle::ConstantTimeEq;

use crate::ids::{LiveId, UserId};
use crate::secret::secret;
use api::ids::SessionId;

secret! {
    /// psk', 32 bytes.
    pub(super) struct PskKey(32)
}

/// Public name of a pre-shared key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PskId(pub(super) [u8; 16]);

/// What a client keeps of a link, in memory only; using it consumes it.
#[derive(Debug)]
pub struct Psk {
    pub(super) id: PskId,
    pub(super) key: PskKey,
}

/// What a server keeps of a link, in memory only; using it consumes it.
#[derive(Debug)]
pub struct KnownSession {
    pub(super) psk: Psk,
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) live_id: LiveId,
}

/// The most keys that a server keeps of one session.
pub const MAX_PSKS_OF_SESSION: usize = 16;

/// A server's pre-shared keys: at most one for each live id, and [`MAX_PSKS_OF_SESSION`] for each session.
#[derive(Debug, Default)]
pub struct Psks {
    known: BTreeMap<(SessionId, LiveId), Kept>,
}

#[derive(Debug)]
struct Kept {
    known: KnownSession,
    /// Unix seconds; none while the link that left the key is open.
    until: Option<u64>,
}

impl Psks {
    /// Keeps a key in the place of the one before, until its link ends and [`Psks::left`] says how long then.
    /// Where the session has too many, the one that ends first goes. Returns its name.
    pub fn keep(&mut self, known: KnownSession) -> PskId {
        let (session, name) = (known.session_id, known.psk.id);
        let key = (session, known.live_id);
        self.known.insert(key, Kept { known, until: None });
        let of_session = || self.of_session(session);
        if of_session().count() > MAX_PSKS_OF_SESSION {
            let others = of_session().filter(|(other, _)| **other != key);
            let first = others.min_by_key(|(_, kept)| kept.until.unwrap_or(u64::MAX));
            if let Some(first) = first.map(|(other, _)| *other) {
                self.known.remove(&first);
            }
        }
        name
    }

    /// Takes a key out, so that nobody takes it again; one of another name stays.
    pub fn take(
        &mut self,
        session_id: &SessionId,
        live_id: &LiveId,
        id: &PskId,
    ) -> Option<KnownSession> {
        let key = (*session_id, *live_id);
        let kept = self.known.get(&key)?;
        if !bool::from(kept.known.psk.id.0.ct_eq(&id.0)) {
            return None;
        }
        self.known.remove(&key).map(|kept| kept.known)
    }

    /// The link that left this key ended: it is kept until then, in unix seconds. A newer one is not touched.
    pub fn left(&mut self, session_id: &SessionId, live_id: &LiveId, id: &PskId, until: u64) {
        let kept = self.known.get_mut(&(*session_id, *live_id));
        if let Some(kept) = kept.filter(|kept| kept.known.psk.id == *id) {
            kept.until = Some(until);
        }
    }

    /// Forgets keys whose time is over.
    pub fn sweep(&mut self, now: u64) {
        self.known
            .retain(|_, kept| kept.until.is_none_or(|until| now < until));
    }

    /// Forgets the keys of a session that ended.
    pub fn forget_session(&mut self, session_id: &SessionId) {
        let lives: Vec<_> = self.of_session(*session_id).map(|(key, _)| *key).collect();
        for key in lives {
            self.known.remove(&key);
        }
    }

    fn of_session(
        &self,
        session: SessionId,
    ) -> impl Iterator<Item = (&(SessionId, LiveId), &Kept)> {
        let first = (session, LiveId::from_bytes([0; 16]));
        let last = (session, LiveId::from_bytes([0xff; 16]));
        self.known.range(first..=last)
    }
}
