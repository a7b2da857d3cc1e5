//! A disk for tests that loses what was not synced.

mod disk;
mod vfs;

pub use disk::{Disk, Loss};
pub(crate) use vfs::register;
