//! Public keys of others against their pins.

use protocol::identity::AccountKeys;
use protocol::ids::UserId;

use super::user;
use crate::failure::Failure;
use crate::id::Id;
use crate::io::Io;
use crate::refusal::Refusal;
use crate::refuse::of_identity;
use crate::unlocked::Unlocked;

impl Unlocked {
    /// Decodes public keys, checking their signatures once.
    pub(crate) fn decode_keys(
        &mut self,
        io: &mut Io,
        id: Id,
        bytes: &[u8],
    ) -> Result<AccountKeys, Failure> {
        let peer = self.peers.entry(id).or_default();
        if let Some((encoding, keys)) = &peer.keys
            && encoding == bytes
        {
            return Ok(keys.clone());
        }
        match AccountKeys::decode(bytes) {
            Ok(keys) => {
                peer.keys = Some((bytes.to_vec(), keys.clone()));
                Ok(keys)
            }
            Err(error) => {
                let refusal = of_identity(&error);
                io.refused(refusal, Some(id), None);
                Err(refusal.into())
            }
        }
    }

    /// Whether keys are the pinned ones; others are noted, told and asked about before a send.
    pub(crate) fn pin_holds(&mut self, io: &mut Io, id: Id, keys: &AccountKeys) -> bool {
        if id == self.me.user_id {
            return keys.expect(self.safe.keys().fingerprint()).is_ok();
        }
        let Some(contact) = self.safe.contents().contacts.get(&user(id)) else {
            return false;
        };
        let holds = contact
            .pin
            .fingerprint()
            .is_ok_and(|pinned| keys.expect(pinned).is_ok());
        let peer = self.peers.entry(id).or_default();
        if holds {
            if peer.changed.take().is_some() {
                self.chats_dirty = true;
            }
            return true;
        }
        let news = peer
            .changed
            .as_ref()
            .is_none_or(|known| known.fingerprint() != keys.fingerprint());
        peer.changed = Some(keys.clone());
        if news {
            self.chats_dirty = true;
            io.refused(Refusal::SwappedKey, Some(id), None);
        }
        false
    }

    /// Whether the person has to decide on changed keys before the next send.
    pub(crate) fn key_changed(&self, id: Id) -> bool {
        self.peers
            .get(&id)
            .is_some_and(|peer| peer.changed.is_some())
    }

    /// The highest prekey batch seen of somebody.
    pub(crate) fn highest_batch(&self, user: &UserId) -> u32 {
        self.safe
            .contents()
            .contacts
            .get(user)
            .map_or(0, |contact| contact.batch_seen)
    }

    /// Remembers a batch number, so that an older batch is refused from now on.
    pub(crate) fn note_batch(&mut self, user: &UserId, number: u32) {
        if number > self.highest_batch(user)
            && let Some(contact) = self.safe.edit().contacts.get_mut(user)
        {
            contact.batch_seen = number;
        }
    }

    /// Whether somebody was found live.
    pub(crate) fn note_live(&mut self, id: Id, live: bool) {
        let peer = self.peers.entry(id).or_default();
        if peer.live != live {
            peer.live = live;
            self.chats_dirty = true;
        }
    }
}
