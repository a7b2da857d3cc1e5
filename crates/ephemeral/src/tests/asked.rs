//! A plane that is asked one thing after the other.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::{
    Acknowledged, AddSlotsError, Answer, Claim, ClaimError, ClaimToken, Config, Ephemeral,
    EventSink, Full, LeaseError, LiveId, MessageId, NewMessage, NewSlot, PurgeReport, PutError,
    PutOutcome, Reservation, Stats, StatusItem, UserId, WaitingItem,
};

/// Waits for each answer.
pub(crate) struct Asked {
    pub(crate) plane: Ephemeral,
    runtime: Runtime,
}

impl Asked {
    pub(crate) fn of(plane: Ephemeral) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        Self { plane, runtime }
    }

    pub(crate) fn wait<T>(&self, answer: Answer<'_, T>) -> T {
        self.runtime.block_on(answer).unwrap()
    }

    /// Counts what is left of everything.
    pub(crate) fn left(&self) -> usize {
        self.wait(self.plane.left())
    }

    pub(crate) fn config(&self) -> &Config {
        self.plane.vault().config()
    }

    pub(crate) fn subscribe(&self, sink: Box<dyn EventSink>) {
        self.plane.vault().subscribe(sink)
    }

    pub(crate) fn reserve(
        &self,
        poster: UserId,
        payload: u64,
        slots: usize,
    ) -> Result<Reservation, Full> {
        self.wait(self.plane.vault().reserve(poster, payload, slots))
    }

    pub(crate) fn put(
        &self,
        reservation: Reservation,
        message: NewMessage,
    ) -> Result<PutOutcome, PutError> {
        self.wait(self.plane.vault().put(reservation, message))
    }

    pub(crate) fn add_slots(
        &self,
        id: MessageId,
        poster: UserId,
        slots: Vec<NewSlot>,
    ) -> Result<(), AddSlotsError> {
        self.wait(self.plane.vault().add_slots(id, poster, slots))
    }

    pub(crate) fn claim(
        &self,
        id: MessageId,
        account: UserId,
        live: Option<LiveId>,
    ) -> Result<Claim, ClaimError> {
        self.wait(self.plane.vault().claim(id, account, live))
    }

    pub(crate) fn fetch(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Result<Claim, LeaseError> {
        self.wait(self.plane.vault().fetch(id, account, token))
    }

    pub(crate) fn extend(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Result<Duration, LeaseError> {
        self.wait(self.plane.vault().extend(id, account, token))
    }

    pub(crate) fn acknowledge(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Result<Acknowledged, LeaseError> {
        self.wait(self.plane.vault().acknowledge(id, account, token))
    }

    pub(crate) fn cannot_open(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Result<(), LeaseError> {
        self.wait(self.plane.vault().cannot_open(id, account, token))
    }

    pub(crate) fn waiting_for(&self, account: UserId, live: Option<LiveId>) -> Vec<WaitingItem> {
        self.wait(self.plane.vault().waiting_for(account, live))
    }

    pub(crate) fn stranded_for(&self, account: UserId) -> Vec<(MessageId, UserId)> {
        self.wait(self.plane.vault().stranded_for(account))
    }

    pub(crate) fn holds_unread(
        &self,
        poster: UserId,
        account: UserId,
        most: usize,
        beside: MessageId,
    ) -> bool {
        self.wait(
            self.plane
                .vault()
                .holds_unread(poster, &[account], most, beside),
        )
    }

    pub(crate) fn prekeys_in_use(&self, account: UserId) -> Vec<u32> {
        self.wait(self.plane.vault().prekeys_in_use(account))
    }

    pub(crate) fn status(&self, poster: UserId, ids: &[MessageId]) -> Vec<StatusItem> {
        self.wait(self.plane.vault().status(poster, ids))
    }

    pub(crate) fn session_left(&self, account: UserId, live: LiveId) {
        self.wait(self.plane.vault().session_left(account, live));
    }

    pub(crate) fn session_back(&self, account: UserId, live: LiveId) {
        self.wait(self.plane.vault().session_back(account, live));
    }

    pub(crate) fn never_reached(&self, id: MessageId, account: UserId, live: LiveId) {
        self.wait(self.plane.vault().never_reached(id, account, live));
    }

    pub(crate) fn forget_account(&self, account: UserId) -> usize {
        self.wait(self.plane.vault().forget_account(account))
    }

    pub(crate) fn forget_fates(&self, poster: UserId) {
        self.wait(self.plane.vault().forget_fates(poster));
    }

    pub(crate) fn purge_due(&self, limit: usize) -> PurgeReport {
        self.wait(self.plane.vault().purge_due(limit))
    }

    pub(crate) fn next_expiry_ms(&self) -> Option<u64> {
        self.wait(self.plane.vault().next_expiry_ms())
    }

    pub(crate) fn stats(&self) -> Stats {
        self.wait(self.plane.vault().stats())
    }

    pub(crate) fn wipe_all(&self) -> usize {
        self.wait(self.plane.vault().wipe_all())
    }
}
