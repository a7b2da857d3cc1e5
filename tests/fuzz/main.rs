//! Hostile bytes for the parsers of every crate; `fuzz` says how they are made and for how long.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "real processes take real time")]

#[path = "../../src/platform/net/tests/beside.rs"]
mod beside;
mod client_core;
mod link;
#[path = "../../crates/audit/tests/suite/support/mod.rs"]
#[allow(dead_code, reason = "the tests of the log use the rest")]
mod log;
mod protocol_objects;
mod sealed;
mod texts;
mod wire;

/// Where `beside` finds the server.
mod platform {
    pub(crate) mod net {
        pub(crate) use secure_messaging::platform::net::{Limits, serve};
    }
}

/// What runs a test of this file alone.
const AGAIN: &str = "cargo test --test fuzz -- --exact --nocapture";
