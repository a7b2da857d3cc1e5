//! A disk for tests that loses what was not synced, and schemas of before.

mod disk;
mod older;
mod vfs;

pub use disk::{Disk, Loss};
pub(crate) use older::join_wraps;
pub(crate) use vfs::register;
