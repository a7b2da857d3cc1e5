//! Fetching and verifying what messages are sealed to.
//!
//! Specification: `docs/protocol/messages.md#fetching-keys-to-write-to`.

use api::Own;
use protocol::epoch::VerifiedTarget;
use protocol::identity::AccountKeys;
use protocol::prekeys::{ClaimedPrekey, PrekeyError, SessionBundle};

use super::{Stage, Wanted};
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId, UserId};
use crate::io::Io;
use crate::pause::Pause;
use crate::purpose::{Open, Purpose};
use crate::refuse::of_prekeys;
use crate::state::outbox::Outbox;
use crate::timers::Timer;
use crate::wire::{Bundles, WantBundles};

/// How long fetched bundles are used, milliseconds: short, so that a new session is found soon.
const FRESH_MS: u64 = 3_000;
/// Pause before bundles are asked for again when the server could not be reached.
pub(crate) const RETRY_MS: u64 = 3_000;

/// What was last fetched of somebody.
#[derive(Default)]
pub(crate) struct BundleCache {
    fetched_ms: Option<u64>,
    in_flight: bool,
    /// The answer on its way can be older than a session that is known to be there.
    outdated: bool,
    /// The pause between requests that failed.
    pause: Pause,
    /// The server asked to wait until then.
    rest_until_ms: u64,
    /// A prekey was asked for at the last fetch.
    asked_prekey: bool,
    /// Verified bundles of live sessions.
    pub(super) live: Vec<VerifiedTarget>,
    /// A verified prekey, when nobody was live or one was asked for.
    pub(super) prekey: Option<VerifiedTarget>,
    /// An epoch was started with the prekey: it goes on, but no other one starts with it.
    pub(super) spent: bool,
}

/// What the bundles of a person said.
pub(crate) struct Taken {
    pub(crate) live: bool,
    pub(crate) batch: u32,
}

impl Outbox {
    /// Whether bundles of somebody are fresh; asks for them when not.
    pub(crate) fn bundles_ready(&mut self, io: &mut Io, user: UserId, want_prekey: bool) -> bool {
        let cache = self.bundles.entry(user).or_default();
        let fresh = cache
            .fetched_ms
            .is_some_and(|at| io.now_ms.saturating_sub(at) < FRESH_MS);
        if fresh && (cache.asked_prekey || !want_prekey) {
            return true;
        }
        self.ask_bundles(io, user, want_prekey);
        false
    }

    /// Asks for bundles, with a prekey if wanted. It does nothing while an answer is on its way or the server
    /// asked to wait; the answer then serves everything that waits for bundles.
    pub(crate) fn ask_bundles(&mut self, io: &mut Io, user: UserId, want_prekey: bool) {
        let cache = self.bundles.entry(user).or_default();
        if cache.in_flight || io.now_ms < cache.rest_until_ms {
            return;
        }
        cache.in_flight = true;
        io.post(
            &format!("/users/{user}/bundles"),
            &WantBundles { want_prekey },
            Purpose::Open(Open::Bundles { user, want_prekey }),
        );
    }

    /// Another session of ours can be sent to: what was fetched before does not name it.
    pub(crate) fn session_joined(&mut self) {
        let cache = self.bundles.entry(self.user).or_default();
        cache.fetched_ms = None;
        cache.outdated = cache.in_flight;
    }

    /// Bundles did not come for a passing reason: they are asked for again, and no message fails.
    pub(crate) fn ask_bundles_later(&mut self, io: &mut Io, user: UserId, least_ms: u64) {
        let cache = self.bundles.entry(user).or_default();
        cache.rest_until_ms = cache.pause.failed_for(io.now_ms, least_ms);
        io.timers
            .set_earlier(Timer::Bundles(user), cache.rest_until_ms);
    }

    /// Asks again for whatever waits for somebody's bundles.
    pub(crate) fn ask_wanted_bundles(&mut self, io: &mut Io, user: UserId) {
        let items = self.items.values();
        let wanted: Vec<Wanted> = items
            .filter(|item| item.chat.peer() == user)
            .filter_map(|item| item.wanted)
            .collect();
        if io.online && !wanted.is_empty() {
            let prekey = wanted.iter().any(|it| it.needs_prekey());
            self.ask_bundles(io, user, prekey);
        }
    }

