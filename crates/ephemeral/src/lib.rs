//! The ephemeral plane: what is kept for a while and never written to a disk.
//!
//! | trait | what it keeps |
//! |---|---|
//! | [`MessageVault`] | messages: ciphertext that waits to be read |
//! | [`Presence`] | connected live sessions and their bundles |
//! | [`Drawn`] | secrets of this life of the plane: token key, set-up secret, boot id |
//! | [`OneTimeTokens`] | which tokens were used |
//! | [`RateLimits`] | attempts, and who has written to whom |
//! | [`Claims`] | prekeys that were handed out lately |
//! | [`ResumeHalves`] | the server's halves of resume wraps |
//!
//! [`Ephemeral`] holds a backend of all of them: [`memory`] lies in this process, [`valkey`] at nodes that
//! several instances of the server share. Every method takes plain values and gives an [`Answer`]. What
//! sockets of this instance must be told comes to an [`EventSink`]. Every backend passes the cases of
//! `tests/`.
//!
//! Nothing in this crate can write to a disk: it uses no file, no database and no serialization, and
//! [`Ciphertext`] can be neither printed nor cloned.
//!
//! # Messages
//! ```text
//! waiting ──claim──▶ claimed(token, lease) ──acknowledge──▶ done ──▶ wiped
//!    ▲                    │        │
//!    └──── lease over ────┘        └──cannot open──▶ unopenable ──add slots──▶ waiting
//! waiting ──life over──▶ expired ──▶ wiped
//! ```
//!
//! A claim ends with the session that made it: when the session disconnects, what it had not shown waits
//! again at once ([`MessageVault::session_left`]). A message that one session of an account has read is not
//! kept for sessions that are gone.
//!
//! When an account is erased, everything to and from it ends at once, in whatever state it is:
//! [`MessageVault::forget_account`].
//!
//! # Time
//! Times are those of an injected [`ambient::Clock`] that never goes back. What is due is settled by
//! [`MessageVault::purge_due`] and by each operation on a message, so that an expired message is gone even
//! if the purge is late.
//!
//! Specification: `docs/protocol/messages.md#claims-and-leases`.

#![deny(unsafe_code)]

mod answer;
mod ciphertext;
mod claims;
mod config;
mod drawn;
mod error;
mod event;
mod limits;
pub mod memory;
mod plane;
mod presence;
mod reservation;
mod resume;
mod token;
mod types;
pub mod valkey;
mod vault;

pub use answer::{Answer, Unreachable};
pub use api::ids::{LiveId, MessageId, SessionId, UserId};
pub use ciphertext::{Ciphertext, CiphertextBuilder, TooLong};
pub use claims::{Claimer, Claims, Entitlement};
pub use config::Config;
pub use drawn::{Drawn, OneTimeTokens};
pub use error::{AddSlotsError, ClaimError, Full, LeaseError, PutError};
pub use event::{Change, Event, EventSink};
pub use limits::{Attempt, Key, RateLimits, Rule, TooSoon};
pub use memory::{Memory, Vault};
pub use plane::{Backend, Ephemeral, Trouble};
pub use presence::{Bundle, Connection, Notice, Presence, TooManySockets};
pub use reservation::{Reservation, cost};
pub use resume::ResumeHalves;
pub use token::ClaimToken;
pub use types::{
    Acknowledged, Claim, MessageState, NewMessage, NewSlot, PurgeReport, PutOutcome, Stats,
    StatusItem, Target, WaitingItem,
};
pub use vault::MessageVault;

#[cfg(test)]
mod tests;
