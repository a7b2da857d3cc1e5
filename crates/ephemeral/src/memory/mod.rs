//! The memory backend: everything lies in this process and goes with it.
//!
//! # Locks
//! A message is one entry of a sharded table, and every transition happens under that entry's lock,
//! so that of two that race exactly one wins. The account index, the schedule, the quota ledger,
//! the tombstones and the list of erased accounts are *leaves*: one at a time is locked for a moment,
//! alone or while an entry is held, and nothing else is locked while a leaf is. Events are published and
//! ciphertext is wiped after every lock is released. The unit test `tests/interleavings.rs` explores
//! the same code on locks that a scheduler controls.

mod backend;
mod claims;
mod connections;
mod drawn;
mod forgotten;
mod ledger;
mod limits;
mod message;
mod platform;
mod presence;
mod resume;
mod schedule;
mod strangers;
mod tokens;
mod tombstones;
mod vault;

pub use backend::Memory;
pub use vault::Vault;

#[cfg(test)]
mod tests;
