//! Life cycle of the keys that seal the database: made, rotated, retired.

pub mod requests;
mod service;
#[cfg(feature = "remote-keys")]
mod services;
mod sources;

pub use service::{KeyService, drive, due_at, renew, rotate, run};
pub use sources::{SourceError, check_services, providers};
