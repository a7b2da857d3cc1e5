//! The integration tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod browser;
mod memory;
mod operations;
mod restart;
mod support;
