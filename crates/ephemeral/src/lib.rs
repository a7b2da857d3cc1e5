//! The ephemeral plane: what is kept for a while and never written to a disk.
//!
//! A message is ciphertext that lives here, and nowhere else, from the moment it is posted until it
//! has been read or has expired. Nothing in this crate can write to a disk: it uses no file, no
//! database and no serialization, and [`Ciphertext`] can be neither printed nor cloned.
//!
//! ```text
//! waiting ──claim──▶ claimed(token, lease) ──acknowledge──▶ done ──▶ wiped
//!    ▲                    │        │
//!    └──── lease over ────┘        └──cannot open──▶ unopenable ──add slots──▶ waiting
//! waiting ──life over──▶ expired ──▶ wiped
//! ```
//!
//! A claim ends with the session that made it: when the session disconnects, what it had not shown waits
//! again at once ([`Vault::session_left`]). A message that one session of an account has read is not kept
//! for sessions that are gone.
//!
//! When an account is erased, everything to and from it ends at once, in whatever state it is:
//! [`Vault::forget_account`].
//!
//! # Time
//! Times are milliseconds of an injected [`ambient::Clock`] that never goes back. What is due is settled by
//! [`Vault::purge_due`] and by each operation on a message, so that an expired message is gone even if
//! the purge is late.
//!
//! Specification: `docs/protocol/messages.md#claims-and-leases`.

#![deny(unsafe_code)]

mod ciphertext;
mod config;
mod error;
mod event;
pub mod memory;
mod token;
mod types;

pub use api::ids::{LiveId, MessageId, UserId};
pub use ciphertext::{Ciphertext, CiphertextBuilder, TooLong};
pub use config::Config;
pub use error::{AddSlotsError, ClaimError, Full, LeaseError, PutError};
pub use event::{Change, Event, EventSink};
pub use memory::{Reservation, Vault, cost};
pub use token::ClaimToken;
pub use types::{
    Acknowledged, Claim, MessageState, NewMessage, NewSlot, PurgeReport, PutOutcome, Stats,
    StatusItem, Target, WaitingItem,
};
