//! An engine of the ephemeral plane: Redis or Valkey.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::{Process, free_port, program, until};

/// Settings with which an engine keeps nothing.
const FORGETFUL: [(&str, &str); 5] = [
    ("save", ""),
    ("appendonly", "no"),
    ("maxmemory-policy", "noeviction"),
    ("slowlog-log-slower-than", "-1"),
    ("bind", "127.0.0.1"),
];

/// An engine on a port of its own.
pub struct Valkey {
    process: Process,
    folder: TempDir,
    port: u16,
    settings: Vec<(String, String)>,
    wipes: bool,
}

impl Valkey {
    /// Starts an engine that keeps nothing and overwrites memory that it frees.
    pub fn start() -> Self {
        Self::start_with(&[], true)
    }

    /// Starts an engine with other settings; without `wipes` it does not overwrite memory that it frees.
    pub fn start_with(settings: &[(&str, &str)], wipes: bool) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings: Vec<_> = FORGETFUL.iter().chain(settings).map(owned).collect();
        let folder = TempDir::new().expect("a folder");
        let port = free_port();
        let process = run(&folder, port, &settings, wipes);
        let valkey = Self {
            process,
            folder,
            port,
            settings,
            wipes,
        };
        valkey.wait();
        valkey
    }

    /// Starts an engine by a file of settings, to which its port and the folder are added. Redis is not given
    /// what only Valkey knows.
    pub fn start_by(file: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let version = Command::new(engine()).arg("--version").output();
        let version = version.expect("it says its version").stdout;
        let redis = String::from_utf8_lossy(&version).contains("Redis");
        let lines = file.lines();
        let known: Vec<&str> = lines
            .filter(|line| !redis || !line.starts_with("commandlog-"))
            .collect();
        let path = folder.path().join("engine.conf");
        std::fs::write(&path, known.join("\n")).expect("the file is written");
        let port = free_port();
        let process = run(&folder, port, &[], true);
        let valkey = Self {
            process,
            folder,
            port,
            settings: Vec::new(),
            wipes: true,
        };
        valkey.wait();
        valkey
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("valkey://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, empty, on the same port.
    pub fn start_again(&mut self) {
        self.process.kill();
        self.process = run(&self.folder, self.port, &self.settings, self.wipes);
        self.wait();
    }

    /// Stops it without ending it: connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.process.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process.signal(rustix::process::Signal::CONT);
    }

    /// Sends a command and returns the first part of the answer as it came.
    pub fn ask(&self, parts: &[&str]) -> String {
        self.try_ask(parts).expect("the engine answers")
    }

    fn try_ask(&self, parts: &[&str]) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let patience = Some(Duration::from_secs(5));
        stream.set_read_timeout(patience).ok()?;
        let mut command = format!("*{}\r\n", parts.len());
        for part in parts {
            command.push_str(&format!("${}\r\n{part}\r\n", part.len()));
        }
        stream.write_all(command.as_bytes()).ok()?;
        let mut answer = vec![0; 64 * 1024];
        let length = stream.read(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    fn wait(&self) {
        let up = || {
            let answer = self.try_ask(&["PING"])?;
            // One that wants a password says so when it is up.
            let signs = ["+PONG", "-NOAUTH"];
            let up = signs.iter().any(|sign| answer.starts_with(sign));
            up.then_some(())
        };
        until("the engine", up);
        for log in [
            "commandlog-request-larger-than",
            "commandlog-reply-larger-than",
        ] {
            // Valkey has these logs; an engine that does not know them has nothing to switch off.
            self.try_ask(&["CONFIG", "SET", log, "-1"]);
        }
    }
}

/// The program.
fn engine() -> PathBuf {
    let installed = ["/usr/bin/redis-server", "/usr/bin/valkey-server"];
    program("SECURE_MESSAGING_TEST_REDIS_SERVER", &installed)
}

fn run(folder: &TempDir, port: u16, settings: &[(String, String)], wipes: bool) -> Process {
    let mut command = Command::new(engine());
    let file = folder.path().join("engine.conf");
    if file.exists() {
        command.arg(file);
    }
    command.args(["--port", &port.to_string(), "--dir"]);
    command.arg(folder.path());
    for (name, value) in settings {
        command.arg(format!("--{name}")).arg(value);
    }
    if wipes {
        command.env("MALLOC_CONF", "junk:free");
    } else {
        command.env_remove("MALLOC_CONF");
    }
    Process::start(command.stdout(Stdio::null()).stdin(Stdio::null()))
}
