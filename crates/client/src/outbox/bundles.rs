//! Fetching and verifying what messages are sealed to.
//!
//! Specification: `docs/protocol/messages.md#fetching-keys-to-write-to`.

use api::{Code, Own};
use protocol::epoch::VerifiedTarget;
use protocol::identity::AccountKeys;
use protocol::ids::UserId;
use protocol::prekeys::{ClaimedPrekey, SessionBundle};

use super::{Stage, Wanted};
use crate::account::parse;
use crate::answers::Answer;
use crate::effects::Effect;
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::outbox::Outbox;
use crate::pause::Pause;
use crate::purpose::{Open, Purpose};
use crate::refusal::Refusal;
use crate::refuse::of_prekeys;
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::{Bundles, WantBundles};

/// How long fetched bundles serve, milliseconds: short, so that a new session is found soon.
const FRESH_MS: u64 = 3_000;
/// Pause before bundles are asked for again when the server could not be reached.
const RETRY_MS: u64 = 3_000;

/// What was last fetched of somebody.
#[derive(Default)]
pub(crate) struct BundleCache {
    fetched_ms: Option<u64>,
    in_flight: bool,
    /// What is on its way may be older than what is known to be there.
    outdated: bool,
    /// Between questions that failed.
    pause: Pause,
    /// The server asked to wait until then.
    rest_until_ms: u64,
    /// A prekey was asked for at the last fetch.
    asked_prekey: bool,
    /// Verified bundles of live sessions.
    pub(crate) live: Vec<VerifiedTarget>,
    /// A verified prekey, when nobody was live or one was asked for.
    pub(crate) prekey: Option<VerifiedTarget>,
    /// An epoch was started with the prekey: it goes on, but no other one starts with it.
    pub(crate) spent: bool,
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

    /// Asks for bundles, with a prekey if wanted, unless an answer is on its way or the server asked
    /// to wait: then whoever wants more is served with what comes.
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

    /// No answer, or the request to wait: nothing of it is a reason to give a message up.
    fn ask_bundles_later(&mut self, io: &mut Io, user: UserId, least_ms: u64) {
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
}

impl Unlocked {
    /// Bundles came.
    pub(crate) fn bundles_came(
        &mut self,
        io: &mut Io,
        user: UserId,
        want_prekey: bool,
        answer: Answer,
    ) {
        let mut outdated = false;
        if let Some(cache) = self.outbox.bundles.get_mut(&user) {
            cache.in_flight = false;
            outdated = std::mem::take(&mut cache.outdated);
        }
        let failure = match answer {
            None => {
                self.outbox.ask_bundles_later(io, user, RETRY_MS);
                return;
            }
            Some((200, body)) => match parse::<Bundles>(&body) {
                Ok(bundles) => self.take_bundles(io, user, want_prekey, bundles).err(),
                Err(failure) => Some(failure),
            },
            // Asked for by id: somebody who was there, and whose account was erased.
            Some((404, _)) => Some(Failure::new(Code::AccountGone)),
            Some((status, body)) => {
                let failure = Failure::from_answer(status, &body);
                if failure.is_passing() && user != self.user {
                    self.outbox.ask_bundles_later(io, user, failure.wait_ms());
                    return;
                }
                Some(failure)
            }
        };
        if let Some(failure) = failure {
            if user == self.user {
                // Copies for one's own sessions are a convenience; the message itself goes on.
                self.outbox.bundles.insert(
                    user,
                    BundleCache {
                        fetched_ms: Some(io.now_ms),
                        ..BundleCache::default()
                    },
                );
            } else {
                self.give_up_on(io, user, &failure);
            }
        }
        if outdated && let Some(cache) = self.outbox.bundles.get_mut(&user) {
            cache.fetched_ms = None;
        }
        self.add_wanted_slots(io, user, want_prekey);
        io.ask(Effect::Send);
    }

    fn take_bundles(
        &mut self,
        io: &mut Io,
        user: UserId,
        want_prekey: bool,
        bundles: Bundles,
    ) -> Result<(), Failure> {
        let chat = ConversationId::with(user);
        let shown = self.contacts.decode_keys(io, user, &bundles.public_keys)?;
        let keys = shown.keys.clone();
        if !self.contacts.pin_holds(io, user, shown, &mut self.safe) {
            if user == self.user {
                io.refused(Refusal::SwappedKey, None, None);
            }
            // Held, not failed: the person decides.
            self.outbox.bundles.remove(&user);
            return Ok(());
        }
        let mut live = Vec::new();
        let mut refused = None;
        for offered in bundles.live {
            let live_id = offered.live_id;
            if user == self.user && live_id == self.live {
                continue;
            }
            let verified = SessionBundle::decode(&offered.bundle)
                .map_err(Into::into)
                .and_then(|bundle| bundle.verify(&keys, &user, &live_id, io.now()));
            match verified {
                Ok(target) => live.push(target),
                Err(error) => {
                    let refusal = of_prekeys(&error);
                    io.refused(refusal, Some(chat), None);
                    refused = Some(refusal);
                }
            }
        }
        let prekey = match bundles.prekey {
            None => None,
            Some(bytes) => match self.take_prekey(io, user, &keys, &bytes) {
                Ok(target) => Some(target),
                Err(refusal) => {
                    io.refused(refusal, Some(chat), None);
                    refused = Some(refusal);
                    None
                }
            },
        };
        self.contacts.note_live(io, user, !live.is_empty());
        let nothing = live.is_empty() && prekey.is_none();
        let cache = self.outbox.bundles.entry(user).or_default();
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
        Ok(())
    }

    fn take_prekey(
        &mut self,
        io: &Io,
        user: UserId,
        keys: &AccountKeys,
        bytes: &[u8],
    ) -> Result<VerifiedTarget, Refusal> {
        let seen = self.safe.highest_batch(&user);
        let claimed = ClaimedPrekey::decode(bytes).map_err(|e| of_prekeys(&e.into()))?;
        let target = claimed
            .verify(keys, &user, io.now(), seen)
            .map_err(|e| of_prekeys(&e))?;
        self.safe.note_batch(&user, claimed.head.batch_number);
        Ok(target)
    }

    /// Nothing can be sealed for somebody now: what waits for it fails.
    fn give_up_on(&mut self, io: &mut Io, user: UserId, failure: &Failure) {
        let stuck: Vec<MessageId> = self
            .outbox
            .items
            .iter()
            .filter(|(_, item)| item.chat.peer() == user && item.stage == Stage::Queued)
            .map(|(id, _)| *id)
            .collect();
        for id in stuck {
            self.fail(io, id, failure);
        }
    }

    /// Adds the slots that were waiting for fresh keys.
    fn add_wanted_slots(&mut self, io: &mut Io, user: UserId, had_prekey: bool) {
        let wanting: Vec<(MessageId, Wanted)> = self
            .outbox
            .items
            .iter()
            .filter(|(_, item)| item.chat.peer() == user)
            .filter_map(|(id, item)| Some((*id, item.wanted?)))
            .collect();
        let mut again = false;
        for (id, wanted) in wanting {
            // An ordinary fetch may have been under way when a prekey became wanted.
            if had_prekey || wanted.is_live() {
                self.add_slot(io, id, wanted);
            } else {
                again = true;
            }
        }
        if again {
            self.outbox.ask_bundles(io, user, true);
        }
    }
}
