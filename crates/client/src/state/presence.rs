//! Being live: a session bundle for every five minutes.
//!
//! Specification: `docs/protocol/messages.md#session-bundles`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::epoch::{
    BUCKET_SECS, EpochError, EpochRecord, Handshake, MAX_LIFE_SECS, ReceiverPairs, ReplayError,
    ReplayMap, bucket_of,
};
use protocol::identity::AccountSecrets;
use protocol::prekeys::SessionSecrets;

use crate::id::{LiveId, UserId};
use crate::io::Io;
use crate::timers::Timer;
use crate::wire::{Blob, ClientFrame};

/// How long a session pair is kept after its bucket, for messages on their way, seconds.
const GRACE_SECS: u64 = 60;
/// The longest life of a session pair by this core's own running time, seconds: if nothing waits, and while
/// claims are under way.
const IDLE_LIFE_SECS: u64 = BUCKET_SECS + GRACE_SECS;
const BUSY_LIFE_SECS: u64 = 2 * BUCKET_SECS + GRACE_SECS;

/// The private half of a session bundle.
struct SessionPair {
    secrets: SessionSecrets,
    /// When it was made, by this core's own running time, milliseconds.
    made_ms: u64,
}

/// The newest session bundle.
pub(crate) struct Bundle {
    bucket: u64,
    key_id: u32,
    bytes: Vec<u8>,
}

impl SessionPair {
    /// Whether its bucket is over by the server's clock.
    fn is_over(&self, now: u64) -> bool {
        let bucket = self.secrets.bucket();
        let end = bucket.saturating_add(1).saturating_mul(BUCKET_SECS);
        now >= end.saturating_add(GRACE_SECS)
    }

    /// Whether it was made at least so many seconds ago, by this core's own running time.
    fn is_older(&self, secs: u64, io: &Io) -> bool {
        self.ms_until(secs, io).is_none()
    }

    /// How long until it is so many seconds old, milliseconds.
    fn ms_until(&self, secs: u64, io: &Io) -> Option<u64> {
        let age_ms = io.clock.elapsed_ms().saturating_sub(self.made_ms);
        (secs * 1_000).checked_sub(age_ms).filter(|left| *left > 0)
    }

    /// When it has to be replaced or destroyed, this device's milliseconds.
    fn next_bound_ms(&self, io: &Io) -> Option<u64> {
        let bounds = [IDLE_LIFE_SECS, BUSY_LIFE_SECS, MAX_LIFE_SECS];
        let left = bounds.into_iter().find_map(|secs| self.ms_until(secs, io));
        left.map(|ms| io.after_ms(ms))
    }
}

/// This live session, and what is sealed to it.
pub(crate) struct Presence {
    user: UserId,
    live: LiveId,
    /// Private halves of session bundles, by key id.
    sessions: BTreeMap<u32, SessionPair>,
    bundle: Option<Bundle>,
    /// The bucket of the bundle that the server got over this connection.
    published: Option<u64>,
    /// Replay marks of live epochs.
    replay: ReplayMap,
}

impl Presence {
    pub(crate) fn new(user: UserId, live: LiveId) -> Self {
        Self {
            user,
            live,
            sessions: BTreeMap::new(),
            bundle: None,
            published: None,
            replay: ReplayMap::default(),
        }
    }

    pub(crate) const fn live(&self) -> &LiveId {
        &self.live
    }

