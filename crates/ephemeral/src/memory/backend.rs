//! The backend's parts, joined, and the vault's methods as the trait has them.

use std::time::Duration;

use ambient::Ambient;

use super::claims::GivenPrekeys;
use super::connections::Connections;
use super::drawn::Secrets;
use super::limits::Buckets;
use super::resume::Halves;
use super::strangers::Strangers;
use super::tokens::Used;
use super::vault::Vault;
use crate::{
    Acknowledged, AddSlotsError, Answer, Backend, Claim, ClaimError, ClaimToken, Config, EventSink,
    Full, LeaseError, LiveId, MessageId, MessageVault, NewMessage, NewSlot, PurgeReport, PutError,
    PutOutcome, Reservation, Stats, StatusItem, UserId, WaitingItem,
};

/// A plane in the memory of this process.
pub struct Memory {
    pub(super) ambient: Ambient,
    pub(super) vault: Vault,
    pub(super) connections: Connections,
    pub(super) secrets: Secrets,
    pub(super) used: Used,
    pub(super) buckets: Buckets,
    pub(super) strangers: Strangers,
    pub(super) prekeys: GivenPrekeys,
    pub(super) halves: Halves,
}

impl Memory {
    /// Makes an empty plane and draws its secrets.
    pub fn new(config: Config, ambient: Ambient) -> Self {
        Self {
            vault: Vault::new(config, ambient.clock(), ambient.entropy()),
            connections: Connections::default(),
            secrets: Secrets::draw(&ambient),
            used: Used::default(),
            buckets: Buckets::default(),
            strangers: Strangers::new(&ambient),
            prekeys: GivenPrekeys::default(),
            halves: Halves::default(),
            ambient,
        }
    }

    /// Returns the time since 1970.
    pub(super) fn since_epoch(&self) -> Duration {
        Duration::from_millis(self.ambient.now_ms())
    }
}

impl Backend for Memory {
    fn tidy(&self) -> Answer<'_, ()> {
        let now = self.ambient.now();
        self.used.tidy(now);
        self.buckets.tidy(self.since_epoch());
        self.strangers.tidy(now);
        self.prekeys.tidy(now);
        self.halves.tidy(now);
        Answer::ready(())
    }

    #[cfg(test)]
    fn left(&self) -> Answer<'_, usize> {
        let (messages, inboxes, due, accounts) = self.vault.leaves();
        let left = messages + inboxes + due + accounts + self.connections.accounts();
        let counted = self.used.len() + self.buckets.len() + self.strangers.len();
        Answer::ready(left + counted + self.prekeys.len() + self.halves.len())
    }
}

/// Makes methods that answer with what the vault's method of the same name returns.
macro_rules! at_once {
    ($($method:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(fn $method(&self, $($argument: $kind),*) -> Answer<'_, $answer> {
            Answer::ready(self.vault.$method($($argument),*))
        })*
    };
}

impl MessageVault for Memory {
    fn config(&self) -> &Config {
        self.vault.config()
    }

    fn subscribe(&self, sink: Box<dyn EventSink>) {
        self.vault.subscribe(sink);
    }

    at_once! {
        reserve(poster: UserId, payload: u64, slots: usize) -> Result<Reservation, Full>;
        put(room: Reservation, message: NewMessage) -> Result<PutOutcome, PutError>;
        add_slots(id: MessageId, poster: UserId, slots: Vec<NewSlot>) -> Result<(), AddSlotsError>;
        claim(id: MessageId, account: UserId, live: Option<LiveId>) -> Result<Claim, ClaimError>;
        fetch(id: MessageId, account: UserId, token: &ClaimToken) -> Result<Claim, LeaseError>;
        extend(id: MessageId, account: UserId, token: &ClaimToken) -> Result<Duration, LeaseError>;
        acknowledge(id: MessageId, by: UserId, token: &ClaimToken) -> Result<Acknowledged, LeaseError>;
        cannot_open(id: MessageId, account: UserId, token: &ClaimToken) -> Result<(), LeaseError>;
        waiting_for(account: UserId, live: Option<LiveId>) -> Vec<WaitingItem>;
        stranded_for(account: UserId) -> Vec<(MessageId, UserId)>;
        prekeys_in_use(account: UserId) -> Vec<u32>;
        status(poster: UserId, ids: &[MessageId]) -> Vec<StatusItem>;
        session_left(account: UserId, live: LiveId) -> ();
        session_back(account: UserId, live: LiveId) -> ();
        never_reached(id: MessageId, account: UserId, live: LiveId) -> ();
        forget_account(account: UserId) -> usize;
        forget_fates(poster: UserId) -> ();
        purge_due(limit: usize) -> PurgeReport;
        next_expiry_ms() -> Option<u64>;
        stats() -> Stats;
        wipe_all() -> usize;
    }

    fn holds_unread(
        &self,
        poster: UserId,
        accounts: &[UserId],
        most: usize,
        beside: MessageId,
    ) -> Answer<'_, bool> {
        let holds = |account: &UserId| self.vault.holds_unread(poster, *account, most, beside);
        Answer::ready(accounts.iter().any(holds))
    }

    fn give_back_when_idle(&self) -> bool {
        self.vault.give_back_when_idle()
    }
}
