//! The trait of the memory for messages.

use std::time::Duration;

use crate::{
    Acknowledged, AddSlotsError, Answer, Claim, ClaimError, ClaimToken, Config, EventSink, Full,
    LeaseError, LiveId, MessageId, NewMessage, NewSlot, PurgeReport, PutError, PutOutcome,
    Reservation, Stats, StatusItem, UserId, WaitingItem,
};

/// Holds messages until they are read or expire.
///
/// Each transition of a message is atomic: of several that race, exactly one wins, whichever instance
/// asks.
pub trait MessageVault: Send + Sync {
    /// Returns the bounds that it was made with.
    fn config(&self) -> &Config;

    /// Adds a receiver of every later event that concerns the connections of this instance.
    fn subscribe(&self, sink: Box<dyn EventSink>);

    /// Reserves room for a message of `payload` bytes, body and slots together, with this many slots,
    /// before it is read from the connection.
    fn reserve(
        &self,
        poster: UserId,
        payload: u64,
        slots: usize,
    ) -> Answer<'_, Result<Reservation, Full>>;

    /// Takes a message; its poster is the one who reserved.
    fn put(
        &self,
        reservation: Reservation,
        message: NewMessage,
    ) -> Answer<'_, Result<PutOutcome, PutError>>;

    /// Adds slots to a message of the same poster, or replaces the slots of the same targets.
    ///
    /// A slot that is claimed or was read stays as it is.
    fn add_slots(
        &self,
        id: MessageId,
        poster: UserId,
        slots: Vec<NewSlot>,
    ) -> Answer<'_, Result<(), AddSlotsError>>;

    /// Claims a message for one reader.
    ///
    /// A live session gets its own slot if there is one, otherwise that of the account; a reader
    /// without a live session gets that of the account.
    fn claim(
        &self,
        id: MessageId,
        account: UserId,
        live: Option<LiveId>,
    ) -> Answer<'_, Result<Claim, ClaimError>>;

    /// Hands out a claimed message again to the holder of its token, for a reader that was told of
    /// its claim on one connection and fetches over another.
    fn fetch(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<Claim, LeaseError>>;

    /// Extends a lease; returns how long it runs from now.
    fn extend(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<Duration, LeaseError>>;

    /// Ends a claim as read, and wipes: the slot, or the whole message when it burns on reading or
    /// no other slot is left.
    fn acknowledge(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<Acknowledged, LeaseError>>;

    /// Ends a claim as unreadable; the slot is wiped and the poster may replace it.
    fn cannot_open(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<(), LeaseError>>;

    /// Lists what waits for an account: the first message of each poster, then the second of each, and so
    /// on, so that no poster with many messages comes before all others.
    ///
    /// With a live session: what that session may claim now. Without: what any session of the
    /// account may claim, each message once.
    fn waiting_for(&self, account: UserId, live: Option<LiveId>) -> Answer<'_, Vec<WaitingItem>>;

    /// Lists unread messages that only disconnected sessions of an account could open, with their posters,
    /// in the order they were posted.
    fn stranded_for(&self, account: UserId) -> Answer<'_, Vec<(MessageId, UserId)>>;

    /// Returns whether any of these accounts has at least `most` unread messages of a poster, not
    /// counting `beside`.
    ///
    /// A slot that could not be opened counts as long as it may be replaced.
    fn holds_unread(
        &self,
        poster: UserId,
        accounts: &[UserId],
        most: usize,
        beside: MessageId,
    ) -> Answer<'_, bool>;

    /// Lists the one-time prekeys of an account that waiting or claimed slots were made with.
    fn prekeys_in_use(&self, account: UserId) -> Answer<'_, Vec<u32>>;

    /// Returns the states of the poster's own messages; those of others are unknown.
    ///
    /// What was read or has expired is remembered until the message's expiry and for ten minutes at
    /// least, for the latest messages of each poster.
    fn status(&self, poster: UserId, ids: &[MessageId]) -> Answer<'_, Vec<StatusItem>>;

    /// Notes that a live session disconnected: what it had claimed and not shown waits again at once, and
    /// the posters of its own slots are told.
    ///
    /// A message that burns and was being shown keeps its lease.
    fn session_left(&self, account: UserId, live: LiveId) -> Answer<'_, ()>;

    /// Notes that a live session connected; call this before the session is told what waits.
    ///
    /// What it had claimed over an earlier connection and not shown waits for it again.
    fn session_back(&self, account: UserId, live: LiveId) -> Answer<'_, ()>;

    /// Notes that a message was posted for a live session that had disconnected before.
    fn never_reached(&self, id: MessageId, account: UserId, live: LiveId) -> Answer<'_, ()>;

    /// Wipes what waits for an account and what it posted and is unread, claimed or not, and refuses
    /// further messages to and from it; returns how many messages it was in.
    ///
    /// Each message changes as if its life were over, for this account only: slots of other accounts
    /// in messages that others posted stay. What is posted at the same time is either wiped here or
    /// refused. Call it when the account is gone from everywhere else, and not on a thread that
    /// serves: it may look at every message.
    fn forget_account(&self, account: UserId) -> Answer<'_, usize>;

    /// Forgets what became of an account's messages, for when its last session ends.
    fn forget_fates(&self, poster: UserId) -> Answer<'_, ()>;

    /// Ends expired leases and lives, soonest first, of at most `limit` messages.
    fn purge_due(&self, limit: usize) -> Answer<'_, PurgeReport>;

    /// Returns when the next lease or life ends, unix milliseconds.
    fn next_expiry_ms(&self) -> Answer<'_, Option<u64>>;

    /// Returns statistics.
    fn stats(&self) -> Answer<'_, Stats>;

    /// Wipes everything that ends with this instance; returns how many messages there were.
    fn wipe_all(&self) -> Answer<'_, usize>;

    /// Returns memory of this process to the operating system if it is worth it; returns whether it
    /// did.
    ///
    /// It does so if something was wiped and nothing has happened since the last call, or if much was
    /// wiped in a busy vault. Call it about every second, not on the threads that serve: it takes
    /// milliseconds.
    fn give_back_when_idle(&self) -> bool;
}
