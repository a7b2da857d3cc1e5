//! The chain, its export and its verifier: what was done to a log is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beginning;
mod exchanged;
mod export;
mod findings;
mod retention;
mod support;
mod tampering;
mod unreadable;
mod unsigned;
mod verifier;
