//! Public keys of others against their pins.
//!
//! Keys are kept only after they were compared with the pin, and the pin is asked again whenever they
//! are used: another session of the account may have replaced it since.
//!
//! Specification: `docs/protocol/accounts.md#pins`.

use protocol::epoch::SenderClaim;
use protocol::identity::AccountKeys;

use crate::effects::Effect;
use crate::failure::Failure;
use crate::id::{ConversationId, UserId};
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::refusal::Refusal;
use crate::refuse::of_identity;
use crate::state::contacts::Contacts;
use crate::state::safes::Safe;

/// How long keys serve without being asked for again, milliseconds: as long as a session's bundle. A
/// replaced identity is noticed by then, also by somebody who only reads.
const FRESH_MS: u64 = 300_000;
/// The same while other keys than the pinned ones were shown last: they may have changed back.
const DISPUTED_FRESH_MS: u64 = 3_000;

/// Public keys whose own signatures were checked.
#[derive(Debug, Clone)]
pub(crate) struct ShownKeys {
    encoding: Vec<u8>,
    pub(crate) keys: AccountKeys,
    /// When the server showed them last.
    shown_ms: u64,
}

impl Contacts {
    /// Decodes public keys, checking their signatures once. Nothing is kept of them here.
    pub(crate) fn decode_keys(
        &self,
        io: &mut Io,
        id: UserId,
        bytes: &[u8],
    ) -> Result<ShownKeys, Failure> {
        let kept = self.peers.get(&id).and_then(|peer| {
            let kept = [peer.keys.as_ref(), peer.changed.as_ref()];
            kept.into_iter()
                .flatten()
                .find(|kept| kept.encoding == bytes)
        });
        let keys = match kept {
            Some(kept) => kept.keys.clone(),
            None => AccountKeys::decode(bytes).map_err(|error| {
                let refusal = of_identity(&error);
                io.refused(refusal, Some(ConversationId::with(id)), None);
                Failure::from(refusal)
            })?,
        };
        Ok(ShownKeys {
            encoding: bytes.to_vec(),
            keys,
            shown_ms: io.now_ms,
        })
    }

    /// Whether keys that the server shows are the pinned ones. Others are noted, told and asked about
    /// before a send.
    pub(crate) fn pin_holds(
        &mut self,
        io: &mut Io,
        id: UserId,
        shown: ShownKeys,
        safe: &mut Safe,
    ) -> bool {
        if id == safe.user() {
            return shown.keys.expect(safe.keys().fingerprint()).is_ok();
        }
        let fingerprint = *shown.keys.fingerprint();
        let was_pinned = safe.contents().contacts.contains_key(&id);
        if safe.is_pinned(id, &fingerprint) {
            let peer = self.peers.entry(id).or_default();
            peer.keys = Some(shown);
            if peer.changed.take().is_some() {
                io.ask(Effect::TellChats);
                // What was held is for the keys that are back.
                io.ask(Effect::Release(ConversationId::with(id)));
            }
            return was_pinned;
        }
        let peer = self.peers.entry(id).or_default();
        let news = peer
            .changed
            .as_ref()
            .is_none_or(|known| *known.keys.fingerprint() != fingerprint);
        peer.changed = Some(shown);
        safe.note_other_keys(io, id, &fingerprint);
        if news {
            io.ask(Effect::TellChats);
            io.refused(Refusal::SwappedKey, Some(ConversationId::with(id)), None);
        }
        false
    }

