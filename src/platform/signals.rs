//! Handling of signals.

use std::io;

use rustix::process::Signal;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Makes a write beyond the limit for the size of files fail instead of killing the process.
///
/// Otherwise `LimitFSIZE=` or `ulimit -f` kills the server and with it every waiting message. The store then
/// handles the failure like a full disk. Call it before the first file is written.
pub fn outlive_file_limits() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    // Nobody listens: once there is a handler, it stays for as long as the process does.
    runtime.block_on(async { signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop) })
}
