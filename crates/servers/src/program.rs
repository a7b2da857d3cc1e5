//! Where programs are, and when they are ready.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The program that a variable names, or the first of these files that is there. A path that does not begin at
/// the root is looked for in what the test command fetched.
///
/// It panics with what to do when there is neither.
pub fn program(variable: &str, installed: &[&str]) -> PathBuf {
    if let Some(named) = std::env::var_os(variable) {
        return named.into();
    }
    let fetched = fetched();
    installed
        .iter()
        .flat_map(|path| {
            let below = fetched.iter().map(move |folder| folder.join(path));
            below.chain(
                [PathBuf::from(path)]
                    .into_iter()
                    .filter(|it| it.is_absolute()),
            )
        })
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!("use `cargo xtask test`, which fetches it, or name the program in {variable}")
        })
}

/// The folders of the tools that the test command fetched, beside those of this program.
fn fetched() -> Vec<PathBuf> {
    let here = std::env::current_exe().unwrap_or_default();
    let tools = here.ancestors().map(|folder| folder.join("tools"));
    let found = tools.filter_map(|folder| std::fs::read_dir(folder).ok());
    found.flatten().flatten().map(|it| it.path()).collect()
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

/// Waits until something is so; it panics after a minute.
pub fn until_then(mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < end, "it does not become so");
        std::thread::sleep(Duration::from_millis(10));
    }
}
