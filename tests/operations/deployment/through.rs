//! Requests through the proxies, started with their examples.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use protocol::envelope::Parcel;
use protocol::link::MAX_PAYLOAD;
use rustls::NamedGroup;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{program, text};
use crate::support::memory_scan::Markers;
use crate::support::{
    Account, Client, Spawned, TestSocket, b64, carrier, random_id, submission, trusting,
    waiting_slot,
};

pub(super) const HOST: &str = "chat.example.org";
const PATIENCE: Duration = Duration::from_secs(30);

/// Messages that pass through a proxy.
const PASSED: usize = 40;

/// The server, and what a proxy before it needs.
struct Stage {
    folder: TempDir,
    server: Spawned,
    /// Where the proxy is to listen.
    address: SocketAddr,
    certificate: CertificateDer<'static>,
}

/// A proxy; it ends with this value.
pub(super) struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Proxy {
    /// Starts a proxy in a folder and waits until it listens; an error where it refuses what it is given.
    pub(super) fn start(
        program: &Path,
        arguments: &[&str],
        folder: &Path,
        address: SocketAddr,
    ) -> Result<Self, String> {
        let log = folder.join("proxy.log");
        let file = std::fs::File::create(&log).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut proxy = Self(child);
        let end = Instant::now() + PATIENCE;
        loop {
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(proxy);
            }
            let said = || std::fs::read_to_string(&log).unwrap_or_default();
            if proxy.0.try_wait().unwrap().is_some() {
                return Err(said());
            }
            assert!(Instant::now() < end, "it does not listen: {}", said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// An address at which nobody listens at this moment.
pub(super) fn free_address() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap()
}

/// Makes a certificate for the name that people type, in the files `fullchain.pem`, `key.pem` and `pair.pem`.
pub(super) fn certified(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
    let key = made.signing_key.serialize_pem();
    let pair = made.cert.pem() + &key;
    for (name, text) in [
        ("fullchain.pem", made.cert.pem()),
        ("key.pem", key),
        ("pair.pem", pair),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    made.cert.der().clone()
}

impl Stage {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let variables = [
            ("PUBLIC_URL", "https://chat.example.org"),
            ("SECURE_MESSAGING_TRUSTED_PROXIES", "[127.0.0.1]"),
        ];
        let server = Spawned::start_with(&data, &variables);
        Self {
            address: free_address(),
            certificate: certified(folder.path()),
            folder,
            server,
        }
    }

    fn place(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// An example with the places of this stage in it.
    fn example(&self, name: &str, changes: &[(&str, &str)]) -> String {
        let mut example = text(&format!("deployment/{name}"));
        let server = self.server.address.to_string();
        for (from, to) in changes.iter().chain(&[("127.0.0.1:8080", &*server)]) {
            assert!(example.contains(from), "{name}: {from}");
            example = example.replace(from, to);
        }
        example
    }

    /// Starts a proxy and waits until it listens; `None` where it refuses what it is given.
    fn start(&self, program: &Path, arguments: &[&str]) -> Result<Proxy, String> {
        Proxy::start(program, arguments, self.folder.path(), self.address)
    }

    /// One request; the answer and the group of the key exchange.
    async fn ask(&self, request: &[u8]) -> (String, NamedGroup) {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let stream = trusting(&self.certificate)
            .connect(ServerName::try_from(HOST).unwrap(), stream)
            .await
            .unwrap();
        let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
        let group = group.name();
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut answer = Vec::new();
        // A body that is refused is not taken to its end, and how the other side ends does not matter.
        let written = async { writer.write_all(request).await.is_ok() };
        let _ = tokio::join!(written, reader.read_to_end(&mut answer));
        (String::from_utf8_lossy(&answer).into_owned(), group)
    }

    async fn get(&self, path: &str) -> (String, NamedGroup) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
        self.ask(request.as_bytes()).await
    }

    /// What must be so behind every proxy; returns the group of the key exchange.
    async fn holds(&self) -> NamedGroup {
        let (live, group) = self.get("/health/live").await;
        assert!(live.starts_with("HTTP/1.1 200"), "{live}");
        // The server's own headers come through, once each.
        let head = live.to_lowercase();
        for header in ["strict-transport-security:", "content-security-policy:"] {
            assert_eq!(head.matches(header).count(), 1, "{header} {live}");
        }
        assert!(!head.contains("content-encoding"), "{live}");
        let (metrics, _) = self.get("/metrics").await;
        assert!(metrics.starts_with("HTTP/1.1 404"), "{metrics}");
        assert!(!metrics.contains("secure_messaging_"), "{metrics}");
        let direct = self.server.metrics().await;
        assert!(direct.contains("secure_messaging_"), "the control");
        // A body above the server's own bound is refused by the server, not by the proxy.
        let body = vec![b'x'; 3 << 20];
        let mut request = format!(
            "POST /api/v1/messages/sealed/00 HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\
             origin: https://{HOST}\r\ncontent-type: application/octet-stream\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend(body);
        let (refused, _) = self.ask(&request).await;
        assert!(refused.contains("application/problem+json"), "{refused}");
        group
    }

    /// Passes messages through a proxy and finds none of them in its memory, although it finds what went
    /// through beside the link.
    async fn keeps_nothing(&self, proxy: &Proxy) {
        let (through, beside) = (Markers::new(PASSED), Markers::new(PASSED));
        let address = carrier(self.address, HOST, trusting(&self.certificate));
        let client = Client::new(address).reaching(format!("https://{HOST}"));
        let secret = self.server.setup_secret();
        let right = Some(("setup", secret.as_str()));
        let alice = Account::register(client, "alice", right).await.unwrap();
        let (mut socket, _) = TestSocket::connect(&alice.client).await;
        for index in 0..PASSED {
            // Every second one goes under a ticket.
            let length = if index.is_multiple_of(2) {
                1_024
            } else {
                40_000
            };
            let id = random_id();
            let slots = vec![waiting_slot(alice.id(), &through.content(index, 512))];
            let message = submission(id, true, slots, &through.content(index, length));
            match message.len() > MAX_PAYLOAD {
                true => assert!(socket.send_large(&alice.client, &message).await),
                false => socket.send_binary(message).await,
            }
            socket.text_of("sent").await;
            let id = hex::encode(id);
            socket.say(json!({"t": "claim", "id": id})).await;
            let parcel = socket.parcel(&alice.client).await;
            let parcel = Parcel::decode(&parcel).unwrap();
            assert!(parcel.body == through.content(index, length));
            let token = b64(&parcel.token);
            socket
                .say(json!({"t": "ack", "id": id, "token": token}))
                .await;
            socket.text_of("acked").await;
            let body = beside.content(index, 4_096);
            let unsealed = alice.client.post_octets("/api/v1/messages/sealed/00", body);
            unsealed.await.expect(404);
        }
        let found = beside.in_process(proxy.0.id());
        assert!(found.hits() > 0, "the control: {found:?}");
        let found = through.in_process(proxy.0.id());
        assert_eq!(found.hits(), 0, "{found:?}");
    }
}

#[actix_web::test]
async fn caddy_serves_with_its_example_and_agrees_on_a_post_quantum_key() {
    let Some(caddy) = program("caddy") else {
        return;
    };
    let stage = Stage::new();
    let (place, port) = (stage.place(), stage.address.port());
    let site = format!("https://{HOST}:{port} {{\n\tbind 127.0.0.1");
    let tls = format!("tls {place}/fullchain.pem {place}/key.pem {{");
    let example = stage.example(
        "Caddyfile",
        &[
            // No other port, no door for operators.
            (
                "{\n\t# Caddy keeps",
                "{\n\tadmin off\n\tauto_https off\n\t# Caddy keeps",
            ),
            ("chat.example.org {", &site),
            ("tls {", &tls),
        ],
    );
    std::fs::write(stage.folder.path().join("Caddyfile"), example).unwrap();
    let run = ["run", "--adapter", "caddyfile", "--config", "Caddyfile"];
    let proxy = stage.start(&caddy, &run).unwrap();
    assert_eq!(stage.holds().await, NamedGroup::X25519MLKEM768);
    drop(proxy);
}

#[actix_web::test]
async fn haproxy_serves_with_its_example_and_keeps_nothing_of_messages() {
    let Some(haproxy) = program("haproxy") else {
        return;
    };
    let stage = Stage::new();
    let bind = format!("bind {} ssl", stage.address);
    let pair = format!("{}/pair.pem", stage.place());
    let example = stage.example(
        "haproxy.cfg",
        &[
            ("bind :443 ssl", &bind),
            ("    bind :80\n", ""),
            ("/etc/haproxy/chat.example.org.pem", &pair),
        ],
    );
    let path = stage.folder.path().join("haproxy.cfg");
    let start = |example: &str| {
        std::fs::write(&path, example).unwrap();
        stage.start(&haproxy, &["-db", "-f", "haproxy.cfg"])
    };
    // OpenSSL before 3.5 does not know the name; the file says so.
    let older = example.replace("X25519MLKEM768:", "");
    let proxy = start(&example).or_else(|_| start(&older)).unwrap();
    stage.holds().await;
    stage.keeps_nothing(&proxy).await;
    drop(proxy);
}

#[actix_web::test]
async fn nginx_serves_with_its_example_and_keeps_nothing_of_messages() {
    let Some(nginx) = program("nginx") else {
        return;
    };
    let stage = Stage::new();
    let place = stage.place().to_owned();
    let listen = format!("listen {} ssl;", stage.address);
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let redirect = format!("listen {};", plain.local_addr().unwrap());
    drop(plain);
    let key = format!("{place}/key.pem");
    let example = stage.example(
        "nginx.conf",
        &[
            ("listen 80;", &redirect),
            ("listen [::]:80;", ""),
            ("listen 443 ssl;", &listen),
            ("listen [::]:443 ssl;", ""),
            ("/etc/ssl/chat.example.org", &place),
            ("/etc/ssl/private/chat.example.org.pem", &key),
            ("/var/log/nginx", &place),
        ],
    );
    let path = stage.folder.path().join("nginx.conf");
    let start = |example: &str| {
        let whole = format!(
            "daemon off; master_process off; pid {place}/nginx.pid; error_log {place}/error.log;\n\
             events {{}}\nhttp {{\n\
             client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;\n\
             fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n\
             {example}\n}}\n"
        );
        std::fs::write(&path, whole).unwrap();
        stage.start(&nginx, &["-c", path.to_str().unwrap()])
    };
    // OpenSSL before 3.5 does not know the name; the file says so.
    let older = example.replace("X25519MLKEM768:", "");
    let proxy = start(&example).or_else(|_| start(&older)).unwrap();
    stage.holds().await;
    stage.keeps_nothing(&proxy).await;
    drop(proxy);
    // Nothing of a body reached a file.
    for name in ["body", "proxy"] {
        let files = std::fs::read_dir(Path::new(&place).join(name)).unwrap();
        assert_eq!(files.count(), 0, "{name}");
    }
}
