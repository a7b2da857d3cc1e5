//! `admin`: accounts from the terminal, beside a running server and without one.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ran, refused};
use crate::support::{Account, Passphrase, Spawned, TestSocket, post_waiting};

const PASSPHRASE: Passphrase = Passphrase("an account that is disabled");
const PATIENCE: Duration = Duration::from_secs(30);

/// An administrator, and a person who is connected.
async fn with_person(server: &Spawned) -> (Account, Account, TestSocket) {
    let admin = server.administrator().await;
    let person = Account::register_with(server.client(), "person", None, PASSPHRASE)
        .await
        .unwrap();
    let (socket, _) = TestSocket::connect(&person.client).await;
    (admin, person, socket)
}

async fn actions(admin: &Account) -> Vec<String> {
    let page = admin.client.get("/api/v1/admin/audit?limit=200").await;
    let page = page.expect(200).json();
    let records = page["records"].as_array().unwrap().iter();
    records
        .map(|record| record["action"].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn a_disabled_user_is_out_of_a_running_server() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let (admin, person, mut socket) = with_person(&server).await;
    person.client.get("/api/v1/session").await.expect(200);
    let said = ran(data.path(), &["admin", "disable", "Person"]);
    assert!(said.contains("sessions ended: 1"), "{said}");
    assert_eq!(socket.closed().await, Some(api::close::ACCOUNT_CLOSED));
    person.client.get("/api/v1/session").await.expect(401);
    admin.client.get("/api/v1/session").await.expect(200);
    let signed_in = Account::sign_in(server.client(), "person", PASSPHRASE).await;
    assert!(signed_in.is_err());
    ran(data.path(), &["admin", "enable", "person"]);
    person.client.get("/api/v1/session").await.expect(401);
    Account::sign_in(server.client(), "person", PASSPHRASE)
        .await
        .unwrap();
    let actions = actions(&admin).await;
    let order: Vec<&str> = actions
        .iter()
        .map(String::as_str)
        .filter(|action| action.starts_with("admin.user_"))
        .collect();
    assert_eq!(
        order,
        [
            "admin.user_activity.done",
            "admin.user_activity.intent",
            "admin.user_activity.done",
            "admin.user_activity.intent"
        ],
        "newest first"
    );
}

#[actix_web::test]
async fn a_change_at_the_terminal_reaches_a_session_that_is_signed_in_within_a_second() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let (_admin, mut person, mut socket) = with_person(&server).await;
    let status = async |person: &Account| {
        let answer = person.client.get("/api/v1/admin/stats").await;
        answer.status.as_u16()
    };
    assert_eq!(status(&person).await, 403);
    // The best of three of each: a busy machine is late now and then, a server that is too slow always.
    let mut best = [PATIENCE; 3];
    for _ in 0..3 {
        for (index, (what, expected)) in [("promote", 200), ("demote", 403)].iter().enumerate() {
            ran(data.path(), &["admin", what, "person"]);
            let start = Instant::now();
            while status(&person).await != *expected {
                assert!(start.elapsed() < PATIENCE, "{what}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            best[index] = best[index].min(start.elapsed());
        }
        ran(data.path(), &["admin", "disable", "person"]);
        let start = Instant::now();
        assert_eq!(socket.closed().await, Some(api::close::ACCOUNT_CLOSED));
        best[2] = best[2].min(start.elapsed());
        ran(data.path(), &["admin", "enable", "person"]);
        person = Account::sign_in(server.client(), "person", PASSPHRASE)
            .await
            .unwrap();
        (socket, _) = TestSocket::connect(&person.client).await;
    }
    for (what, took) in ["promote", "demote", "disable"].iter().zip(best) {
        assert!(took < Duration::from_secs(1), "{what}: {took:?}");
    }
}

#[actix_web::test]
async fn an_auditor_reads_and_has_the_log_verified_and_changes_nothing() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let (_admin, person, _socket) = with_person(&server).await;
    let said = ran(data.path(), &["admin", "promote", "--auditor", "person"]);
    assert!(said.contains("person is an auditor now"), "{said}");
    let client = &person.client;
    client.get("/api/v1/admin/stats").await.expect(200);
    client.get("/api/v1/admin/audit/proof").await.expect(200);
    client
        .post_empty("/api/v1/admin/audit/verify")
        .await
        .expect(202);
    let page = client
        .get("/api/v1/admin/audit?limit=200")
        .await
        .expect(200);
    let page = page.json();
    let verified = page["records"].as_array().unwrap().iter();
    let by: Vec<&Value> = verified
        .filter(|record| record["action"] == "admin.audit_verification.intent")
        .map(|record| &record["handle"])
        .collect();
    assert_eq!(by, ["person"]);
    client.get("/api/v1/admin/users").await.expect(403);
    let mode = json!({"mode": "closed"});
    let refusal = client.put("/api/v1/admin/registration", &mode).await;
    assert_eq!(refusal.expect(403).code(), "forbidden");
    let list = ran(data.path(), &["admin", "list"]);
    assert!(list.contains("auditor"), "{list}");
    drop(server);
    // The role outlives a restart, and goes without a server too.
    let server = Spawned::start(data.path());
    let person = Account::sign_in(server.client(), "person", PASSPHRASE)
        .await
        .unwrap();
    person.client.get("/api/v1/admin/stats").await.expect(200);
    server.stop();
    ran(data.path(), &["admin", "demote", "person"]);
    let list = ran(data.path(), &["admin", "list"]);
    assert!(!list.contains("person"), "{list}");
}

#[actix_web::test]
async fn the_last_active_administrator_can_neither_be_demoted_nor_disabled() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    for what in ["demote", "disable"] {
        let reason = refused(data.path(), &["admin", what, "admin"]);
        assert!(reason.contains("last active administrator"), "{reason}");
    }
    Account::register(server.client(), "person", None)
        .await
        .unwrap();
    ran(data.path(), &["admin", "promote", "person"]);
    ran(data.path(), &["admin", "demote", "admin"]);
    let reason = refused(data.path(), &["admin", "disable", "person"]);
    assert!(reason.contains("promote or create another"), "{reason}");
    drop(admin);
    let failed = server.stop();
    drop(failed);
    let reason = refused(data.path(), &["admin", "promote", "nobody"]);
    assert!(reason.contains("admin list --all"), "{reason}");
    let list = ran(data.path(), &["admin", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["handle"], "person");
    let all = ran(data.path(), &["admin", "list", "--all"]);
    assert!(all.contains("admin ") && all.contains("person "), "{all}");
}

#[actix_web::test]
async fn an_erased_user_is_gone_from_a_running_server_and_the_log_still_verifies() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let (admin, person, mut socket) = with_person(&server).await;
    let reason = refused(data.path(), &["admin", "erase", "person"]);
    assert!(reason.contains("Nothing was changed"), "{reason}");
    let shown = person.client.get("/api/v1/session").await.expect(200);
    let id = shown.json()["user_id"].as_str().unwrap().to_owned();
    let reason = refused(data.path(), &["admin", "erase", "admin", "--yes"]);
    assert!(reason.contains("last active administrator"), "{reason}");

    let said = ran(data.path(), &["admin", "erase", "person", "--yes"]);
    assert!(said.contains("the account of person is erased"), "{said}");
    assert_eq!(socket.closed().await, Some(api::close::ACCOUNT_CLOSED));
    person.client.get("/api/v1/session").await.expect(401);
    let signed_in = Account::sign_in(server.client(), "person", PASSPHRASE).await;
    assert!(signed_in.is_err());
    let page = admin.client.get("/api/v1/admin/audit?limit=200").await;
    let page = page.expect(200).json();
    let of_them: Vec<&Value> = page["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["user_id"] == id.as_str())
        .collect();
    assert!(!of_them.is_empty());
    assert!(of_them.iter().all(|record| record["details"].is_null()));
    assert!(
        !page.to_string().contains("\"person\""),
        "their name is in no record"
    );
    let verified = ran(data.path(), &["audit", "verify"]);
    assert!(verified.contains("whole"), "{verified}");
    // The handle is free, and whoever takes it is somebody else.
    let other = Account::register(server.client(), "person", None)
        .await
        .unwrap();
    assert_ne!(other.id(), person.id());
}

#[actix_web::test]
async fn a_link_from_the_terminal_makes_one_administrator_under_its_handle() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    let taken = refused(data.path(), &["admin", "create", "admin"]);
    assert!(taken.contains("admin promote admin"), "{taken}");
    let old = ran(data.path(), &["admin", "create", "second"]);
    let link = ran(data.path(), &["admin", "create", "second"]);
    let secret = |link: &str| {
        let (_, rest) = link.trim().split_once("/setup#").unwrap();
        let (secret, handle) = rest.split_once('.').unwrap();
        assert_eq!(handle, "second");
        secret.to_owned()
    };
    let (old, secret) = (secret(&old), secret(&link));
    for (handle, secret) in [("other", &secret), ("second", &old)] {
        let start = json!({"handle": handle, "request": "AAAA", "setup": secret});
        let client = server.client();
        let refusal = client.post("/api/v1/registration/start", &start);
        assert_eq!(refusal.await.expect(403).code(), "setup-unusable");
    }
    let second = Account::register(server.client(), "second", Some(("setup", &secret)))
        .await
        .unwrap();
    second.client.get("/api/v1/admin/stats").await.expect(200);
    let start = json!({"handle": "second", "request": "AAAA", "setup": secret});
    let client = server.client();
    let again = client.post("/api/v1/registration/start", &start);
    assert_eq!(again.await.expect(403).code(), "setup-unusable");
    let settings = admin.client.get("/api/v1/admin/stats").await.expect(200);
    assert_eq!(
        settings.json()["registration"],
        "open",
        "it stays as it was"
    );
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        let found = memchr::memmem::find(&bytes, secret.as_bytes());
        assert!(found.is_none(), "the secret is kept as a hash only");
    }
}

