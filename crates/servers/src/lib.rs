//! Servers that tests start for themselves.
//!
//! Each has a folder and a port of its own, listens on loopback only and ends when it is dropped. A test may
//! kill one for real and start it again on the same port. The test command installs the programs, and names
//! them in `SECURE_MESSAGING_TEST_…`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Servers are other processes: nothing but waiting tells that they are ready.
#![allow(clippy::disallowed_methods)]

mod azure;
mod front;
pub mod http;
mod moto;
mod openbao;
mod postgres;
mod process;
mod program;
mod valkey;

pub use azure::AzureStub;
pub use front::{Fault, Front};
pub use moto::Moto;
pub use openbao::OpenBao;
pub use postgres::Postgres;
pub use process::Process;
pub use program::{free_port, program, until, until_then};
pub use valkey::Valkey;
