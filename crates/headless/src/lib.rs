//! A native client over the client core: tests, benchmarks and, later, the command line.
//!
//! [`Headless`] runs a whole [`client::Core`] against a real server over plain HTTP on loopback;
//! [`Api`] makes single calls with the bodies of the contract.
//!
//! ```no_run
//! # async fn example() -> Result<(), headless::HeadlessError> {
//! use headless::Headless;
//! let mut alice = Headless::connect("http://127.0.0.1:8080").await?;
//! alice.sign_in("alice", "six words that nobody else would choose").await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod call;
mod error;
mod jar;
mod net;
mod people;
mod profile;
mod runner;
mod socket;

pub use call::Api;
pub use error::{ApiError, HeadlessError};
pub use profile::Profile;
pub use runner::Headless;
/// How strong a passphrase is, as the browser measures it.
pub use strength::measure as measure_passphrase;
