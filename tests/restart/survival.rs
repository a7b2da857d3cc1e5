//! One restart, looked at closely.

use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    Account, Passphrase, Spawned, TestSocket, b64, random_id, submission, waiting_slot,
};

const PASSPHRASE: Passphrase = Passphrase("known before and after the restart");

#[actix_web::test]
async fn after_kill_9_accounts_sessions_and_audit_are_there_and_messages_are_not() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    let alice = Account::register_with(server.client(), "alice", None, PASSPHRASE)
        .await
        .unwrap();
    let marker = "a marker that must not be written to any disk";
    let id = random_id();
    let bytes = submission(
        id,
        true,
        vec![waiting_slot(alice.id(), b"slot")],
        marker.as_bytes(),
    );
    admin.post(bytes).await.expect(201);
    let half = json!({"half": b64(&[5; 32])});
    alice
        .client
        .put("/api/v1/session/resume", &half)
        .await
        .expect(204);
    let boot = server.client().get("/api/v1/server").await.json()["boot"]["id"].clone();
    let audit = admin
        .client
        .get("/api/v1/admin/audit?limit=200")
        .await
        .json();
    let log = server.log();
    server.kill();

    for entry in std::fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        // The control socket of the server that was killed is no file.
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        assert!(
            !bytes
                .windows(marker.len())
                .any(|window| window == marker.as_bytes())
        );
    }
    for text in [marker, "alice", &alice.user_id, &hex::encode(id)] {
        assert!(!log.contains(text), "{text} in the log");
    }
    let server = Spawned::start(data.path());
    assert!(!server.log().contains("/setup#"), "the link was used");
    let admin = Account {
        client: admin.client.with_cookie_of(server.address),
        line: tokio::sync::Mutex::default(),
        ..admin
    };
    let alice = Account {
        client: alice.client.with_cookie_of(server.address),
        line: tokio::sync::Mutex::default(),
        ..alice
    };
    let shown = alice.client.get("/api/v1/session").await.expect(200).json();
    assert_eq!(shown["handle"], "alice");
    alice.client.get("/api/v1/session/resume").await.expect(404);
    let (_socket, hello) = TestSocket::connect(&alice.client).await;
    assert_eq!(hello["waiting"], json!([]));
    assert_ne!(
        hello["boot_id"], boot,
        "senders learn that what waited has vanished"
    );
    let status = admin.status(&[id]).await.expect(200).json();
    assert_eq!(status["states"][0]["state"], "unknown");
    Account::sign_in(server.client(), "alice", PASSPHRASE)
        .await
        .unwrap();
    let later = admin
        .client
        .get("/api/v1/admin/audit?limit=200")
        .await
        .expect(200)
        .json();
    let (later, before) = (
        later["records"].as_array().unwrap(),
        audit["records"].as_array().unwrap(),
    );
    assert!(
        later.ends_with(before),
        "every record is there, with its hash"
    );
}

#[actix_web::test]
async fn a_server_that_is_asked_to_stop_says_goodbye_wipes_and_writes_it_down() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    let (mut socket, _) = TestSocket::connect(&admin.client).await;
    let bytes = submission(
        random_id(),
        true,
        vec![waiting_slot(admin.id(), b"slot")],
        b"body",
    );
    admin.post(bytes).await.expect(201);
    let stopped = actix_web::rt::task::spawn_blocking(move || server.stop());
    assert_eq!(socket.closed().await, Some(4503));
    let log = stopped.await.unwrap();
    assert!(log.contains("messages were wiped messages=1"), "{log}");
    let server = Spawned::start(data.path());
    let client = admin.client.with_cookie_of(server.address);
    let audit = client
        .get("/api/v1/admin/audit?action=server.stopped")
        .await
        .expect(200)
        .json();
    assert_eq!(audit["records"].as_array().unwrap().len(), 1);
}
