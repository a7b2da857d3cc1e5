//! The server over an engine that holds messages: either may end without the other.

use serde_json::json;
use servers::{Valkey, until};
use tempfile::TempDir;

use crate::support::{
    Account, Passphrase, Spawned, TestSocket, b64, binary, random_id, submission, waiting_slot,
};

const PASSPHRASE: Passphrase = Passphrase("known before and after the restart");

fn start(data: &TempDir, engine: &Valkey) -> Spawned {
    Spawned::start_with(data.path(), &[("VALKEY_URL", &engine.url())])
}

fn posted(account: &Account) -> Vec<u8> {
    let slot = waiting_slot(account.id(), b"slot");
    submission(random_id(), true, vec![slot], b"body")
}

#[actix_web::test]
async fn what_waits_at_an_engine_is_there_after_kill_9_of_the_server() {
    let (data, engine) = (TempDir::new().unwrap(), Valkey::start());
    let server = start(&data, &engine);
    let admin = server.administrator().await;
    let alice = Account::register_with(server.client(), "alice", None, PASSPHRASE)
        .await
        .unwrap();
    admin.post(posted(&alice)).await.expect(201);
    let half = json!({"half": b64(&[5; 32])});
    let resume = "/api/v1/session/resume";
    alice.client.put(resume, &half).await.expect(204);
    let boot = server.client().get("/api/v1/server").await.json()["boot"]["id"].clone();
    server.client().get("/health/ready").await.expect(200);
    server.kill();
    let server = start(&data, &engine);
    let client = alice.client.with_cookie_of(server.address);
    let (_socket, hello) = TestSocket::connect(&client).await;
    assert_eq!(hello["boot_id"], boot, "nothing has vanished");
    assert_eq!(hello["waiting"].as_array().unwrap().len(), 1);
    assert_eq!(client.get(resume).await.expect(200).json(), half);
}

#[actix_web::test]
async fn when_the_engine_begins_anew_sockets_close_and_hear_another_boot_id() {
    let (data, mut engine) = (TempDir::new().unwrap(), Valkey::start());
    let server = start(&data, &engine);
    let admin = server.administrator().await;
    admin.post(posted(&admin)).await.expect(201);
    let (mut socket, hello) = TestSocket::connect(&admin.client).await;
    assert_eq!(hello["waiting"].as_array().unwrap().len(), 1);
    engine.kill();
    let refused = server.client().get("/health/ready").await;
    assert_eq!(refused.code(), "not-ready");
    // Whoever watches it still hears that, and which part it is.
    let metrics = server.metrics().await;
    assert!(
        metrics.contains("secure_messaging_ready_plane 0\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("secure_messaging_ready_database 1\n"),
        "{metrics}"
    );
    assert!(
        !metrics.contains("secure_messaging_bytes_held"),
        "{metrics}"
    );
    admin.post(posted(&admin)).await.expect(503);
    engine.start_again();
    assert_eq!(socket.closed().await, Some(4503));
    let (_socket, again) = TestSocket::connect(&admin.client).await;
    assert_ne!(again["boot_id"], hello["boot_id"], "what waited is gone");
    assert_eq!(again["waiting"], json!([]));
    let server_says = server.client().get("/api/v1/server").await.json();
    assert_eq!(server_says["boot"]["id"], again["boot_id"]);
    admin.post(posted(&admin)).await.expect(201);
}

#[actix_web::test]
async fn the_last_server_that_stops_wipes_what_waits_at_the_engine() {
    let (data, engine) = (TempDir::new().unwrap(), Valkey::start());
    let server = start(&data, &engine);
    let admin = server.administrator().await;
    admin.post(posted(&admin)).await.expect(201);
    let log = server.stop();
    assert!(log.contains("messages were wiped messages=1"), "{log}");
    let gone = || {
        engine
            .ask(&["KEYS", "sm:b:*"])
            .starts_with("*0")
            .then_some(())
    };
    until("the engine", gone);
}

#[test]
fn a_server_does_not_start_over_an_engine_that_keeps_what_was_burned() {
    let (data, engine) = (TempDir::new().unwrap(), Valkey::start_with(&[], false));
    let refused = |variables: &[(&str, &str)], reason: &str| {
        let output = binary()
            .args(["serve", "--data-dir"])
            .arg(data.path())
            .current_dir(data.path())
            .env("DB_ENCRYPTION_KEY", "a key of the tests")
            .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(text.contains(reason), "{text}");
    };
    let url = engine.url();
    refused(&[("VALKEY_URL", &url)], "MALLOC_CONF=junk:free");
    refused(&[("REDIS_URL", "valkey://127.0.0.1:1")], "does not answer");
    let both = [("VALKEY_URL", url.as_str()), ("REDIS_URL", url.as_str())];
    refused(&both, "unset one of them");
}
