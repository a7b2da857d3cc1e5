//! Where programs are, and when they are ready.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The program that a variable names, or the first of these files that is there.
///
/// It panics with what to do when there is neither.
pub fn program(variable: &str, installed: &[&str]) -> PathBuf {
    if let Some(named) = std::env::var_os(variable) {
        return named.into();
    }
    installed
        .iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!("use `cargo xtask test`, which fetches it, or name the program in {variable}")
        })
}

/// A port on which nobody listens at this moment.
pub fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("it is bound").port()
}

/// Asks until the answer is there; it panics after twenty seconds.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < end, "{what} is not ready");
        std::thread::sleep(Duration::from_millis(10));
    }
}
