//! The suite over an S3-compatible store: moto, which the test command installs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use backup::{S3Options, Target};
use zeroize::Zeroizing;

use crate::conformance::conforms;
use crate::support::{Changing, key, source};

/// Where the command of moto is; the test command sets it.
const VARIABLE: &str = "SECURE_MESSAGING_TEST_MOTO";

/// A store of our own, ended when dropped.
struct Moto {
    process: Child,
    address: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The command that the variable names, or that the test command left in its folder of tools.
fn command() -> PathBuf {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return named.into();
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let tools = std::fs::read_dir(target.join("tools"));
    tools
        .into_iter()
        .flatten()
        .map(|folder| folder.unwrap().path().join("bin/moto_server"))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!(
                "there is no moto: use `cargo xtask test`, which fetches it, or name moto_server \
                 in {VARIABLE}"
            )
        })
}

impl Moto {
    /// Starts it on a free port of this machine.
    fn start() -> Self {
        let mut process = Command::new(command())
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("http://")?;
                Some(rest.trim().trim_end_matches('/').to_owned())
            })
            .expect("moto says where it listens");
        // It logs every request: an unread pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    /// One request; answers the status line. moto wants a name and does not check the signature.
    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let key = "Credential=testing/20260101/us-east-1/s3/aws4_request";
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\
             Authorization: AWS4-HMAC-SHA256 {key}, SignedHeaders=host, Signature=none\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    fn target(&self, address: &str) -> Target {
        let options = S3Options {
            endpoint: Some(format!("http://{}", self.address)),
            region: None,
            access_key_id: Some("testing".to_owned()),
            secret_access_key: Some(Zeroizing::new("testing".to_owned())),
            session_token: None,
            instance_role: false,
        };
        Target::open(address, &options).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_s3_compatible_store_conforms() {
    let moto = Moto::start();
    assert!(moto.ask("PUT", "/backups").contains("200"));
    let target = moto.target("s3://backups/a/server");
    conforms(&target, &|id| {
        let path = format!("/backups/a/server/{id}/manifest");
        assert!(moto.ask("DELETE", &path).contains("204"));
    })
    .await;
    // Another server's prefix in the same bucket is another target.
    let other = moto.target("s3://backups/a/server2");
    let found = backup::catalogue(&other, &key(1)).await.unwrap();
    assert!(found.backups.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bucket_that_does_not_exist_is_an_error_with_what_to_do() {
    let moto = Moto::start();
    let target = moto.target("s3://nowhere/at/all");
    let mut file = Changing::new(2);
    let path = file.path();
    let source = source(&path, 1_800_000_000);
    let progress = backup::Progress::default();
    let refused = backup::create(
        &target,
        &key(1),
        &source,
        backup::Wish::Full,
        &mut file.numbers,
        &progress,
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(
        refused.contains("nowhere") || refused.contains("target"),
        "{refused}"
    );
    assert!(
        !refused.contains("testing"),
        "the secret is not shown: {refused}"
    );
}
