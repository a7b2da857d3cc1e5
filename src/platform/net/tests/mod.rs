#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "real sockets take real time")]

mod beside;
mod crowds;
mod passing;
mod serving;
mod wire;
