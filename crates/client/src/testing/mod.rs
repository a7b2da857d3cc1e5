//! Whole clients without a network: an in-memory server that keeps the contract, and a world of
//! browsers, tabs and time around it.
//!
//! The server can be made hostile: [`Tamper`] sees every answer and every frame on its way to a
//! client and may change, hold back or repeat it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod attack;
mod held;
mod keys;
mod messages;
mod people;
mod restore;
mod rng;
mod server;
mod world;

pub use held::{Held, HeldSlot};
pub use people::Friends;
pub use restore::Backup;
pub use rng::SeededRng;
pub use server::{Account, FakeServer, Reply, Tamper};
pub use world::{PASSPHRASE, Tab, World};
