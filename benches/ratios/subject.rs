//! The real binary, once or several times, as the subject of a measurement, with two people who are signed in.

use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use api::RegistrationMode;
use api::bodies::RegistrationChoice;
use servers::{Postgres, Valkey};
use tempfile::TempDir;

use crate::door::Door;
use crate::load::call;
use crate::memory::resident;
use crate::people::{Person, body, register_one};

/// The key of databases that several servers share.
pub(crate) const KEY: &str = "a key for benchmarks";

/// What a server keeps its data in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// One server with a file of SQLite, and messages in its own memory.
    Embedded,
    /// So many servers over one PostgreSQL and one Redis or Valkey.
    Instances(usize),
}

/// Running servers and what their clients need.
pub(crate) struct Subject {
    processes: Vec<Process>,
    _data: Vec<TempDir>,
    _engines: Option<Engines>,
    doors: Vec<Door>,
    /// The one who sends, who is the administrator.
    pub sender: Person,
    /// The one who reads.
    pub reader: Person,
}

impl Subject {
    /// Starts one server that needs no other.
    pub(crate) async fn start() -> io::Result<Self> {
        Self::start_as(Kind::Embedded).await
    }

    /// Starts servers.
    pub(crate) async fn start_as(kind: Kind) -> io::Result<Self> {
        match kind {
            Kind::Embedded => Self::start_over(None, 1).await,
            Kind::Instances(count) => Self::start_over(Some(Engines::start()), count).await,
        }
    }

    /// Starts servers with limits out of the way and registers two people.
    pub(crate) async fn start_over(engines: Option<Engines>, count: usize) -> io::Result<Self> {
        let (mut data, mut processes, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        let mut secret = String::new();
        for _ in 0..count {
            let folder = tempfile::tempdir()?;
            let (process, links, address) = run(folder.path(), engines.as_ref())?;
            data.push(folder);
            processes.push(process);
            addresses.push(address);
            if secret.is_empty() {
                // The first makes the database, and its link is as good as the others'.
                ready(address).await?;
                secret = setup_secret(&links)?;
            }
        }
        for address in &addresses {
            ready(*address).await?;
        }
        let address = addresses[0];
        let sender = register_one(address, "sender", Some(&secret)).await?;
        let mode = RegistrationMode::Open;
        let open = body(&RegistrationChoice { mode });
        let path = "/api/v1/admin/registration";
        call(address, "PUT", path, &sender.cookies, &open).await?;
        if count > 1 {
            // The others follow within a second.
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        let reader = register_one(address, "reader", None).await?;
        let mut doors = Vec::with_capacity(count);
        for address in addresses {
            doors.push(Door::ask(address).await?);
        }
        Ok(Self {
            processes,
            _data: data,
            _engines: engines,
            doors,
            sender,
            reader,
        })
    }

    /// Where the servers listen.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.iter().map(|door| door.address).collect()
    }

    /// How links are opened at a server; numbers beyond the last begin again.
    pub(crate) fn door(&self, number: usize) -> &Door {
        &self.doors[number % self.doors.len()]
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let ids: Vec<u32> = self.processes.iter().map(|it| it.0.id()).collect();
        resident(&ids)
    }
}

/// The database and the plane that several servers share.
pub(crate) struct Engines {
    /// A cluster with the database.
    _postgres: Postgres,
    /// The address of the database for the role that owns it.
    pub database: String,
    valkey: Valkey,
}

impl Engines {
    /// Starts both; they end with this value.
    pub(crate) fn start() -> Self {
        let postgres = Postgres::start();
        let database = postgres.database("community");
        Self {
            _postgres: postgres,
            database,
            valkey: Valkey::start_with(&[("maxmemory", "4gb")], true),
        }
    }
}

/// A server that ends with this value.
struct Process(Child);

/// The secret of the link that a server prints.
fn setup_secret(links: &Receiver<String>) -> io::Result<String> {
    let link = links.recv_timeout(Duration::from_secs(30));
    let link = link.map_err(|_| io::Error::other("no set-up link was printed"))?;
    Ok(link.rsplit('#').next().unwrap_or_default().to_owned())
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(
    data: &Path,
    engines: Option<&Engines>,
) -> io::Result<(Process, Receiver<String>, SocketAddr)> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_secure-messaging"));
    command
        .args(["serve", "--data-dir"])
        .arg(data)
        .args(["--bind-addr", &address.to_string()])
        .envs([
            ("SECURE_MESSAGING_LOG", "warn"),
            ("SECURE_MESSAGING_WORKERS", "2"),
            ("SECURE_MESSAGING_KDF_ITERATIONS", "100000"),
            ("SECURE_MESSAGING_MESSAGES_PER_MINUTE", "4000000000"),
            ("SECURE_MESSAGING_LINKS_PER_MINUTE", "4000000000"),
            ("SECURE_MESSAGING_CLAIMS_PER_MINUTE", "4000000000"),
            ("SECURE_MESSAGING_LOOKUPS_PER_MINUTE", "4000000000"),
            ("SECURE_MESSAGING_SIGN_INS_PER_MINUTE", "4000000000"),
            ("SECURE_MESSAGING_REGISTRATIONS_PER_HOUR", "4000000000"),
            ("SECURE_MESSAGING_SOCKETS_PER_SESSION", "10000"),
            ("SECURE_MESSAGING_VAULT_BYTES", "8589934592"),
            ("SECURE_MESSAGING_VAULT_ACCOUNT_BYTES", "8589934592"),
            ("SECURE_MESSAGING_VAULT_ACCOUNT_MESSAGES", "10000000"),
            ("SECURE_MESSAGING_VAULT_UNANSWERED_MESSAGES", "10000000"),
        ])
        .stdout(Stdio::piped())
        .stderr(log()?);
    if let Some(engines) = engines {
        command
            .env("DB_ENCRYPTION_KEY", KEY)
            .env("DATABASE_URL", &engines.database)
            .env("VALKEY_URL", engines.valkey.url())
            .env("SECURE_MESSAGING_VAULT_BYTES", "2147483648")
            .env("SECURE_MESSAGING_VAULT_ACCOUNT_BYTES", "2147483648");
    }
    let mut child = command.spawn()?;
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (found, links) = channel();
    // Whatever else it prints must not fill the pipe.
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line.contains("/setup#")
                && let Some(at) = line.find("http")
            {
                let _ = found.send(line[at..].to_owned());
            }
        }
    });
    Ok((Process(child), links, address))
}

/// Where servers' logs go: to the file that a variable names, or nowhere.
fn log() -> io::Result<Stdio> {
    let Some(file) = std::env::var_os("BENCH_SERVER_LOG") else {
        return Ok(Stdio::null());
    };
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(file)?;
    Ok(log.into())
}

/// Waits until a server is ready.
async fn ready(address: SocketAddr) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match call(address, "GET", "/health/ready", "", b"").await {
            Ok(_) => return Ok(()),
            Err(error) if begun.elapsed() > Duration::from_secs(60) => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Lets the server settle: its memory is given back when it is idle.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_secs(8)).await;
}
