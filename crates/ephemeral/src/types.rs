//! Types that go into the vault and come out of it.

use std::sync::Arc;
use std::time::Duration;

use crate::{Ciphertext, ClaimToken, Config, LiveId, MessageId, PutError, UserId};

/// Who may claim a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// One live session of an account.
    Live {
        /// The account.
        account: UserId,
        /// Its session.
        live: LiveId,
    },
    /// Any session of an account.
    Account(UserId),
}

impl Target {
    /// Returns the account.
    pub const fn account(&self) -> UserId {
        match self {
            Self::Live { account, .. } | Self::Account(account) => *account,
        }
    }
}

/// A slot as it is posted.
pub struct NewSlot {
    /// Who may claim it.
    pub target: Target,
    /// The one-time prekey that it was made with.
    pub prekey: Option<u32>,
    /// The sealed slot.
    pub bytes: Ciphertext,
}

/// A message as it is posted; the posting account is that of the [`Reservation`](crate::Reservation).
pub struct NewMessage {
    /// Chosen by the sender.
    pub id: MessageId,
    /// Its life.
    pub life: Duration,
    /// Whether it burns on reading: the first acknowledgement of a recipient wipes everything.
    pub burn_on_read: bool,
    /// One for every target.
    pub slots: Vec<NewSlot>,
    /// The sealed body.
    pub body: Ciphertext,
}

impl NewMessage {
    /// Refuses what is against the bounds whatever the vault holds.
    pub(crate) fn check(&self, config: &Config) -> Result<(), PutError> {
        let (shortest, longest) = (config.shortest_life, config.longest_life);
        if self.life < shortest || self.life > longest {
            return Err(PutError::Life { shortest, longest });
        }
        let limit = config.slots_per_message;
        if self.slots.is_empty() {
            return Err(PutError::NoSlots);
        }
        if self.slots.len() > limit {
            return Err(PutError::TooManySlots { limit });
        }
        match repeats(&self.slots) {
            true => Err(PutError::RepeatedTarget),
            false => Ok(()),
        }
    }
}

/// Returns whether two slots have the same target.
pub(crate) fn repeats(slots: &[NewSlot]) -> bool {
    let mut targets: Vec<Target> = slots.iter().map(|slot| slot.target).collect();
    targets.sort_unstable();
    targets.windows(2).any(|pair| pair[0] == pair[1])
}

/// The result of posting a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutOutcome {
    /// When it expires, unix seconds.
    pub expires_at: u64,
}

/// A won claim: what the reader gets.
pub struct Claim {
    /// The token that acknowledges, extends and returns it.
    pub token: ClaimToken,
    /// How long the lease still runs.
    pub lease: Duration,
    /// The slot's target.
    pub target: Target,
    /// Whether acknowledging wipes the whole message.
    pub burn_on_read: bool,
    /// When the message expires, unix seconds.
    pub expires_at: u64,
    /// The sealed slot.
    pub slot: Arc<Ciphertext>,
    /// The sealed body.
    pub body: Arc<Ciphertext>,
}

/// The result of an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// Whether it wiped the whole message.
    pub burned: bool,
}

/// A message that can be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingItem {
    /// The message.
    pub id: MessageId,
    /// The account that posted it.
    pub poster: UserId,
    /// Whether it burns on reading.
    pub burn_on_read: bool,
    /// Bytes of body and slot together.
    pub size: u64,
    /// When it expires, unix seconds.
    pub expires_at: u64,
    /// The slot that a claim would give.
    pub target: Target,
}

/// The state of a message, as its poster may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It waits.
    Waiting,
    /// It is claimed.
    Claimed,
    /// A recipient acknowledged it.
    Acknowledged,
    /// It expired unread.
    Expired,
    /// The vault neither holds nor remembers it.
    Unknown,
}

/// The state of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusItem {
    /// The message.
    pub id: MessageId,
    /// Its state.
    pub state: MessageState,
    /// Unix seconds; 0 when unknown.
    pub expires_at: u64,
}

/// The result of a purge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PurgeReport {
    /// Messages that were wiped.
    pub wiped: usize,
    /// Messages of which a lease ran out or a part expired.
    pub changed: usize,
    /// Whether more is due: the limit was reached.
    pub more: bool,
}

/// Statistics of the vault; they do not say who writes to whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Messages held.
    pub messages: u64,
    /// Bytes that count toward the bound, as [`cost`](crate::cost) counts them, uploads under way
    /// included.
    pub bytes: u64,
    /// Fates of ended messages remembered.
    pub tombstones: u64,
    /// When the next lease or life ends, unix seconds.
    pub next_expiry: Option<u64>,
}
