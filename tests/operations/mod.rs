//! Running the server: the command line, limits of the machine, what protects its memory, and the
//! files that others start it with.

mod accounts;
mod backups;
mod check_config;
mod deployment;
mod descriptors;
mod disk;
mod floods;
mod health;
mod key_services;
mod log;
mod mounts;
mod output;
mod protection;
mod refusals;
mod secrets;
mod service_keys;

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Spawned, binary};

/// Runs a subcommand on a data directory of a test.
fn run(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    binary()
        .args(arguments)
        .current_dir(data)
        .env_remove("PUBLIC_URL")
        .env_remove("DATABASE_URL")
        .env("DB_ENCRYPTION_KEY", "a key of the tests")
        .env("SECURE_MESSAGING_DATA_DIR", data)
        .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Waits for a line of the log that has this in it: an answer may be here before what is logged of it.
#[track_caller]
fn logged(server: &Spawned, text: &str) -> String {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let log = server.log();
        if let Some(line) = log.lines().find(|line| line.contains(text)) {
            return line.to_owned();
        }
        assert!(Instant::now() < end, "{text}: {log}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a subcommand that must succeed; returns what it printed.
#[track_caller]
fn ran(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// Runs a subcommand that must be refused; returns the reason.
#[track_caller]
fn refused(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    stderr(&output)
}
