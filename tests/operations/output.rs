//! Standard streams that take nothing: closed ones, and files on a full disk.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::stderr;
use crate::support::{Spawned, binary};

/// A pipe that nobody reads, and a device that has no space.
fn dead_ends() -> [Stdio; 2] {
    let (reading, writing) = std::io::pipe().unwrap();
    drop(reading);
    let full = File::create("/dev/full").unwrap();
    [OwnedFd::from(writing).into(), full.into()]
}

fn on(data: &Path, arguments: &[&str]) -> Command {
    let mut command = binary();
    command
        .args(arguments)
        .current_dir(data)
        .env_remove("PUBLIC_URL")
        .env_remove("DATABASE_URL")
        .env("DB_ENCRYPTION_KEY", "a key of the tests")
        .env("SECURE_MESSAGING_DATA_DIR", data)
        .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
        .stdin(Stdio::null());
    command
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error_with_a_sentence() {
    let data = TempDir::new().unwrap();
    Spawned::start(data.path()).stop();
    for arguments in [
        &["migrate"][..],
        &["stats"],
        &["check-config"],
        &["check-config", "--json"],
        &["admin", "list"],
        &["admin", "list", "--json"],
        &["admin", "create", "somebody"],
        &["audit", "verify"],
        &["audit", "export"],
    ] {
        for end in dead_ends() {
            let output = on(data.path(), arguments).stdout(end).output().unwrap();
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
            assert!(said.contains("cannot be written"), "{arguments:?}: {said}");
            assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn a_reason_that_cannot_be_written_leaves_the_status_as_it_is() {
    let data = TempDir::new().unwrap();
    for end in dead_ends() {
        let mut command = on(data.path(), &["stats"]);
        let status = command.stdout(Stdio::null()).stderr(end).status();
        assert_eq!(status.unwrap().code(), Some(1));
    }
}

#[actix_web::test]
async fn a_health_check_answers_by_its_status_alone() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let address = server.address.to_string();
    for end in dead_ends() {
        let mut command = on(data.path(), &["healthcheck", "--bind-addr", &address]);
        assert!(command.stdout(end).status().unwrap().success());
    }
    server.stop();
}

/// Waits until a process ends, or until this server has its control socket.
fn ended_or_serves(child: &mut Child, data: &Path) -> Option<ExitStatus> {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if data.join("control.sock").exists() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the server neither serves nor ends");
}

#[test]
fn a_server_whose_lines_go_nowhere_serves() {
    let data = TempDir::new().unwrap();
    for (out, error) in dead_ends().into_iter().zip(dead_ends()) {
        let mut command = on(data.path(), &["serve"]);
        let mut child = command.stdout(out).stderr(error).spawn().unwrap();
        let ended = ended_or_serves(&mut child, data.path());
        assert_eq!(ended, None);
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(child.wait().unwrap().success());
    }
}
