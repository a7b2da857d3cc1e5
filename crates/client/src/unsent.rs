//! What was not sent when the account locked: it stays sealed in memory until its owner unlocks.

use protocol::DecodeError;
use protocol::safe::{SafeError, SafeKey, UnsentFront, open_unsent};
use zeroize::Zeroizing;

use crate::core::Core;
use crate::event::UnsentView;
use crate::id::ConversationId;
use crate::io::Io;
use crate::output::Output;

/// Messages that were not sent, sealed under a key from the safe key.
///
/// A shim that overwrites the core after [`Output::Wiped`] hands it to the next core with
/// [`crate::Input::Unsent`]. It is for memory alone, never for a disk.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsent {
    front: UnsentFront,
    sealed: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Unsent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unsent")
            .field("messages", &self.messages())
            .finish_non_exhaustive()
    }
}

impl Unsent {
    /// Takes the bytes of [`Unsent::as_bytes`].
    ///
    /// # Errors
    /// The bytes are not an encoding of unsent messages.
    pub fn from_bytes(sealed: Zeroizing<Vec<u8>>) -> Result<Self, DecodeError> {
        let front = UnsentFront::decode(&sealed)?;
        Ok(Self { front, sealed })
    }

    /// The sealed bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.sealed
    }

    /// How many messages are sent when the account is unlocked.
    fn messages(&self) -> u32 {
        let messages = self.front.chats.iter().map(|(_, messages)| messages);
        messages.fold(0, |all, messages| all.saturating_add(*messages))
    }

    pub(crate) fn open(&self, key: &SafeKey) -> Result<Zeroizing<Vec<u8>>, SafeError> {
        open_unsent(key, &self.sealed)
    }
}

impl Core {
    /// Seals what was not sent, or drops it, before the keys go.
    pub(crate) fn set_unsent_aside(&mut self, keep: bool) {
        let Some(open) = self.unlocked.as_ref() else {
            self.unsent = self.unsent.take().filter(|_| keep);
            return;
        };
        let unsent = open
            .outbox
            .seal_unsent(&mut self.io, &open.chats, &open.safe);
        let unsent = unsent.and_then(|sealed| Unsent::from_bytes(Zeroizing::new(sealed)).ok());
        self.unsent = unsent;
        if !keep {
            self.lose_unsent();
        }
    }

    /// Drops the unsent messages, which no key opens any more, and tells the person.
    pub(crate) fn lose_unsent(&mut self) {
        let unsent = self.unsent.take();
        if unsent.is_some_and(|unsent| unsent.messages() > 0) {
            tell_lost(&mut self.io);
        }
    }

    /// Drops unsent messages of another account than the known one.
    pub(crate) fn drop_unsent_of_others(&mut self) {
        let me = self.me.as_ref().map(|me| me.user_id);
        self.unsent = self
            .unsent
            .take()
            .filter(|unsent| me.is_none_or(|me| me == unsent.front.user_id));
    }

    /// Opens the unsent messages and puts them back into the outbox and on the screen.
    pub(crate) fn take_up_unsent(&mut self) {
        let Some(unsent) = self.unsent.take() else {
            return;
        };
        let Some(open) = self.unlocked.as_mut() else {
            return;
        };
        let contents = unsent.open(open.safe.key());
        let taken = contents.is_ok_and(|it| {
            (open.outbox)
                .take_up_unsent(&mut self.io, &it, &mut open.chats, &open.safe)
                .is_ok()
        });
        if !taken && unsent.messages() > 0 {
            tell_lost(&mut self.io);
        }
    }

    /// The number of unsent messages for each chat, while the account is not unlocked.
    pub(crate) fn unsent_views(&self) -> Vec<UnsentView> {
        let unsent = self.unsent.as_ref().filter(|_| self.unlocked.is_none());
        let chats = unsent.map_or(&[][..], |unsent| &unsent.front.chats);
        let views = chats.iter().map(|(chat, messages)| UnsentView {
            chat: ConversationId::with(*chat),
            messages: *messages,
        });
        views.collect()
    }

    /// Tells the shim that the keys are gone.
    pub(crate) fn wiped(&mut self) {
        let unsent = self.unsent.clone();
        self.io.out.push(Output::Wiped { unsent });
    }
}

fn tell_lost(io: &mut Io) {
    io.notice(
        "unsent-lost",
        "Messages that were not sent when this browser locked are gone: the key that they were \
         sealed under was replaced. Write them again.",
        None,
    );
}