#[actix_web::test]
async fn what_waits_in_a_running_server_goes_with_an_erased_account_and_nothing_else_does() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let (admin, person, _) = with_person(&server).await;
    let other = Account::register(server.client(), "other", None)
        .await
        .unwrap();
    let (mut senders, _) = TestSocket::connect(&other.client).await;
    for (from, to) in [(&other, &person), (&person, &admin), (&other, &admin)] {
        post_waiting(from, to).await.expect(201);
    }
    let held = async || {
        let figures = admin.client.get("/api/v1/admin/stats").await.expect(200);
        figures.json()["messages_held"].clone()
    };
    assert_eq!(held().await, 3, "the control");
    ran(data.path(), &["admin", "erase", "person", "--yes"]);
    assert_eq!(held().await, 1);
    assert_eq!(senders.text_of("message").await["state"], "expired");
    let refused = post_waiting(&other, &person).await.expect(410);
    assert_eq!(refused.code(), "account-gone");
    let waiting = admin.waiting().await.expect(200);
    assert_eq!(waiting.json()["waiting"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_server_erases_nobody_at_the_control_socket_without_a_yes() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let (admin, person, _socket) = with_person(&server).await;
    post_waiting(&admin, &person).await.expect(201);
    let ask = |question: &Value| {
        let mut control = UnixStream::connect(data.path().join("control.sock")).unwrap();
        writeln!(control, "{question}").unwrap();
        let mut answer = String::new();
        control.read_to_string(&mut answer).unwrap();
        answer
    };
    let unsure = json!({"ask": "erase", "account": "person", "sure": false});
    let answer = ask(&json!({"verb": "accounts", "question": unsure}));
    assert!(answer.contains("Nothing was changed"), "{answer}");
    let answer = ask(&json!({"verb": "forget-account", "account": "person"}));
    assert!(answer.contains("does not know"), "{answer}");
    let waiting = person.waiting().await.expect(200);
    assert_eq!(waiting.json()["waiting"].as_array().unwrap().len(), 1);
}

#[test]
fn without_a_database_there_is_nobody_to_administer() {
    let data = TempDir::new().unwrap();
    let reason = refused(data.path(), &["admin", "create", "admin"]);
    assert!(reason.contains("start the server once"), "{reason}");
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}
