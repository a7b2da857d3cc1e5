//! The integration tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "real processes take real time")]

mod api;
mod browser;
mod community;
mod memory;
mod operations;
mod restart;
mod support;
