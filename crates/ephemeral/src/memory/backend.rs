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

impl MessageVault for Memory {
    fn config(&self) -> &Config {
        self.vault.config()
    }

    fn subscribe(&self, sink: Box<dyn EventSink>) {
        self.vault.subscribe(sink);
    }

    fn reserve(
        &self,
        poster: UserId,
        payload: u64,
        slots: usize,
    ) -> Answer<'_, Result<Reservation, Full>> {
        Answer::ready(self.vault.reserve(poster, payload, slots))
    }

    fn put(
        &self,
        reservation: Reservation,
        message: NewMessage,
    ) -> Answer<'_, Result<PutOutcome, PutError>> {
        Answer::ready(self.vault.put(reservation, message))
    }

    fn add_slots(
        &self,
        id: MessageId,
        poster: UserId,
        slots: Vec<NewSlot>,
    ) -> Answer<'_, Result<(), AddSlotsError>> {
        Answer::ready(self.vault.add_slots(id, poster, slots))
    }

    fn claim(
        &self,
        id: MessageId,
        account: UserId,
        live: Option<LiveId>,
    ) -> Answer<'_, Result<Claim, ClaimError>> {
        Answer::ready(self.vault.claim(id, account, live))
    }

    fn fetch(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<Claim, LeaseError>> {
        Answer::ready(self.vault.fetch(id, account, token))
    }

    fn extend(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<Duration, LeaseError>> {
        Answer::ready(self.vault.extend(id, account, token))
    }

    fn acknowledge(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<Acknowledged, LeaseError>> {
        Answer::ready(self.vault.acknowledge(id, account, token))
    }

    fn cannot_open(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<(), LeaseError>> {
        Answer::ready(self.vault.cannot_open(id, account, token))
    }

    fn waiting_for(&self, account: UserId, live: Option<LiveId>) -> Answer<'_, Vec<WaitingItem>> {
        Answer::ready(self.vault.waiting_for(account, live))
    }

    fn stranded_for(&self, account: UserId) -> Answer<'_, Vec<(MessageId, UserId)>> {
        Answer::ready(self.vault.stranded_for(account))
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

    fn prekeys_in_use(&self, account: UserId) -> Answer<'_, Vec<u32>> {
        Answer::ready(self.vault.prekeys_in_use(account))
    }

    fn status(&self, poster: UserId, ids: &[MessageId]) -> Answer<'_, Vec<StatusItem>> {
        Answer::ready(self.vault.status(poster, ids))
    }

    fn session_left(&self, account: UserId, live: LiveId) -> Answer<'_, ()> {
        self.vault.session_left(account, live);
        Answer::ready(())
    }

    fn session_back(&self, account: UserId, live: LiveId) -> Answer<'_, ()> {
        self.vault.session_back(account, live);
        Answer::ready(())
    }

    fn never_reached(&self, id: MessageId, account: UserId, live: LiveId) -> Answer<'_, ()> {
        self.vault.never_reached(id, account, live);
        Answer::ready(())
    }

    fn forget_account(&self, account: UserId) -> Answer<'_, usize> {
        Answer::ready(self.vault.forget_account(account))
    }

    fn forget_fates(&self, poster: UserId) -> Answer<'_, ()> {
        self.vault.forget_fates(poster);
        Answer::ready(())
    }

    fn purge_due(&self, limit: usize) -> Answer<'_, PurgeReport> {
        Answer::ready(self.vault.purge_due(limit))
    }

    fn next_expiry_ms(&self) -> Answer<'_, Option<u64>> {
        Answer::ready(self.vault.next_expiry_ms())
    }

    fn stats(&self) -> Answer<'_, Stats> {
        Answer::ready(self.vault.stats())
    }

    fn wipe_all(&self) -> Answer<'_, usize> {
        Answer::ready(self.vault.wipe_all())
    }

    fn give_back_when_idle(&self) -> bool {
        self.vault.give_back_when_idle()
    }
}