    /// An answer came. Gives whether it can be older than a session that is known to be there.
    pub(crate) fn bundles_answered(&mut self, user: UserId) -> bool {
        let cache = self.bundles.entry(user).or_default();
        cache.in_flight = false;
        std::mem::take(&mut cache.outdated)
    }

    /// The fetched bundles are out of date: they are fetched again before their next use.
    pub(crate) fn outdate(&mut self, user: UserId) {
        self.bundles.entry(user).or_default().fetched_ms = None;
    }

    /// What was fetched is for keys that are not the pinned ones.
    pub(crate) fn forget_bundles(&mut self, user: UserId) {
        self.bundles.remove(&user);
    }

    /// Keeps bundles that are signed by the right keys and of this time, and of no older batch than was
    /// seen.
    pub(crate) fn take_bundles(
        &mut self,
        io: &mut Io,
        (user, keys): (UserId, &AccountKeys),
        want_prekey: bool,
        bundles: Bundles,
        seen: u32,
    ) -> Result<Taken, Failure> {
        let mut refused = None;
        let mut refuse = |io: &mut Io, error: PrekeyError| {
            let refusal = of_prekeys(&error);
            io.refused(refusal, Some(ConversationId::with(user)), None);
            refused = Some(refusal);
        };
        let mut live = Vec::new();
        for offered in bundles.live {
            if user == self.user && offered.live_id == self.live {
                continue;
            }
            let verified = SessionBundle::decode(&offered.bundle)
                .map_err(Into::into)
                .and_then(|bundle| bundle.verify(keys, &user, &offered.live_id, io.now()));
            match verified {
                Ok(target) => live.push(target),
                Err(error) => refuse(io, error),
            }
        }
        let mut batch = seen;
        let mut prekey = None;
        if let Some(bytes) = bundles.prekey {
            let verified = ClaimedPrekey::decode(&bytes)
                .map_err(Into::into)
                .and_then(|claimed| {
                    let target = claimed.verify(keys, &user, io.now(), seen)?;
                    Ok((target, claimed.head.batch_number))
                });
            match verified {
                Ok((target, number)) => (prekey, batch) = (Some(target), number),
                Err(error) => refuse(io, error),
            }
        }
        let taken = Taken {
            live: !live.is_empty(),
            batch,
        };
        let nothing = live.is_empty() && prekey.is_none();
        let cache = self.bundles.entry(user).or_default();
        cache.fetched_ms = Some(io.now_ms);
        cache.asked_prekey = want_prekey;
        cache.pause.answered();
        cache.live = live;
        cache.spent &= prekey.is_none();
        cache.prekey = prekey;
        if nothing && user != self.user {
            cache.fetched_ms = None;
            return Err(refused.map_or_else(|| Failure::new(Own::NoKeys), Failure::from));
        }
        Ok(taken)
    }

    /// Nothing can be sealed for somebody now: gives what waits for it. Copies for one's own sessions are a
    /// convenience; the message itself goes on without them.
    pub(crate) fn stuck(&mut self, io: &Io, user: UserId) -> Vec<MessageId> {
        if user == self.user {
            let none = BundleCache {
                fetched_ms: Some(io.now_ms),
                ..BundleCache::default()
            };
            self.bundles.insert(user, none);
            return Vec::new();
        }
        let items = self.items.iter();
        items
            .filter(|(_, item)| item.chat.peer() == user && item.stage == Stage::Queued)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Slots that were waiting for the keys that have come. Others wait for a prekey, which is asked for:
    /// an ordinary fetch may have been under way when it became wanted.
    pub(crate) fn wanting(
        &mut self,
        io: &mut Io,
        user: UserId,
        had_prekey: bool,
    ) -> Vec<(MessageId, Wanted)> {
        let items = self.items.iter();
        let wanting = items.filter(|(_, item)| item.chat.peer() == user);
        let wanting = wanting.filter_map(|(id, item)| Some((*id, item.wanted?)));
        let (ready, others): (Vec<_>, Vec<_>) =
            wanting.partition(|(_, wanted)| had_prekey || wanted.is_live());
        if !others.is_empty() {
            self.ask_bundles(io, user, true);
        }
        ready
    }
}