    /// The private halves that a handshake names.
    pub(crate) fn pairs_for(&self, handshake: &Handshake) -> Result<ReceiverPairs<'_>, EpochError> {
        let pair = self.sessions.get(&handshake.signed_id());
        pair.ok_or(EpochError::UnknownKey)?
            .secrets
            .pairs_for(handshake)
    }

    /// Whether a message of a live epoch was shown before.
    pub(crate) fn replayed(&self, epoch: &EpochRecord, counter: u8) -> Result<(), ReplayError> {
        self.replay.check(epoch, counter)
    }

    /// Marks a message of a live epoch as shown.
    pub(crate) fn mark_shown(
        &mut self,
        epoch: EpochRecord,
        counter: u8,
    ) -> Result<(), ReplayError> {
        self.replay.mark(epoch, counter)
    }

    /// A new connection was greeted: the server has no bundle of this session.
    pub(crate) const fn greeted(&mut self) {
        self.published = None;
    }

    /// The identity was replaced: destroys the pairs that the old one signed.
    pub(crate) fn identity_replaced(&mut self) {
        *self = Self::new(self.user, self.live);
    }

    /// Sets the timer for the next bundle.
    pub(crate) fn watch(&self, io: &mut Io) {
        let bucket = bucket_of(io.now());
        let end = bucket.saturating_add(1).saturating_mul(BUCKET_SECS);
        let next = io.local_ms(end).saturating_add(1);
        // Time that stands still does not lengthen a bucket, and what is over goes soon.
        let mut pairs = self.sessions.values();
        let before = pairs.any(|pair| pair.secrets.bucket() != bucket);
        let most = if before { GRACE_SECS + 1 } else { BUCKET_SECS };
        let next = next.min(io.after_ms(most * 1_000));
        let bounds = self.sessions.values();
        let bound = bounds.filter_map(|pair| pair.next_bound_ms(io)).min();
        io.timers
            .set(Timer::Bucket, bound.map_or(next, |at| next.min(at)));
    }

    /// Whether there is a pair for the present bucket.
    pub(crate) fn is_current(&self, io: &Io) -> bool {
        let bucket = bucket_of(io.now());
        let current =
            |bundle: &Bundle| bundle.bucket == bucket && self.sessions.contains_key(&bundle.key_id);
        self.bundle.as_ref().is_some_and(current)
    }

    /// Makes the pair of the present bucket.
    pub(crate) fn renew(&mut self, io: &mut Io, own: &AccountSecrets) {
        let now = io.now();
        let (secrets, bundle) =
            SessionSecrets::generate(&mut io.rng, own, self.user, self.live, now);
        let key_id = secrets.key_id();
        self.bundle = Some(Bundle {
            bucket: secrets.bucket(),
            key_id,
            bytes: bundle.encode(),
        });
        let made_ms = io.clock.elapsed_ms();
        self.sessions
            .insert(key_id, SessionPair { secrets, made_ms });
        self.published = None;
    }

    /// Publishes the newest bundle, once for each connection.
    pub(crate) fn publish(&mut self, io: &mut Io) {
        let Some(bundle) = self.bundle.as_ref() else {
            return;
        };
        if self.published.replace(bundle.bucket) != Some(bundle.bucket) {
            io.frame(&ClientFrame::Bundle {
                bundle: Blob::from(bundle.bytes.clone()),
            });
        }
    }

    /// Destroys session pairs whose bucket is over and under which nothing waits: `sealed` has those of
    /// messages that are opened once more when they are read, and something may be under way.
    pub(crate) fn destroy_pairs(&mut self, io: &Io, sealed: &BTreeSet<u32>, busy: bool) {
        self.sessions.retain(|key_id, pair| {
            let sealed = sealed.contains(key_id);
            let most = match (sealed, busy) {
                (true, _) => MAX_LIFE_SECS,
                (false, true) => BUSY_LIFE_SECS,
                (false, false) => IDLE_LIFE_SECS,
            };
            let waits = sealed || busy;
            (waits || !pair.is_over(io.now())) && !pair.is_older(most, io)
        });
        let sessions = &self.sessions;
        self.replay.retain(|key| sessions.contains_key(&key.id));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use protocol::identity::AccountSecrets;

    use super::{Presence, Timer};
    use crate::id::{LiveId, UserId};
    use crate::io::Io;
    use crate::output::Output;
    use crate::testing::{SeededRng, client_link};

    fn live() -> (Io, Presence) {
        let mut io = Io::new(Box::new(SeededRng::new(1)));
        io.now_ms = 1_767_225_650_000;
        io.online = true;
        io.link = Some(client_link());
        let user = UserId::from_bytes([1; 16]);
        let mut presence = Presence::new(user, LiveId::from_bytes([2; 16]));
        let secrets = AccountSecrets::generate(&mut io.rng);
        presence.renew(&mut io, &secrets);
        (io, presence)
    }

    #[test]
    fn a_server_is_given_a_bundle_once_for_each_connection() {
        let (mut io, mut presence) = live();
        let given = |io: &Io| {
            let frames = io.out.iter();
            frames
                .filter(|output| matches!(output, Output::SocketFrame(_)))
                .count()
        };
        presence.publish(&mut io);
        presence.publish(&mut io);
        assert_eq!(given(&io), 1);
        presence.greeted();
        presence.publish(&mut io);
        assert_eq!(given(&io), 2);
    }

    #[test]
    fn a_pair_outlives_its_bucket_only_while_something_waits() {
        let (mut io, mut presence) = live();
        presence.watch(&mut io);
        assert!(io.timers.is_set(Timer::Bucket) && presence.is_current(&io));
        io.now_ms += 600_000;
        assert!(!presence.is_current(&io), "its bucket is over");
        let pairs = |presence: &Presence| presence.sessions.len();
        presence.destroy_pairs(&io, &BTreeSet::new(), true);
        let sealed = presence.sessions.keys().copied().collect();
        presence.destroy_pairs(&io, &sealed, false);
        assert_eq!(pairs(&presence), 1);
        presence.destroy_pairs(&io, &BTreeSet::new(), false);
        assert_eq!(pairs(&presence), 0);
    }
}
