//! The server of Secure Messaging.
//!
//! Data flows from a route to a service and from there to the store, which is durable and sealed, or to the
//! vault, which is in memory only. The two never exchange data.
#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod app;
pub mod config;
pub mod faces;
pub mod platform;
pub mod preflight;
pub mod routes;
pub mod startup;
