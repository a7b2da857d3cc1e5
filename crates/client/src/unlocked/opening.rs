//! Opening a parcel: nothing changes before its tags have verified.
//!
//! Specification: `docs/protocol/messages.md#receiving-an-epoch`.

use crate::io::Io;
use crate::refusal::Refusal;
use crate::refuse::of_decode;
use crate::state::inbox::Await;
use crate::state::inbox::open::{Before, Blocked, Opened};
use crate::unlocked::Unlocked;
use protocol::envelope::ParcelRef;

impl Unlocked {
    /// Opens the parcel of the claim under way, as far as it goes.
    pub(super) fn open_current(&mut self, io: &mut Io) {
        let Some((id, bytes, fetched_sender, fetched_safe)) = self.inbox.take_parcel() else {
            return;
        };
        let outcome = match ParcelRef::decode(&bytes) {
            Ok(parcel) => self.inbox.try_open(
                io,
                &parcel,
                (fetched_sender, fetched_safe),
                &self.presence,
                &self.contacts,
                &self.safe,
            ),
            Err(error) => Err(Blocked::Refused(of_decode(&error), None)),
        };
        match outcome {
            Ok(opened) => self.opened(io, opened, bytes),
            Err(Blocked::Sender(claim)) => {
                let of = (claim.user_id, Some(claim));
                self.inbox
                    .ask_keys(io, of, bytes, &mut self.contacts, &self.safe);
            }
            Err(Blocked::Safe) => {
                self.inbox.wait_for(Await::Safe, bytes);
                if self.inbox.may_read_for_prekey(io) {
                    self.safe.read_safes(io);
                } else {
                    self.inbox
                        .leave_for_safe(io, &mut self.contacts, &self.safe);
                }
            }
            Err(Blocked::Gone) => self.inbox.sender_is_gone(io, id),
            Err(Blocked::Replayed) => {
                // Its mark is stored: acknowledged, not shown.
                io.refused(Refusal::Replayed, None, Some(id));
                self.inbox.acknowledge_replay(io, id);
            }
            // Whether the hint opens, or the slot, must not show on the way to the answer either: the same
            // is asked for before every refusal, of whom the server named.
            Err(Blocked::Refused(refusal, sender)) => match self.inbox.sender_told(id) {
                Some(poster) if !fetched_sender => {
                    let of = (poster, None);
                    self.inbox
                        .ask_keys(io, of, bytes, &mut self.contacts, &self.safe);
                }
                Some(poster) if self.contacts.lookups().is_gone(poster) => {
                    self.inbox.sender_is_gone(io, id)
                }
                _ => self.inbox.refuse_parcel(io, id, refusal, sender),
            },
        }
    }

    /// It is open.
    pub(crate) fn opened(&mut self, io: &mut Io, opened: Opened, bytes: Vec<u8>) {
        match self.inbox.opened(&opened) {
            Before::Never => self.first_opened(io, opened, bytes),
            // Another message under the same id: it is neither shown nor answered.
            Before::Other(chat) => io.refused(Refusal::Exchanged, Some(chat), Some(opened.id)),
            Before::Read => {}
            Before::Revealed(chat) => self.reveal_opened(io, chat, opened),
        }
        self.inbox.claim_done(io);
    }
}
