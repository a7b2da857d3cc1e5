//! A rolling restart of two instances behind HAProxy, over PostgreSQL and three engines, all by the files for
//! several instances.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::rt;
use rustls::pki_types::CertificateDer;
use servers::http::{Answer, HttpServer};
use servers::{Postgres, Valkey, free_port};
use tempfile::TempDir;

use super::through::{HOST, Proxy, certified, free_address};
use super::{program, setting, text};
use crate::operations::{run, stderr};
use crate::support::{
    Account, Client, Heard, Passphrase, Spawned, TestSocket, carrier, random_id, submission,
    trusting, waiting_slot,
};

const PASSPHRASE: Passphrase = Passphrase("signs in whichever instance stops");
/// The password of every role of a cluster of the tests.
const PASSWORD: &str = "a password of tests";
const COMPOSE: &str = "deployment/scale-out/compose.yaml";

/// What the instances share, made as the files say.
struct Shared {
    cluster: Postgres,
    engines: Vec<Valkey>,
    folder: TempDir,
}

impl Shared {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let secrets = folder.path().join("secrets");
        std::fs::create_dir(&secrets).unwrap();
        let users = "user default off\nuser server on >engines ~sm:* &sm:* +@all -@dangerous -monitor -debug \
                     +function|load +function|list +config|get +info +memory|malloc-stats\n";
        for (name, secret) in [
            ("valkey_users", users),
            ("database_owner_password", PASSWORD),
            ("database_password", PASSWORD),
        ] {
            std::fs::write(secrets.join(name), secret).unwrap();
        }
        readable_by_all(folder.path());
        // As the documentation of engines says it.
        let documented = text("docs/scale-out.md");
        let (_, rights) = users.trim().split_once(">engines ").unwrap();
        assert!(documented.contains(rights), "{rights}");

        let cluster = Postgres::start();
        let made = "CREATE DATABASE messaging ENCODING 'UTF8' TEMPLATE template0";
        cluster.psql("postgres", made).unwrap();
        let script = folder.path().join("postgres.sh");
        std::fs::write(&script, text("deployment/scale-out/postgres.sh")).unwrap();
        let place = secrets.to_str().unwrap();
        let variables = [("SECRETS", place), ("POSTGRES_DB", "messaging")];
        cluster.script(&script, &variables).unwrap();

        let file = text("deployment/scale-out/valkey.conf").replace("/run/secrets", place);
        let engines = (0..3).map(|_| Valkey::start_by(&file)).collect();
        Self {
            cluster,
            engines,
            folder,
        }
    }

    /// Migrates as the owner of the tables, and lets the other role serve.
    fn migrate(&self) {
        let owner = self.cluster.address_for("messaging_owner", "messaging");
        let command = ["migrate", "--grant", "messaging"];
        let data = self.folder.path();
        let output = run(data, &command, &[("DATABASE_URL", &owner)]);
        assert!(output.status.success(), "{}", stderr(&output));
    }

    fn instance(&self, number: u8, port: u16) -> Spawned {
        let nodes: Vec<String> = self
            .engines
            .iter()
            .map(|engine| format!("valkey://server:engines@127.0.0.1:{}", engine.port()))
            .collect();
        let data = self.folder.path().join(format!("data-{number}"));
        std::fs::create_dir_all(&data).unwrap();
        let drain = setting(COMPOSE, "SECURE_MESSAGING_DRAIN_SECS");
        let database = self.cluster.address_for("messaging", "messaging");
        let variables = [
            ("DATABASE_URL", &*database),
            ("VALKEY_URL", &*nodes.join(", ")),
            ("PUBLIC_URL", "https://chat.example.org"),
            ("SECURE_MESSAGING_TRUSTED_PROXIES", "[127.0.0.1]"),
            ("SECURE_MESSAGING_DRAIN_SECS", &*drain),
        ];
        Spawned::start_on(port, &data, &variables)
    }
}

