//! What signals do to the process.

use std::io;

use rustix::process::Signal;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Lets a write that meets a limit for the size of files fail instead of ending the process.
///
/// Without it `LimitFSIZE=` or `ulimit -f` kills the server, and with it every message that waits;
/// so the store hears of it as it hears of a full disk. Call it before the first file is written.
pub fn outlive_file_limits() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    // Nobody listens: once there is a handler, it stays for as long as the process does.
    runtime.block_on(async { signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop) })
}
