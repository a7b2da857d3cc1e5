//! A cluster of PostgreSQL in a folder of its own.
//!
//! PostgreSQL does not run as root: there its processes are given to the user that Debian's package makes, or
//! to `nobody`.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{Process, free_port, until};

/// The program; those that it starts stand beside it. The test command sets it.
const VARIABLE: &str = "SECURE_MESSAGING_TEST_POSTGRES";
/// Folders of the programs' libraries, where they were not installed but unpacked.
const LIBRARIES: &str = "SECURE_MESSAGING_TEST_POSTGRES_LIBRARIES";
/// Where Debian puts them, a folder for each version.
const INSTALLED: &str = "/usr/lib/postgresql";
/// Whom root's clusters are given to.
const USERS: [&str; 2] = ["postgres", "nobody"];
/// The password of every role.
const PASSWORD: &str = "a password of tests";

/// A running cluster; it ends when dropped.
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    user: Option<(u32, u32)>,
    port: u16,
    process: Option<Process>,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub fn start() -> Self {
        let programs = programs();
        let mut this = Self::prepared(programs);
        let password = this.folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        std::fs::set_permissions(&password, PermissionsExt::from_mode(0o644)).unwrap();
        let made = this
            .command("initdb")
            .args([
                "--auth=scram-sha-256",
                "--username=owner",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .args(["--no-sync", "--no-instructions"])
            .arg(format!("--pwfile={}", password.display()))
            .arg(this.data())
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        this.run();
        this
    }

    /// A folder and a port; nothing is in there yet.
    fn prepared(programs: PathBuf) -> Self {
        let folder = TempDir::with_prefix("postgres").expect("a folder");
        let user = rustix::process::geteuid().is_root().then(other_user);
        if let Some((user, group)) = user {
            std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        Self {
            programs,
            folder,
            user,
            port: free_port(),
            process: None,
        }
    }

    /// Starts a cluster that follows this one and can be read.
    pub fn replica(&self) -> Self {
        let mut this = Self::prepared(self.programs.clone());
        let copied = this
            .command("pg_basebackup")
            .args(["--write-recovery-conf", "--wal-method=stream"])
            .args(["--checkpoint=fast", "--no-sync"])
            .arg(format!("--dbname={}", self.address("postgres")))
            .arg(format!("--pgdata={}", this.data().display()))
            .output()
            .expect("pg_basebackup runs");
        assert!(
            copied.status.success(),
            "{}",
            String::from_utf8_lossy(&copied.stderr)
        );
        this.run();
        this
    }

    fn command(&self, program: &str) -> Command {
        self.command_of(self.programs.join(program))
    }

    fn command_of(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some(libraries) = std::env::var_os(LIBRARIES) {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            .args(["-c", "max_connections=400", "-c", "shared_buffers=64MB"])
            .args(["-c", "max_prepared_transactions=0"])
            .arg("-p")
            .arg(self.port.to_string())
            .stdout(Stdio::null())
            .stderr(log);
        self.process = Some(Process::start(&mut command));
        until("PostgreSQL", || self.psql("postgres", "SELECT 1").ok());
    }

    /// Kills it as a crash of its machine would, and everything that it started.
    ///
    /// Left alone, some of these would go on: one that cannot write what it must, because the folder is gone,
    /// tries again for ever and does not look whether the others are there.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        if process.runs() {
            // So that it starts no other meanwhile.
            process.signal(Signal::STOP);
        }
        let started = children(process.id());
        process.kill();
        for child in &started {
            // It may have ended by itself.
            let _ = kill_process(*child, Signal::KILL);
        }
        let gone = || started.iter().all(|child| !lives(*child)).then_some(());
        until("the end of what PostgreSQL started", gone);
    }

    /// Starts it again on the same port.
    pub fn start_again(&mut self) {
        let lock = self.data().join("postmaster.pid");
        // What it started must be gone before the next one may begin.
        until("the end of the processes before", || {
            let _ = std::fs::remove_file(&lock);
            self.run_once().then_some(())
        });
    }

    fn run_once(&mut self) -> bool {
        self.run();
        self.process.as_mut().is_some_and(Process::runs)
    }

    /// Stops it after everybody has gone or was sent away.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::INT);
            until("the end of PostgreSQL", || (!process.runs()).then_some(()));
        }
    }

    /// The address of a database for its owner.
    pub fn address(&self, database: &str) -> String {
        self.address_for("owner", database)
    }

    /// The address of a database for a role.
    pub fn address_for(&self, role: &str, database: &str) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!(
            "postgres://{role}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Makes a database, and answers its address for a role that is no superuser and owns what is in it.
    pub fn database(&self, name: &str) -> String {
        let role = format!("of_{name}");
        for statement in [
            format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"),
            format!("CREATE DATABASE {name} OWNER {role}"),
        ] {
            self.psql("postgres", &statement)
                .expect("the database is made");
        }
        self.address_for(&role, name)
    }

    /// Runs a script that sets a database up as the superuser, with `psql` on its path and these variables;
    /// answers what it says.
    pub fn script(&self, script: &Path, variables: &[(&str, &str)]) -> Result<String, String> {
        let path = std::env::var("PATH").unwrap_or_default();
        let done = self
            .command_of("/bin/sh")
            .arg(script)
            .env("PATH", format!("{}:{path}", self.programs.display()))
            .envs([("PGHOST", "127.0.0.1"), ("PGPASSWORD", PASSWORD)])
            .env("PGPORT", self.port.to_string())
            .env("POSTGRES_USER", "owner")
            .envs(variables.iter().copied())
            .output()
            .expect("sh runs");
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        if done.status.success() {
            Ok(said)
        } else {
            Err(said)
        }
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements as the superuser; answers what they print.
    pub fn psql(&self, database: &str, statements: &str) -> Result<String, String> {
        self.psql_as("owner", database, statements)
    }

    /// Runs statements as a role; answers what they print.
    pub fn psql_as(&self, role: &str, database: &str, statements: &str) -> Result<String, String> {
        let done = self
            .command("psql")
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", statements])
            .arg(self.address_for(role, database))
            .output()
            .expect("psql runs");
        if done.status.success() {
            Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&done.stderr).trim().to_owned())
        }
    }

    /// The folder of its files.
    pub fn files(&self) -> PathBuf {
        self.data()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What `/proc` says about a process behind its name: its state and the number of who started it.
fn state(process: &str) -> Option<(String, i32)> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// The processes that one has started.
fn children(of: u32) -> Vec<Pid> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let child = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let (_, parent) = state(&name)?;
        Pid::from_raw((parent == of as i32).then(|| name.parse().ok())??)
    };
    all.filter_map(child).collect()
}

/// Whether a process has not ended, whoever is to be told of its end.
fn lives(process: Pid) -> bool {
    let name = process.as_raw_nonzero().to_string();
    state(&name).is_some_and(|(state, _)| state != "Z")
}

/// The folder of the programs: that of the named one, or the newest that is installed.
fn programs() -> PathBuf {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Path::new(&named).parent().unwrap().to_owned();
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(INSTALLED)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| {
        panic!(
            "there is no PostgreSQL: use `cargo xtask test`, which fetches it, or name the program \
             postgres in {VARIABLE}"
        )
    })
}

/// User and group that are not root's.
fn other_user() -> (u32, u32) {
    let users = std::fs::read_to_string(Path::new("/etc/passwd")).unwrap();
    let of = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut parts = line.split(':').skip(2);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    USERS
        .iter()
        .find_map(|name| of(name))
        .expect("there is a user other than root")
}

#[test]
fn what_a_cluster_started_ends_with_it() {
    let cluster = Postgres::start();
    let started = children(cluster.process.as_ref().unwrap().id());
    assert!(started.iter().any(|child| lives(*child)), "it starts some");
    drop(cluster);
    assert!(!started.into_iter().any(lives));
}
