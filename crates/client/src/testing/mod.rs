//! Whole clients without a network: an in-memory server that keeps the contract, and a world of
//! browsers, tabs and time around it.
//!
//! The server can be made hostile: [`Tamper`] sees every answer, and what every frame is made of, on its
//! way to a client and may change, hold back or repeat it. Whoever is between the two sees sealed messages
//! of the link alone, and does the same with them by [`TamperLink`].
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod attack;
mod held;
mod keys;
mod link;
mod messages;
mod people;
mod restore;
mod rng;
mod server;
mod world;

pub use held::{Held, HeldSlot};
pub use link::TamperLink;
#[cfg(test)]
pub(crate) use link::client_link;
pub use people::Friends;
pub use restore::Backup;
pub use rng::SeededRng;
pub use server::{Account, FakeServer, Reply, Tamper};
pub use world::{PASSPHRASE, Tab, World};
