//! Running the server: the command line, limits of the machine, what protects its memory, and the
//! files that others start it with.

mod accounts;
mod check_config;
mod deployment;
mod descriptors;
mod disk;
mod health;
mod mounts;
mod protection;
mod secrets;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs a subcommand on a data directory of a test.
fn run(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_secure-messaging"))
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
