//! Backups of the database: creation, schedule, list, drill and restore.

mod drill;
mod engine;
mod error;
mod files;
mod key;
pub mod requests;
mod restore;
mod schedule;
mod service;
mod view;
mod work;

pub use engine::{Engine, OF_THE_FUTURE};
pub use error::BackupError;
pub use files::{clear_leftovers, half_restored};
pub use key::{check_key, find_key, find_or_make_key};
pub use restore::{Restoration, restore};
pub use service::{Backups, Begun};
pub use work::{Report, Work, carry_out};
