//! `healthcheck`, and what the service manager hears.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use keyring::testing::softhsm::{SoftHsm, with_token};
use tempfile::TempDir;

use super::{logged, refused, run, stderr, stdout};
use crate::support::{Account, Answer, Client, Passphrase, Spawned, TestSocket};

const PASSPHRASE: Passphrase = Passphrase("signs in when the keys are back");

#[test]
fn a_running_server_is_ready_and_a_stopped_one_is_not() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let address = server.address.to_string();
    let ready = run(data.path(), &["healthcheck", "--bind-addr", &address], &[]);
    assert!(ready.status.success(), "{}", stderr(&ready));
    assert_eq!(stdout(&ready), "ready\n");
    server.stop();
    let reason = refused(data.path(), &["healthcheck", "--bind-addr", &address]);
    assert!(reason.contains("start the server"), "{reason}");
}

#[actix_web::test]
async fn a_server_that_was_asked_to_stop_serves_on_until_its_time_is_over_or_it_is_asked_again() {
    let data = TempDir::new().unwrap();
    let drain = [("SECURE_MESSAGING_DRAIN_SECS", "600")];
    let mut server = Spawned::start_with(data.path(), &drain);
    let admin = server.administrator().await;
    let shown = |text: &str, value| text.contains(&format!("secure_messaging_draining {value}\n"));
    assert!(shown(&server.metrics().await, 0));
    server.client().get("/health/ready").await.expect(200);
    server.ask_to_stop();
    logged(&server, "not ready from now on");
    let refused = server.client().get("/health/ready").await.expect(503);
    assert_eq!(refused.code(), "not-ready");
    let document = refused.json();
    assert_eq!(document["detail"], "The server stops; ask another one.");
    assert_eq!(document["database"], "ok");
    server.client().get("/health/live").await.expect(200);
    admin.client.get("/api/v1/session").await.expect(200);
    let (_socket, _) = TestSocket::connect(&admin.client).await;
    assert!(shown(&server.metrics().await, 1));
    assert!(server.lives());
    let log = server.stop();
    assert!(log.contains("shutting down"), "{log}");
}

