//! The providers `hashicorp_vault`, `aws_kms` and `azure_key_vault`: KEKs that a service elsewhere wraps.
//!
//! A KEK is 32 random bytes, made here. The service wraps it once, with its id as associated data, and the
//! wrapped bytes stand in the row of the KEK. The service unwraps it at the start, when a rotation makes one,
//! and again before its time in memory is over. DEKs are wrapped here, in the forms of the `local` provider:
//! a value costs no call over the network, and no request waits for one.
//!
//! ```text
//! values ── DEK ── KEK (locked memory, at most kek_cache_secs) ── key of the service, which never leaves it
//! ```
//!
//! Each source has a thread with a runtime of its own, which makes the calls. So a source may be used from any
//! thread: its methods wait for the answer, at most for the time limit.

mod aws;
mod azure;
mod error;
mod held;
mod http;
mod keeper;
mod provider;
mod secret_text;
mod service;
mod source;
mod text;
mod vault;
mod worker;

pub use aws::{AwsConfig, AwsLogin};
pub use azure::{AzureAlgorithm, AzureConfig, AzureLogin, MACHINE_IDENTITY, PUBLIC_AUTHORITY};
pub use error::{RemoteError, Trouble};
pub use secret_text::SecretText;
pub use source::{RemoteSettings, RemoteSource};
pub use vault::{VaultConfig, VaultLogin};
