//! What a machine does not let a test try.

use std::io::Write;

/// Names the file in which `cargo xtask test` collects it.
const COLLECTED: &str = "SECURE_MESSAGING_TEST_NOT_TRIED";

/// Says that a part of a test was not tried, and why; `cargo xtask test` counts these at its end.
///
/// Only for what this machine's kernel or rights make impossible, and beside something that is
/// tried everywhere: what can be fetched is fetched.
pub(crate) fn not_tried(what: &str, why: &str) {
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    println!("not tried: {what}: {why}");
    if let Some(path) = std::env::var_os(COLLECTED) {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        writeln!(file.unwrap(), "{what}: {why}").unwrap();
    }
}
