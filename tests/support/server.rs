//! The real binary on a data directory of its own, its log captured.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Account, BINARY, Client, binary};

/// How long a test waits for the server to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it is killed when this is dropped.
pub(crate) struct Spawned {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
}

impl Spawned {
    /// Starts the binary on a data directory and waits until it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts the binary with more variables in its environment.
    pub(crate) fn start_with(data: &Path, variables: &[(&str, &str)]) -> Self {
        let command = binary();
        Self::start_by(command, data, variables)
    }

    /// Starts the binary after a shell has run `first`, for instance to set limits.
    pub(crate) fn start_after(first: &str, data: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{first}\nexec \"$@\""))
            .arg("sh")
            .arg(BINARY);
        Self::start_by(command, data, variables)
    }

    /// Starts the binary on a port that a test keeps for it, as over a restart behind a proxy.
    pub(crate) fn start_on(port: u16, data: &Path, variables: &[(&str, &str)]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self::start_at(address, binary(), data, variables)
    }

    /// Starts a command that becomes the binary.
    pub(crate) fn start_by(command: Command, data: &Path, variables: &[(&str, &str)]) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_at(free, command, data, variables)
    }

    fn start_at(
        address: SocketAddr,
        mut command: Command,
        data: &Path,
        variables: &[(&str, &str)],
    ) -> Self {
        command
            .args(["serve", "--bind-addr", &address.to_string(), "--data-dir"])
            .arg(data)
            .current_dir(data)
            .env_remove("PUBLIC_URL")
            .env_remove("DATABASE_URL")
            .env("DB_ENCRYPTION_KEY", "a key of the tests")
            .env("SECURE_MESSAGING_METRICS_ADDR", "127.0.0.1:0")
            // The proofs look into the process, as an ordinary user where the tests run as one.
            .env("SECURE_MESSAGING_DUMPABLE", "1")
            .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
            .env("SECURE_MESSAGING_WORKERS", "1")
            .env("SECURE_MESSAGING_SIGN_INS_PER_MINUTE", "100000")
            .env("SECURE_MESSAGING_REGISTRATIONS_PER_HOUR", "100000")
            .env("SECURE_MESSAGING_LOOKUPS_PER_MINUTE", "100000")
            .env("SECURE_MESSAGING_CLAIMS_PER_MINUTE", "100000")
            .env("SECURE_MESSAGING_MESSAGES_PER_MINUTE", "1000000")
            .env("SECURE_MESSAGING_LINKS_PER_MINUTE", "100000")
            .env("SECURE_MESSAGING_VAULT_UNANSWERED_MESSAGES", "100000")
            .env("SECURE_MESSAGING_CHANGES_PER_HOUR", "100000")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (found, address) = channel();
        capture(child.stderr.take().unwrap(), &log, found);
        let (link, linked) = channel();
        capture(child.stdout.take().unwrap(), &log, link);
        drop(linked);
        let address = listening(&address).unwrap_or_else(|| {
            let _ = child.kill();
            panic!("the server did not start:\n{}", log.lock().unwrap())
        });
        Self {
            child,
            address,
            log,
        }
    }

    /// A client that is not signed in.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The measurements, which have an address of their own.
    pub(crate) async fn metrics(&self) -> String {
        let answer = Client::new(self.metrics_address()).get("/metrics").await;
        String::from_utf8(answer.expect(200).body.to_vec()).unwrap()
    }

    /// Where the measurements are read.
    pub(crate) fn metrics_address(&self) -> SocketAddr {
        let log = self.log();
        let (_, rest) = log.split_once("measurements can be read address=").unwrap();
        rest.lines().next().unwrap().trim().parse().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that was written to standard output and standard error until now.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The secret of the set-up link that was printed.
    pub(crate) fn setup_secret(&self) -> String {
        // The link is printed just after the address is logged, by another stream.
        for _ in 0..2_000 {
            if let Some((_, rest)) = self.log().split_once("/setup#")
                && let Some((secret, _)) = rest.split_once('\n')
            {
                return secret.trim().to_owned();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no set-up link was printed:\n{}", self.log());
    }

    /// The first administrator, after which registration is open.
    pub(crate) async fn administrator(&self) -> Account {
        let secret = self.setup_secret();
        let admin = Account::administrator(self.client(), &secret).await;
        admin.unwrap()
    }

    /// Ends the process by a signal and waits until it is gone.
    ///
    /// It is sent until then: the first SEGV only takes away the handler that looks for overflows of
    /// the stack.
    pub(crate) fn end_by(mut self, signal: rustix::process::Signal) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        loop {
            rustix::process::kill_process(pid, signal).unwrap();
            for _ in 0..50 {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }

    /// Whether the process is still there.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Kills the process as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to stop.
    pub(crate) fn ask_to_stop(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Asks the process to stop and waits until it has; returns what it wrote.
    pub(crate) fn stop(mut self) -> String {
        self.ask_to_stop();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}:\n{}", self.log());
        self.log()
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn capture(stream: impl Read + Send + 'static, log: &Arc<Mutex<String>>, lines: Sender<String>) {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            {
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
            let _ = lines.send(line);
        }
    });
}

fn listening(lines: &Receiver<String>) -> Option<SocketAddr> {
    loop {
        let line = lines.recv_timeout(PATIENCE).ok()?;
        if let Some((_, rest)) = line.split_once("listening address=") {
            return rest.trim().parse().ok();
        }
    }
}
