//! Backups of a database file: encrypted before they leave the machine, in full or as the pages that
//! changed, in a folder or in an object store, verified when they are written.
//!
//! The source is a snapshot that the store made and that does not change; this crate does not know its
//! tables. A backup consists of a few sealed objects and is complete when its manifest, the last of them,
//! is written. All encryption is symmetric, under a key of 256 bits, so that a quantum computer gains
//! nothing from the objects.
#![forbid(unsafe_code)]

mod catalogue;
mod create;
mod date;
mod id;
mod key;
mod manifest;
mod pages;
mod policy;
mod progress;
mod prune;
mod restore;
mod seal;
mod stream;
mod target;

pub use catalogue::{Catalogue, CatalogueError, Listed, catalogue, clear_unfinished, newest_id};
pub use create::{CreateError, Created, KeyFile, Source, Wish, create};
pub use date::{format_time, parse_time, unix, utc};
pub use id::{BackupId, Kind};
pub use key::{BackupKey, KEY_LEN, KeyError};
pub use manifest::{AuditHead, Manifest, Parent};
pub use policy::{Known, Policy, PolicyError};
pub use progress::{Phase, Progress, Standing};
pub use prune::{Pruned, prune};
pub use restore::{Plan, RestoreError, assemble, key_file, plan};
pub use seal::{CHUNK, OpenError, Opener, SALT_LEN, Sealer};
pub use stream::StreamError;
pub use target::{S3Options, Target, TargetError};
