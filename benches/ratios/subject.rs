//! The real binary as the subject of a measurement, with two people who are signed in.

use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use api::RegistrationMode;
use api::bodies::{CurrentSession, RegistrationChoice};
use headless::Headless;
use protocol::ids::UserId;
use tempfile::TempDir;

use crate::memory::resident;

/// A running server and what its clients need.
pub(crate) struct Subject {
    child: Child,
    _data: TempDir,
    /// Where it listens.
    pub address: SocketAddr,
    /// `Cookie` header of the one who sends.
    pub sender: String,
    /// `Cookie` header of the one who reads.
    pub reader: String,
    /// The reader's account.
    pub reader_id: UserId,
}

impl Subject {
    /// Starts the server with limits out of the way and registers two people.
    pub(crate) async fn start() -> io::Result<Self> {
        let data = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut child = Command::new(env!("CARGO_BIN_EXE_secure-messaging"))
            .args(["serve", "--data-dir"])
            .arg(data.path())
            .args(["--bind-addr", &address.to_string()])
            .envs([
                ("SECURE_MESSAGING_LOG", "warn"),
                ("SECURE_MESSAGING_WORKERS", "2"),
                ("SECURE_MESSAGING_KDF_ITERATIONS", "100000"),
                ("SECURE_MESSAGING_MESSAGES_PER_MINUTE", "4000000000"),
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
        let link = setup_link(&mut child)?;
        let secret = link.rsplit('#').next().unwrap_or_default().to_owned();
        let base = format!("http://{address}");
        let mut admin = Headless::connect(&base).await.map_err(io::Error::other)?;
        admin
            .register("sender", PASSPHRASE, Some(&secret), None)
            .await
            .map_err(io::Error::other)?;
        let mode = RegistrationMode::Open;
        single(&admin)?
            .put("/api/v1/admin/registration", &RegistrationChoice { mode })
            .await
            .map_err(io::Error::other)?;
        let mut reader = Headless::connect(&base).await.map_err(io::Error::other)?;
        reader
            .register("reader", PASSPHRASE, None, None)
            .await
            .map_err(io::Error::other)?;
        let session: CurrentSession = single(&reader)?
            .get("/api/v1/session")
            .await
            .map_err(io::Error::other)?;
        let reader_id = session.user_id;
        let cookie = |client: &Headless| client.profile().cookie_header().unwrap_or_default();
        // Neither client stays: its own socket would be told of every message.
        let (sender, reader) = {
            let cookies = (cookie(&admin), cookie(&reader));
            drop((admin, reader));
            cookies
        };
        Ok(Self {
            child,
            _data: data,
            address,
            sender,
            reader,
            reader_id,
        })
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        resident(&[self.child.id()])
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The passphrase of everybody.
pub(crate) const PASSPHRASE: &str = "granite otter velvet mosaic turbine lantern";

fn single(client: &Headless) -> io::Result<headless::Api> {
    headless::Api::with_profile(client.base_url(), client.profile().clone())
        .map_err(io::Error::other)
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
