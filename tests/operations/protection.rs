//! What keeps the server's memory out of core files, debuggers and swap space.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::support::{BINARY, Spawned, not_tried};

/// A user without rights, where the tests run as root.
const NOBODY: u32 = 65_534;

/// A server that is not told to be dumpable.
const PROTECTED: (&str, &str) = ("SECURE_MESSAGING_DUMPABLE", "0");

fn field(pid: u32, file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim().to_owned()
}

fn kib(pid: u32, name: &str) -> u64 {
    let value = field(pid, "status", name);
    value.trim_end_matches(" kB").trim().parse().unwrap()
}

fn cores(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).unwrap();
    let is_core = |name: String| name == "core" || name.starts_with("core.");
    names
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| is_core(name.clone()))
        .count()
}

/// Whether a process that crashes with its limit lifted is dumped, wherever that goes.
fn is_dumped(folder: &Path) -> bool {
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -c unlimited 2>/dev/null; exec sleep 1000"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    // Only after it has become `sleep` is its limit in force.
    let name = format!("/proc/{}/comm", child.id());
    let start = Instant::now();
    while std::fs::read_to_string(&name).unwrap().trim() != "sleep" {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::SEGV).unwrap();
    child.wait().unwrap().core_dumped()
}

/// Why this machine dumps nobody, where it does not.
fn dumps_nobody() -> Option<String> {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let pattern = pattern.trim();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|it| it.starts_with("Max core file size"));
    if pattern.is_empty() || pattern.starts_with('|') {
        Some(format!("core files go to {pattern:?}"))
    } else if line.unwrap().split_whitespace().nth(5) == Some("0") {
        Some("these tests were started with a limit of 0 that cannot be lifted".to_owned())
    } else {
        None
    }
}

#[test]
fn a_crash_leaves_no_core_file() {
    let data = TempDir::new().unwrap();
    let lift = "ulimit -c unlimited 2>/dev/null";
    let server = Spawned::start_after(lift, data.path(), &[PROTECTED]);
    let limit = field(server.pid(), "limits", "Max core file size");
    let limit: Vec<&str> = limit.split_whitespace().take(2).collect();
    assert_eq!(limit, ["0", "0"]);
    let status = server.end_by(Signal::SEGV);
    assert_eq!(status.signal(), Some(Signal::SEGV.as_raw()));
    assert!(!status.core_dumped());
    assert_eq!(cores(data.path()), 0);
    // The control: another process that crashes likewise is dumped.
    let elsewhere = TempDir::new().unwrap();
    if !is_dumped(elsewhere.path()) {
        match dumps_nobody() {
            Some(why) => not_tried("a crash of a process that is not protected", &why),
            None => panic!("the control left no core file"),
        }
    }
}

/// The binary where an ordinary user may start it, and a data folder of that user.
struct Ordinary {
    folder: TempDir,
    uid: u32,
}

impl Ordinary {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let own = geteuid().as_raw();
        let uid = if own == 0 { NOBODY } else { own };
        let this = Self { folder, uid };
        if own == 0 {
            std::fs::copy(BINARY, this.binary()).unwrap();
        } else {
            std::os::unix::fs::symlink(BINARY, this.binary()).unwrap();
        }
        this
    }

    fn binary(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// Starts the server as that user, after a shell has set limits.
    fn start(&self, first: &str, variables: &[(&str, &str)]) -> Spawned {
        let data = self.folder.path().join(format!("data{}", first.len()));
        if !data.exists() {
            std::fs::create_dir(&data).unwrap();
            chown(&data, Some(self.uid), None).unwrap();
        }
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{first}\nexec \"$@\""))
            .arg("sh");
        if geteuid().is_root() {
            let id = self.uid.to_string();
            command.args(["setpriv", "--clear-groups", "--reuid", &id, "--regid", &id]);
        }
        command.arg(self.binary());
        Spawned::start_by(command, &data, variables)
    }
}

#[test]
fn other_processes_of_the_same_user_cannot_look_into_it() {
    let ordinary = Ordinary::new();
    let owner = |server: &Spawned| {
        let path = format!("/proc/{}/mem", server.pid());
        std::fs::metadata(path).unwrap().uid()
    };
    let server = ordinary.start("true", &[PROTECTED]);
    assert_eq!(owner(&server), 0, "the kernel gives it to root");
    let metrics = metrics(&server);
    assert!(metrics.contains("secure_messaging_memory_not_dumpable 1\n"));
    assert!(!server.log().contains("it is dumpable"));
    server.stop();
    // The control: a debug build that is told to stays the user's own, and says so.
    let server = ordinary.start("true", &[]);
    assert_eq!(owner(&server), ordinary.uid);
    assert!(server.log().contains("it is dumpable"), "{}", server.log());
}

#[test]
fn as_much_is_locked_as_the_limit_allows_and_what_is_not_is_said() {
    let ordinary = Ordinary::new();
    let server = ordinary.start("ulimit -l 0", &[PROTECTED]);
    assert_eq!(kib(server.pid(), "VmLck:"), 0);
    assert!(
        server
            .log()
            .contains("keys and messages may be written to swap")
    );
    assert!(metrics(&server).contains("secure_messaging_memory_locked 0\n"));
    server.stop();
    let limited = ordinary.start("ulimit -l 1024  ", &[PROTECTED]);
    let locked = kib(limited.pid(), "VmLck:");
    assert!((4..=1024).contains(&locked), "{locked}");
    assert!(limited.log().contains("keys may not"), "{}", limited.log());
    assert!(metrics(&limited).contains("secure_messaging_memory_locked 1\n"));
    limited.stop();
}

#[test]
fn everything_is_locked_where_there_is_no_limit() {
    if !may_lock_everything() {
        // No more is claimed than is so.
        let ordinary = Ordinary::new();
        let server = ordinary.start("ulimit -l >/dev/null", &[PROTECTED]);
        assert!(!metrics(&server).contains("secure_messaging_memory_locked 2\n"));
        assert!(server.log().contains("swap"), "{}", server.log());
        let why = "neither CAP_IPC_LOCK nor an unlimited RLIMIT_MEMLOCK is to be had";
        return not_tried("a server that may lock all of its memory", why);
    }
    let data = TempDir::new().unwrap();
    let unlimited = Spawned::start_with(data.path(), &[PROTECTED]);
    let all = kib(unlimited.pid(), "VmSize:");
    let locked = kib(unlimited.pid(), "VmLck:");
    assert!(locked > all / 2, "{locked} of {all}");
    assert!(!unlimited.log().contains("swap"), "{}", unlimited.log());
    assert!(metrics(&unlimited).contains("secure_messaging_memory_locked 2\n"));
}

/// Whether the limit does not hold for this process, and so not for the server that it starts.
fn may_lock_everything() -> bool {
    const IPC_LOCK: u32 = 14;
    let own = std::process::id();
    let rights = field(own, "status", "CapEff:");
    let rights = u64::from_str_radix(&rights, 16).unwrap();
    let limit = field(own, "limits", "Max locked memory");
    rights >> IPC_LOCK & 1 == 1 || limit.starts_with("unlimited")
}

fn metrics(server: &Spawned) -> String {
    actix_web::rt::System::new().block_on(server.metrics())
}