/// The environment of a server whose keys are in a token.
fn in_a_token(hsm: &SoftHsm) -> Vec<(String, String)> {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let ours = [
        ("SECURE_MESSAGING_KEK_PROVIDER", "pkcs11".to_owned()),
        ("SECURE_MESSAGING_PKCS11_MODULE", text(hsm.module())),
        ("SECURE_MESSAGING_PKCS11_TOKEN", SoftHsm::LABEL.to_owned()),
        ("PKCS11_PIN", SoftHsm::PIN.to_owned()),
        // What is remembered would bridge the outage.
        ("SECURE_MESSAGING_PKCS11_CACHE_SECS", "0".to_owned()),
    ];
    let theirs = hsm.environment().into_iter();
    let theirs = theirs.map(|(name, path)| (name, text(&path)));
    let all = ours.into_iter().chain(theirs);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Asks until the answer has this status: one is kept for some seconds.
pub(super) async fn asked_until(client: &Client, status: u16) -> Answer {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = client.get("/health/ready").await;
        if answer.status == status {
            return answer;
        }
        assert!(Instant::now() < end, "it stays {}", answer.status);
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn away_and_back(hsm: &SoftHsm) {
    let data = TempDir::new().unwrap();
    let variables = in_a_token(hsm);
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let server = Spawned::start_with(data.path(), &variables);
    let client = server.client();
    let secret = server.setup_secret();
    let right = Some(("setup", secret.as_str()));
    let admin = Account::register_with(server.client(), "admin", right, PASSPHRASE).await;
    let admin = admin.unwrap();
    let ready = client.get("/health/ready").await.expect(200).json();
    assert_eq!(ready["keys"], "ok", "the control");

    let away = hsm.tokens().with_extension("away");
    std::fs::rename(hsm.tokens(), &away).unwrap();
    let refused = asked_until(&client, 503).await;
    assert_eq!(refused.code(), "not-ready");
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert!(refused.headers.contains_key("retry-after"));
    let document = refused.json();
    assert_eq!(document["keys"], "failed");
    assert_eq!(document["database"], "ok");
    // The log has the cause, and whoever asks has not.
    let said = String::from_utf8(refused.body.to_vec()).unwrap();
    for word in ["CKR_", "token", SoftHsm::LABEL, "pkcs11"] {
        assert!(!said.contains(word), "{word}: {said}");
    }
    let line = logged(&server, "the keys cannot be used");
    assert!(line.contains(SoftHsm::LABEL), "{line}");
    let address = server.address.to_string();
    let arguments = ["healthcheck", "--bind-addr", &address];
    let output = run(data.path(), &arguments, &variables);
    assert_eq!(output.status.code(), Some(1));
    let reason = stderr(&output);
    assert!(reason.contains("The keys cannot be used."), "{reason}");
    // However often somebody asks, the token is asked once in some seconds.
    let causes = || server.log().matches("the keys cannot be used").count();
    let before = causes();
    for _ in 0..200 {
        client.get("/health/ready").await.expect(503);
    }
    assert!(causes() <= before + 2, "{} of 200", causes() - before);

    // Whatever needs a key says so with the seconds to wait, and nothing is called damaged.
    let signing_in = Account::sign_in(server.client(), "admin", PASSPHRASE).await;
    let Err(signing_in) = signing_in else {
        panic!("somebody signed in without the keys")
    };
    without_keys("sign-in", *signing_in);
    for path in [
        "/api/v1/session",
        "/api/v1/sessions",
        "/api/v1/safe",
        "/api/v1/admin/users",
        "/api/v1/admin/audit",
    ] {
        without_keys(path, admin.client.get(path).await);
    }
    assert!(!server.log().contains("damaged"), "{}", server.log());
    admin.client.get("/health/live").await.expect(200);

    // It comes back, and needs no restart.
    std::fs::rename(&away, hsm.tokens()).unwrap();
    asked_until(&client, 200).await;
    for path in ["/api/v1/session", "/api/v1/safe", "/api/v1/admin/audit"] {
        admin.client.get(path).await.expect(200);
    }
    let again = Account::sign_in(server.client(), "admin", PASSPHRASE).await;
    assert_eq!(again.unwrap().role, "admin");
}

/// 503 with words and the seconds to wait.
pub(super) fn without_keys(what: &str, answer: Answer) {
    assert_eq!(answer.status, 503, "{what}: {answer:?}");
    assert_eq!(answer.code(), "key-provider-unreachable", "{what}");
    let seconds = answer.headers["retry-after"].to_str().unwrap().to_owned();
    let document = answer.json();
    assert_eq!(document["retry_after"].to_string(), seconds, "{what}");
    assert!(!document["detail"].as_str().unwrap().is_empty(), "{what}");
}

#[test]
fn a_server_whose_keys_are_out_of_reach_is_not_ready() {
    with_token(|hsm| actix_web::rt::System::new().block_on(away_and_back(hsm)));
}

#[test]
fn a_server_that_speaks_tls_is_asked_over_tls() {
    let data = TempDir::new().unwrap();
    let name = vec!["chat.example.org".to_owned()];
    let made = rcgen::generate_simple_self_signed(name).unwrap();
    let (certificate, key) = (data.path().join("cert.pem"), data.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let variables = [
        ("SECURE_MESSAGING_TLS_CERT", certificate.to_str().unwrap()),
        ("SECURE_MESSAGING_TLS_KEY", key.to_str().unwrap()),
        ("PUBLIC_URL", "https://chat.example.org"),
    ];
    let server = Spawned::start_with(data.path(), &variables);
    let address = server.address.to_string();
    let arguments = ["healthcheck", "--bind-addr", &address];
    let ready = run(data.path(), &arguments, &variables);
    assert!(ready.status.success(), "{}", stderr(&ready));
    // The control: without TLS the same port gives no answer that counts.
    let plain = run(data.path(), &arguments, &[]);
    assert!(!plain.status.success());
}

#[test]
fn the_service_manager_hears_that_the_server_serves_lives_and_stops() {
    let data = TempDir::new().unwrap();
    let path = data.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let variables = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "100000"),
    ];
    let server = Spawned::start_with(data.path(), &variables);
    let heard = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    assert!(heard().starts_with("READY=1"));
    assert_eq!(heard(), "WATCHDOG=1");
    assert_eq!(heard(), "WATCHDOG=1");
    server.stop();
    manager.set_nonblocking(true).unwrap();
    while !heard().starts_with("STOPPING=1") {}
}

/// Readiness as it is when the last answer is no longer fresh.
async fn readiness_becomes(server: &Spawned, status: u16) -> Answer {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = server.client().get("/health/ready").await;
        if answer.status == status {
            return answer;
        }
        assert!(Instant::now() < end, "it stays {}", answer.status);
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }
}

#[actix_web::test]
async fn a_database_that_is_removed_or_replaced_while_it_serves_takes_no_more_writes() {
    for name in ["secure_messaging.db", "secure_messaging.db-wal"] {
        let data = TempDir::new().unwrap();
        let server = Spawned::start(data.path());
        let secret = server.setup_secret();
        let setup = Some(("setup", secret.as_str()));
        let admin = Account::register(server.client(), "admin", setup)
            .await
            .unwrap();
        let mode = serde_json::json!({"mode": "open"});
        let path = "/api/v1/admin/registration";
        let file = data.path().join(name);
        let away = data.path().join("away");
        std::fs::rename(&file, &away).unwrap();
        let refused = admin.client.put(path, &mode).await;
        assert_eq!(refused.expect(503).code(), "unavailable", "{name}");
        logged(&server, "was removed or moved away");
        logged(&server, "move the very file back");
        std::fs::write(&file, b"another one").unwrap();
        let refused = admin.client.put(path, &mode).await;
        assert_eq!(refused.expect(503).code(), "unavailable", "{name}");
        logged(&server, "was replaced");
        let failed = readiness_becomes(&server, 503).await;
        assert_eq!(failed.json()["database"], "failed");
        std::fs::rename(&away, &file).unwrap();
        readiness_becomes(&server, 200).await;
        admin.client.put(path, &mode).await.expect(204);
    }
}
