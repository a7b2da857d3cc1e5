//! The store over SQLite: what it keeps, seals and survives, one module for each promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod audit_file;
mod bit_flips;
mod conformance;
mod cuts;
mod erasure;
mod example;
mod group_commit;
mod joined_wraps;
mod key_services;
mod line;
mod memory;
mod opening;
mod panics;
mod plaintext;
mod postgres;
mod providers;
mod retention_cuts;
mod rotation;
mod rotation_cuts;
mod sealing;
mod snapshot;
mod support;
mod swapped;
mod tags;
mod taking_over;
mod tampering;