/// Whoever the cluster runs as reads what the script reads.
fn readable_by_all(folder: &Path) {
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Starts HAProxy by its file, with these instances.
fn proxy(folder: &Path, ports: [u16; 2]) -> Option<(Proxy, SocketAddr, CertificateDer<'static>)> {
    let haproxy = program("haproxy")?;
    let (address, plain) = (free_address(), free_address());
    let certificate = certified(folder);
    let mut file = text("deployment/scale-out/haproxy.cfg");
    for (from, to) in [
        ("bind :8443 ssl", format!("bind {address} ssl")),
        ("bind :8080", format!("bind {plain}")),
        (
            "/run/secrets/tls_pem",
            folder.join("pair.pem").display().to_string(),
        ),
        ("172.31.252.11:8080", format!("127.0.0.1:{}", ports[0])),
        ("172.31.252.12:8080", format!("127.0.0.1:{}", ports[1])),
    ] {
        assert!(file.contains(from), "{from}");
        file = file.replace(from, &to);
    }
    let start = |file: &str| {
        std::fs::write(folder.join("haproxy.cfg"), file).unwrap();
        Proxy::start(&haproxy, &["-db", "-f", "haproxy.cfg"], folder, address)
    };
    // OpenSSL before 3.5 does not know the name; the file says so.
    let older = file.replace("X25519MLKEM768:", "");
    let proxy = start(&file).or_else(|_| start(&older)).unwrap();
    Some((proxy, address, certificate))
}

/// What went on through the proxy.
#[derive(Default)]
struct Went {
    over: AtomicBool,
    sign_ins: AtomicUsize,
    questions: AtomicUsize,
    messages: AtomicUsize,
    /// Codes with which the socket was closed.
    closed: Mutex<Vec<Option<u16>>>,
    failures: Mutex<Vec<String>>,
}

impl Went {
    fn failed(&self, what: String) {
        self.failures.lock().unwrap().push(what);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits until so many more sign-ins have come through.
    async fn sign_ins_more(&self, more: usize) {
        let wanted = self.sign_ins.load(Ordering::Relaxed) + more;
        let end = Instant::now() + Duration::from_secs(60);
        while self.sign_ins.load(Ordering::Relaxed) < wanted {
            assert!(Instant::now() < end, "sign-ins do not come through");
            rt::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Signs in again and again, each time by a connection of its own.
    async fn signs_in(self: Rc<Self>, address: SocketAddr) {
        while !self.is_over() {
            match Account::sign_in(reaching(address).tolerant(), "bob", PASSPHRASE).await {
                Ok(_) => _ = self.sign_ins.fetch_add(1, Ordering::Relaxed),
                Err(answer) => self.failed(format!("sign-in: {answer:?}")),
            }
        }
    }

    /// Asks again and again, over connections that stay open.
    async fn asks(self: Rc<Self>, client: Client) {
        let client = client.tolerant();
        while !self.is_over() {
            let answer = client.get("/api/v1/session").await;
            match answer.status.as_u16() {
                200 => _ = self.questions.fetch_add(1, Ordering::Relaxed),
                _ => self.failed(format!("question: {answer:?}")),
            }
            rt::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends messages over a socket, and opens another one at once where it is closed.
    async fn sends(self: Rc<Self>, client: Client, account: [u8; 16]) {
        while !self.is_over() {
            let (mut socket, _) = TestSocket::connect(&client).await;
            while !self.is_over() {
                let slots = vec![waiting_slot(account, b"slot")];
                let message = submission(random_id(), true, slots, b"body");
                let sent = socket.send(&message).await.is_ok();
                match sent_or_closed(&mut socket).await {
                    Ok(()) if sent => _ = self.messages.fetch_add(1, Ordering::Relaxed),
                    Ok(()) => self.failed("a message was not taken".to_owned()),
                    Err(code) => {
                        self.closed.lock().unwrap().push(code);
                        break;
                    }
                }
                rt::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Waits until the server has taken a message; an error is the code with which it closed instead.
async fn sent_or_closed(socket: &mut TestSocket) -> Result<(), Option<u16>> {
    loop {
        match socket.hear().await {
            Heard::Text(text) if text["t"] == "sent" => return Ok(()),
            Heard::Closed(code) => return Err(code),
            _ => {}
        }
    }
}

/// A client that has not signed in, through the proxy.
fn reaching(address: SocketAddr) -> Client {
    Client::new(address).reaching(format!("https://{HOST}"))
}

/// Sign-ins that an instance has begun to answer, by its own count; `None` where it is gone.
async fn begun_at(measured: &Client) -> Option<u64> {
    let answer = measured.get("/metrics").await;
    let text = String::from_utf8(answer.body.to_vec()).ok()?;
    let counted = "secure_messaging_request_duration_seconds_count{";
    let of = |line: &str| {
        let (labels, count) = line.strip_prefix(counted)?.split_once("} ")?;
        let route = labels.contains("route=\"/api/v1/session/start\"");
        route.then(|| count.trim().parse::<u64>().ok()).flatten()
    };
    answer
        .status
        .is_success()
        .then(|| text.lines().filter_map(of).sum())
}

/// Stops an instance; nothing new comes to it some seconds after it was asked.
async fn stops(instance: Spawned) -> String {
    let measured = Client::new(instance.metrics_address()).tolerant();
    let asked = Instant::now();
    let stopped = rt::task::spawn_blocking(move || instance.stop());
    let mut seen = Vec::new();
    while let Some(begun) = begun_at(&measured).await {
        seen.push((asked.elapsed(), begun));
        rt::time::sleep(Duration::from_millis(50)).await;
    }
    // HAProxy asks each second, and decides by two answers.
    let heard = Duration::from_secs(4);
    let later: Vec<u64> = seen
        .iter()
        .filter(|(at, _)| *at > heard)
        .map(|(_, begun)| *begun)
        .collect();
    assert!(later.len() > 10, "the control: {seen:?}");
    assert_eq!(later.first(), later.last(), "{seen:?}");
    stopped.await.unwrap()
}

#[actix_web::test]
async fn two_instances_behind_haproxy_are_restarted_one_after_the_other_and_no_request_fails() {
    let shared = Arc::new(Shared::new());
    shared.migrate();
    let ports = [free_port(), free_port()];
    let Some((_proxy, through, certificate)) = proxy(shared.folder.path(), ports) else {
        return;
    };
    let one = shared.instance(1, ports[0]);
    let two = shared.instance(2, ports[1]);
    let address = carrier(through, HOST, trusting(&certificate));
    let alice = one.administrator().await;
    // Of an account's sessions the oldest make room for new ones: whoever signs in is somebody else.
    Account::register_with(one.client(), "bob", None, PASSPHRASE)
        .await
        .unwrap();
    // The proxy's own rules, with the addresses that stand in its file.
    reaching(address).get("/metrics").await.expect(404);

    let went = Rc::new(Went::default());
    let mut tasks: Vec<_> = (0..2)
        .map(|_| rt::spawn(Rc::clone(&went).signs_in(address)))
        .collect();
    let client = || {
        let client = alice.client.with_cookie_of(address);
        client.reaching(format!("https://{HOST}"))
    };
    tasks.push(rt::spawn(Rc::clone(&went).asks(client())));
    tasks.push(rt::spawn(Rc::clone(&went).sends(client(), alice.id())));
    went.sign_ins_more(6).await;
    for instance in [&one, &two] {
        let measured = Client::new(instance.metrics_address());
        assert!(begun_at(&measured).await.unwrap() > 0, "both serve");
    }

    stops(one).await;
    went.sign_ins_more(6).await;
    let one = restart(&shared, 1, ports[0]).await;
    // It serves again before the other one stops.
    let measured = Client::new(one.metrics_address());
    let end = Instant::now() + Duration::from_secs(60);
    while begun_at(&measured).await == Some(0) {
        assert!(Instant::now() < end, "nobody comes to it");
        rt::time::sleep(Duration::from_millis(50)).await;
    }
    stops(two).await;
    went.sign_ins_more(6).await;
    let two = restart(&shared, 2, ports[1]).await;
    went.sign_ins_more(6).await;

    went.over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let failures = went.failures.lock().unwrap().clone();
    assert_eq!(failures, Vec::<String>::new());
    let closed = went.closed.lock().unwrap().clone();
    assert!(
        !closed.is_empty() && closed.iter().all(|code| *code == Some(4503)),
        "{closed:?}"
    );
    for count in [&went.sign_ins, &went.questions, &went.messages] {
        let count = count.load(Ordering::Relaxed);
        assert!(count > 30, "the control: {count}");
    }
    for instance in [one, two] {
        assert!(!instance.log().contains(PASSWORD), "the log has a password");
    }
}

/// What stands for an instance of a version: it has one file, and counts what it is asked.
fn version(file: &'static str, asked: &Arc<AtomicUsize>) -> HttpServer {
    let asked = Arc::clone(asked);
    HttpServer::start(move |request| {
        let status = match request.path.as_str() {
            "/health/ready" => 200,
            path if path == file => 200,
            _ => {
                asked.fetch_add(1, Ordering::Relaxed);
                404
            }
        };
        let body = Vec::new();
        Some(Answer { status, body })
    })
}

#[actix_web::test]
async fn a_file_that_one_version_has_is_found_whoever_is_asked_first_and_nothing_else_is_asked_twice()
 {
    let folder = TempDir::new().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let versions = ["/static/old.js", "/static/new.js"].map(|file| version(file, &asked));
    let ports = [0, 1].map(|number: usize| versions[number].address().port());
    let Some((_proxy, through, certificate)) = proxy(folder.path(), ports) else {
        return;
    };
    let client = reaching(carrier(through, HOST, trusting(&certificate)));
    for file in ["/static/old.js", "/static/new.js"] {
        for _ in 0..10 {
            client.get(file).await.expect(200);
        }
    }
    assert!(asked.load(Ordering::Relaxed) > 0, "the control");
    client.get("/static/none.js").await.expect(404);
    for path in ["/api/v1/session", "/static/none.js"] {
        let before = asked.load(Ordering::Relaxed);
        client.post_empty(path).await.expect(404);
        assert_eq!(asked.load(Ordering::Relaxed), before + 1, "{path}");
    }
    let before = asked.load(Ordering::Relaxed);
    client.get("/api/v1/session").await.expect(404);
    assert_eq!(asked.load(Ordering::Relaxed), before + 1);
}

/// Starts an instance again beside what goes on.
async fn restart(shared: &Arc<Shared>, number: u8, port: u16) -> Spawned {
    let shared = Arc::clone(shared);
    let started = rt::task::spawn_blocking(move || shared.instance(number, port));
    started.await.unwrap()
}
