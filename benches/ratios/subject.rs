//! The real binary as the subject of a measurement, with two people who are signed in.

use std::io::{self, BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use api::RegistrationMode;
use api::bodies::RegistrationChoice;
use tempfile::TempDir;

use crate::door::Door;
use crate::load::call;
use crate::memory::resident;
use crate::people::{Person, body, register_one};

/// A running server and what its clients need.
pub(crate) struct Subject {
    process: Process,
    _data: TempDir,
    /// Where it listens, and how its links are opened.
    pub door: Door,
    /// The one who sends.
    pub sender: Person,
    /// The one who reads.
    pub reader: Person,
}

impl Subject {
    /// Starts the server with limits out of the way and registers two people.
    pub(crate) async fn start() -> io::Result<Self> {
        let data = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(env!("CARGO_BIN_EXE_secure-messaging"))
            .args(["serve", "--data-dir"])
            .arg(data.path())
            .args(["--bind-addr", &address.to_string()])
            .envs([
                ("SECURE_MESSAGING_LOG", "warn"),
                ("SECURE_MESSAGING_WORKERS", "2"),
                ("SECURE_MESSAGING_KDF_ITERATIONS", "100000"),
                ("SECURE_MESSAGING_MESSAGES_PER_MINUTE", "4000000000"),
                ("SECURE_MESSAGING_LINKS_PER_MINUTE", "4000000000"),
                ("SECURE_MESSAGING_CLAIMS_PER_MINUTE", "4000000000"),
                ("SECURE_MESSAGING_SIGN_INS_PER_MINUTE", "4000000000"),
                ("SECURE_MESSAGING_REGISTRATIONS_PER_HOUR", "4000000000"),
                ("SECURE_MESSAGING_SOCKETS_PER_SESSION", "10000"),
                ("SECURE_MESSAGING_VAULT_BYTES", "8589934592"),
                ("SECURE_MESSAGING_VAULT_ACCOUNT_BYTES", "8589934592"),
                ("SECURE_MESSAGING_VAULT_ACCOUNT_MESSAGES", "10000000"),
                ("SECURE_MESSAGING_VAULT_UNANSWERED_MESSAGES", "10000000"),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut process = Process(child);
        let link = setup_link(&mut process.0)?;
        let secret = link.rsplit('#').next().unwrap_or_default().to_owned();
        let sender = register_one(address, "sender", Some(&secret)).await?;
        let mode = RegistrationMode::Open;
        let open = body(&RegistrationChoice { mode });
        let path = "/api/v1/admin/registration";
        call(address, "PUT", path, &sender.cookies, &open).await?;
        let reader = register_one(address, "reader", None).await?;
        Ok(Self {
            process,
            _data: data,
            door: Door::ask(address).await?,
            sender,
            reader,
        })
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        resident(&[self.process.0.id()])
    }
}

/// A process that ends with this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn setup_link(child: &mut Child) -> io::Result<String> {
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut lines = BufReader::new(output).lines();
    for line in lines.by_ref() {
        let line = line?;
        if line.contains("/setup#")
            && let Some(at) = line.find("http")
        {
            let link = line[at..].to_owned();
            // Whatever else it prints must not fill the pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(link);
        }
    }
    Err(io::Error::other(
        "the server ended without printing its set-up link",
    ))
}

/// Lets the server settle: its memory is given back when it is idle.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_secs(8)).await;
}
