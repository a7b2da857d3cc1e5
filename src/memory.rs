//! Keeping the process's memory out of core files.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core files; called first thing, before any secret is read.
///
/// A core file would hold messages and keys.
pub fn protect() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        eprintln!("secure-messaging: core files could not be forbidden: {error}");
    }
}
