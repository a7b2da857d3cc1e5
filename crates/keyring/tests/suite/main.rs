//! Providers of keys, envelopes and their rotation, one module for each promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod envelope;
mod key_source;
mod local;
mod locked_memory;
mod outages;
mod pkcs11;
mod private_file;
mod redaction;
mod remote;
mod rotation;
mod token_faults;