    /// Keys that open what claims to be of somebody: their pinned ones, or those that the server showed
    /// in place of them, under which only words are shown.
    pub(crate) fn keys_for<'a>(
        &'a self,
        claim: &SenderClaim,
        safe: &'a Safe,
    ) -> Option<&'a AccountKeys> {
        let id = claim.user_id;
        if id == safe.user() {
            let own = safe.keys();
            return (*own.fingerprint() == claim.fingerprint).then_some(own);
        }
        self.kept_for(claim, safe).map(|kept| &kept.keys)
    }

    /// Whether those keys are here and need not be asked for again.
    pub(crate) fn has_fresh_keys(&self, io: &Io, claim: &SenderClaim, safe: &Safe) -> bool {
        let id = claim.user_id;
        let disputed = self
            .peers
            .get(&id)
            .is_some_and(|peer| peer.changed.is_some());
        let good_for = if disputed {
            DISPUTED_FRESH_MS
        } else {
            FRESH_MS
        };
        id == safe.user()
            || self
                .kept_for(claim, safe)
                .is_some_and(|kept| io.now_ms.saturating_sub(kept.shown_ms) < good_for)
    }

    /// Something is held back for somebody: asks whether their pinned keys are back.
    pub(crate) fn ask_for_keys_again(&self, io: &mut Io, id: UserId) {
        let shown = self.peers.get(&id).and_then(|peer| peer.changed.as_ref());
        let old = shown
            .is_some_and(|shown| io.now_ms.saturating_sub(shown.shown_ms) >= DISPUTED_FRESH_MS);
        if old && io.online {
            io.get(&format!("/users/{id}"), Purpose::Open(Open::Sender(id)));
        }
    }

    fn kept_for(&self, claim: &SenderClaim, safe: &Safe) -> Option<&ShownKeys> {
        let id = claim.user_id;
        let peer = self.peers.get(&id)?;
        let pinned = peer
            .keys
            .as_ref()
            .filter(|kept| safe.is_pinned(id, kept.keys.fingerprint()));
        [pinned, peer.changed.as_ref()]
            .into_iter()
            .flatten()
            .find(|kept| *kept.keys.fingerprint() == claim.fingerprint)
    }

    /// Keys that the server shows in place of the pinned ones.
    pub(crate) fn changed_keys(&self, id: UserId, safe: &Safe) -> Option<&AccountKeys> {
        let changed = &self.peers.get(&id)?.changed.as_ref()?.keys;
        (!safe.is_pinned(id, changed.fingerprint())).then_some(changed)
    }

    /// Whether the person has to decide on changed keys before the next send.
    pub(crate) fn key_changed(&self, id: UserId, safe: &Safe) -> bool {
        self.changed_keys(id, safe).is_some()
    }

    /// Asks whether keys that were seen in place of the pinned ones, here or in another session of ours,
    /// are still shown.
    pub(crate) fn ask_about_other_keys(&self, io: &mut Io, safe: &Safe) {
        /// Most people who are asked about at once.
        const MOST: usize = 8;
        if !io.online {
            return;
        }
        let seen = safe.contents().contacts.iter();
        let asked: Vec<UserId> = seen
            .filter(|(_, contact)| contact.saw_other_keys())
            .map(|(user, contact)| (*user, io.local_ms(contact.other_keys.at)))
            .filter(|(id, seen_ms)| {
                !self.key_changed(*id, safe) && !self.shown_after(*id, *seen_ms)
            })
            .map(|(id, _)| id)
            .take(MOST)
            .collect();
        for id in asked {
            io.get(&format!("/users/{id}"), Purpose::Open(Open::Sender(id)));
        }
    }

    /// Whether the pinned keys were shown after a time.
    fn shown_after(&self, id: UserId, ms: u64) -> bool {
        let shown = self.peers.get(&id).and_then(|peer| peer.keys.as_ref());
        shown.is_some_and(|kept| kept.shown_ms > ms)
    }

    /// Another session of the account may have replaced pins: what rests on the old ones goes.
    pub(crate) fn pins_joined(&mut self, io: &mut Io, safe: &Safe) {
        let pins: Vec<(UserId, bool, bool)> = self
            .peers
            .iter()
            .map(|(id, peer)| {
                let pinned = |kept: &ShownKeys| safe.is_pinned(*id, kept.keys.fingerprint());
                let outdated = peer.keys.as_ref().is_some_and(|kept| !pinned(kept));
                let accepted = peer.changed.as_ref().is_some_and(pinned);
                (*id, outdated, accepted)
            })
            .collect();
        for (id, outdated, accepted) in pins {
            if !outdated && !accepted {
                continue;
            }
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.keys = if accepted { peer.changed.take() } else { None };
            }
            io.ask(Effect::DropEpochs(ConversationId::with(id)));
            if accepted {
                io.ask(Effect::Release(ConversationId::with(id)));
            }
        }
        self.ask_about_other_keys(io, safe);
    }

    /// Whether somebody was found live.
    pub(crate) fn note_live(&mut self, io: &mut Io, id: UserId, live: bool) {
        let peer = self.peers.entry(id).or_default();
        if peer.live != live {
            peer.live = live;
            io.ask(Effect::TellChats);
        }
    }
}
