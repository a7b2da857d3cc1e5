//! The vault's methods as the trait has them.

use std::sync::Arc;
use std::time::Duration;

use super::Valkey;
use crate::{
    Acknowledged, AddSlotsError, Answer, Claim, ClaimError, ClaimToken, Config, EventSink, Full,
    LeaseError, LiveId, MessageId, MessageVault, NewMessage, NewSlot, PurgeReport, PutError,
    PutOutcome, Reservation, Stats, StatusItem, UserId, WaitingItem,
};

/// Makes methods that ask the core's method of the same name on the backend's thread.
macro_rules! asked {
    ($($method:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(fn $method(&self, $($argument: $kind),*) -> Answer<'_, $answer> {
            self.ask(|core| async move { core.$method($($argument),*).await })
        })*
    };
}

impl MessageVault for Valkey {
    fn config(&self) -> &Config {
        &self.core.config
    }

    fn subscribe(&self, sink: Box<dyn EventSink>) {
        self.core.subscribe(sink);
    }

    fn reserve(
        &self,
        poster: UserId,
        payload: u64,
        slots: usize,
    ) -> Answer<'_, Result<Reservation, Full>> {
        let handle = self.worker.handle();
        self.ask(|core| async move { core.reserve(handle, poster, payload, slots).await })
    }

    asked! {
        put(room: Reservation, message: NewMessage) -> Result<PutOutcome, PutError>;
        add_slots(id: MessageId, poster: UserId, slots: Vec<NewSlot>) -> Result<(), AddSlotsError>;
        claim(id: MessageId, account: UserId, live: Option<LiveId>) -> Result<Claim, ClaimError>;
        waiting_for(account: UserId, live: Option<LiveId>) -> Vec<WaitingItem>;
        stranded_for(account: UserId) -> Vec<(MessageId, UserId)>;
        prekeys_in_use(account: UserId) -> Vec<u32>;
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

    fn fetch(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<Claim, LeaseError>> {
        let token = token.clone();
        self.ask(|core| async move { core.fetch(id, account, token).await })
    }

    fn extend(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<Duration, LeaseError>> {
        let token = token.clone();
        self.ask(|core| async move { core.extend(id, account, token).await })
    }

    fn acknowledge(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<Acknowledged, LeaseError>> {
        let token = token.clone();
        self.ask(|core| async move { core.acknowledge(id, account, token).await })
    }

    fn cannot_open(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
    ) -> Answer<'_, Result<(), LeaseError>> {
        let token = token.clone();
        self.ask(|core| async move { core.cannot_open(id, account, token).await })
    }

    fn holds_unread(
        &self,
        poster: UserId,
        accounts: &[UserId],
        most: usize,
        beside: MessageId,
    ) -> Answer<'_, bool> {
        let accounts = accounts.to_vec();
        self.ask(|core| async move { core.holds_unread(poster, accounts, most, beside).await })
    }

    fn status(&self, poster: UserId, ids: &[MessageId]) -> Answer<'_, Vec<StatusItem>> {
        let ids = ids.to_vec();
        self.ask(|core: Arc<super::Core>| async move { core.status(poster, ids).await })
    }

    fn give_back_when_idle(&self) -> bool {
        self.core.give_back_when_idle()
    }
}
