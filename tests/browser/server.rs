//! The real binary with the real bundle, on a port and in a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use super::cdp::PATIENCE;
use crate::support::binary;

/// A running server; it ends with this value.
pub(super) struct Server {
    child: Child,
    log: Receiver<String>,
    folder: tempfile::TempDir,
    port: u16,
    settings: Vec<(&'static str, String)>,
    /// The one-time set-up link of this start, if nobody has used it yet.
    pub setup: Option<String>,
}

impl Server {
    /// Starts one with an empty data folder.
    pub(super) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with further settings from the environment.
    pub(super) fn with(settings: &[(&'static str, &str)]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let folder = tempfile::tempdir().expect("a folder");
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let (child, log) = spawn(&folder, port, &settings);
        let mut server = Self {
            child,
            log,
            folder,
            port,
            settings,
            setup: None,
        };
        server.wait();
        server
    }

    /// The address of a page.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Runs a subcommand beside it.
    pub(super) fn command(&self, arguments: &[&str]) {
        let output = binary()
            .args(arguments)
            .arg("--data-dir")
            .arg(self.folder.path())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("the command starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }

    /// Changes a record in the file, as somebody would who does not mind the triggers.
    pub(super) fn tamper_with_the_log(&self) {
        let path = self.folder.path().join("secure_messaging.db");
        let connection = rusqlite::Connection::open(path).expect("the database");
        connection
            .execute_batch(
                "DROP TRIGGER audit_log_keeps_records;
                 UPDATE audit_log SET timestamp = timestamp - 1 WHERE id = 2",
            )
            .expect("a change");
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Starts it again on the same port and data.
    pub(super) fn start_again(&mut self) {
        (self.child, self.log) = spawn(&self.folder, self.port, &self.settings);
        self.wait();
    }

    /// Kills it; what `restore` makes of the newest backup takes the place of its data.
    pub(super) fn put_back(&mut self, target: &str) {
        self.kill();
        let new = tempfile::tempdir().expect("a folder");
        let output = binary()
            .args(["restore", "--from", target, "--data-dir"])
            .arg(new.path())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("the command starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        // The key of the database is not in the backup.
        let name = "secure_messaging.key";
        std::fs::copy(self.folder.path().join(name), new.path().join(name)).expect("the key");
        self.folder = new;
    }

    /// Reads the log until the server listens and, when set-up is still to be done, names its link.
    fn wait(&mut self) {
        let end = Instant::now() + PATIENCE;
        let mut seen = String::new();
        self.setup = None;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self
                .log
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("the server did not start; its log:\n{seen}"));
            if let Some(at) = line.find("/setup#") {
                let secret = line[at + 7..].chars().take_while(char::is_ascii_hexdigit);
                self.setup = Some(format!("/setup#{}", secret.collect::<String>()));
            }
            seen.push_str(&line);
            seen.push('\n');
            let done = || self.get("/api/v1/server").contains("\"setup_done\":true");
            if seen.contains("listening") && (self.setup.is_some() || done()) {
                return;
            }
        }
    }

    /// What a path answers, head and all.
    fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
                self.port
            );
            let _ = stream.write_all(request.as_bytes());
            let _ = stream.read_to_string(&mut answer);
        }
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(
    folder: &tempfile::TempDir,
    port: u16,
    settings: &[(&'static str, String)],
) -> (Child, Receiver<String>) {
    let bundle = std::env::var_os("SECURE_MESSAGING_BUNDLE_DIR")
        .map_or_else(|| PathBuf::from("target/bundle"), PathBuf::from);
    assert!(
        bundle.join("manifest.json").is_file(),
        "there is no browser bundle in {}; run cargo xtask test",
        bundle.display()
    );
    let mut child = binary()
        .arg("serve")
        .args(["--data-dir", &folder.path().display().to_string()])
        .args(["--bind-addr", &format!("127.0.0.1:{port}")])
        .args(["--bundle-dir", &bundle.display().to_string()])
        .env_remove("DB_ENCRYPTION_KEY")
        .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let (lines, log) = mpsc::channel();
    for pipe in [
        child
            .stdout
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        child
            .stderr
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ]
    .into_iter()
    .flatten()
    {
        let lines = lines.clone();
        // Reads to the end, so that the server never waits for a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
    }
    (child, log)
}
