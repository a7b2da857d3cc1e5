//! The client without a network: commands, events and what it asks the server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;
mod chat;
mod deletion;
mod hostile;
mod identity;
mod inbox;
mod json;
mod order;
mod overtaking;
mod passphrase;
mod people;
mod promise5;
mod receipts;
mod requests;
mod restore;
mod sending;
mod sessions;
mod state;
mod unread;
