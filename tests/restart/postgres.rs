//! The real binary over a real PostgreSQL.

use std::path::Path;
use std::process::Output;

use servers::Postgres;
use tempfile::TempDir;

use crate::support::{Account, Passphrase, Spawned, binary};

const PASSPHRASE: Passphrase = Passphrase("known before and after the move");
const KEY: &str = "a key of the tests";

/// A cluster with a database for the role of the tests.
fn cluster() -> (Postgres, String) {
    let cluster = Postgres::start();
    let address = cluster.database("community");
    (cluster, address)
}

fn serve(data: &Path, address: &str) -> Spawned {
    Spawned::start_with(data, &[("DATABASE_URL", address)])
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    binary()
        .args(arguments)
        .current_dir(data)
        .env_remove("DATABASE_URL")
        .env("DB_ENCRYPTION_KEY", KEY)
        .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{out}{err}");
    format!("{out}{err}")
}

#[actix_web::test]
async fn two_instances_serve_one_community_and_one_outlives_the_other() {
    let (_cluster, address) = cluster();
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let first = serve(data[0].path(), &address);
    let admin = first.administrator().await;
    let second = serve(data[1].path(), &address);
    assert!(!second.log().contains("/setup#"), "the link was used");
    let alice = Account::register_with(second.client(), "alice", None, PASSPHRASE)
        .await
        .unwrap();
    // Each knows the sessions that the other made.
    let there = admin.client.with_cookie_of(second.address);
    assert_eq!(
        there.get("/api/v1/session").await.expect(200).json()["user_id"],
        admin.user_id
    );
    let here = alice.client.with_cookie_of(first.address);
    assert_eq!(
        here.get("/api/v1/session").await.expect(200).json()["handle"],
        "alice"
    );
    first.kill();
    assert_eq!(
        alice.client.get("/api/v1/session").await.expect(200).json()["handle"],
        "alice"
    );
    Account::sign_in(second.client(), "alice", PASSPHRASE)
        .await
        .unwrap();
    let again = serve(data[0].path(), &address);
    Account::sign_in(again.client(), "alice", PASSPHRASE)
        .await
        .unwrap();
    assert!(
        !again.log().contains("a password of tests"),
        "the log has the password"
    );
}

#[actix_web::test]
async fn one_instance_at_a_time_does_the_jobs_and_another_takes_over() {
    let (cluster, address) = cluster();
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let holder = || {
        let holder = "SELECT encode(holder, 'hex') FROM leases WHERE name = 'jobs'";
        let holder = cluster.psql("community", holder).unwrap();
        Some(holder).filter(|holder| !holder.is_empty())
    };
    let said = "this instance does the jobs that only one may do";
    let first = serve(data[0].path(), &address);
    let leader = servers::until("a leader", holder);
    let second = serve(data[1].path(), &address);
    first.administrator().await;
    let heads = "SELECT count(*) FROM audit_heads";
    servers::until("a signed head", || {
        (cluster.psql("community", heads).unwrap() != "0").then_some(())
    });
    assert_eq!(holder().as_ref(), Some(&leader));
    assert!(first.log().contains(said) && !second.log().contains(said));
    first.kill();
    // Half a minute passes.
    cluster
        .psql("community", "UPDATE leases SET ends_at = 0")
        .unwrap();
    servers::until("another leader", || {
        holder().filter(|holder| *holder != leader)
    });
    assert!(second.log().contains(said));
    second.stop();
    assert_eq!(holder(), None, "a server that stops gives it back");
}

#[actix_web::test]
async fn what_one_instance_signed_in_the_audit_log_is_no_alarm_at_another() {
    let (cluster, address) = cluster();
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let settings = [
        ("DATABASE_URL", address.as_str()),
        ("SECURE_MESSAGING_AUDIT_HEAD_SECS", "1"),
    ];
    let start = |at: usize| Spawned::start_with(data[at].path(), &settings);
    let signed = || {
        let newest = "SELECT coalesce(max(record_id), 0) FROM audit_heads";
        let newest = cluster.psql("community", newest).unwrap();
        newest.parse::<u64>().unwrap()
    };
    let first = start(0);
    first.administrator().await;
    let mut logs = Vec::new();
    for handle in ["alice", "bob"] {
        let second = start(1);
        Account::register_with(second.client(), handle, None, PASSPHRASE)
            .await
            .unwrap();
        // It signs when it stops.
        logs.push(second.stop());
        let before = signed();
        Account::sign_in(first.client(), handle, PASSPHRASE)
            .await
            .unwrap();
        servers::until("a head of the first", || (signed() > before).then_some(()));
    }
    logs.push(first.stop());
    for log in logs {
        assert!(!log.contains("did not write"), "{log}");
    }
}

#[actix_web::test]
async fn a_community_moves_to_a_server_and_back_and_nothing_is_lost() {
    let (_cluster, address) = cluster();
    let (data, back) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    Account::register_with(server.client(), "alice", None, PASSPHRASE)
        .await
        .unwrap();
    let file = format!(
        "sqlite:{}",
        data.path().join("secure_messaging.db").display()
    );
    let to_server = ["move", "--from", &file, "--to", &address, "--data-dir", "."];
    let refused = run(data.path(), &to_server);
    assert!(!refused.status.success(), "a server uses it");
    server.kill();
    let told = said(&run(data.path(), &to_server));
    assert!(told.contains("Its audit log verifies"), "{told}");
    assert!(!told.contains("a password of tests"), "{told}");
    let refused = run(data.path(), &to_server);
    let reason = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(reason.contains("has a database already"), "{reason}");

    let server = serve(data.path(), &address);
    let there = admin.client.with_cookie_of(server.address);
    there.get("/api/v1/session").await.expect(200);
    Account::register_with(server.client(), "bob", None, PASSPHRASE)
        .await
        .unwrap();
    server.kill();

    let file = format!(
        "sqlite:{}",
        back.path().join("secure_messaging.db").display()
    );
    said(&run(
        back.path(),
        &["move", "--from", &address, "--to", &file, "--data-dir", "."],
    ));
    let server = Spawned::start(back.path());
    for name in ["alice", "bob"] {
        Account::sign_in(server.client(), name, PASSPHRASE)
            .await
            .unwrap();
    }
    let there = admin.client.with_cookie_of(server.address);
    there.get("/api/v1/session").await.expect(200);
}

#[actix_web::test]
async fn a_role_that_owns_nothing_serves_and_rotates_keys() {
    let (cluster, address) = cluster();
    let data = TempDir::new().unwrap();
    cluster
        .psql("postgres", "ALTER ROLE of_community CREATEROLE; CREATE ROLE serving LOGIN PASSWORD 'a password of tests'")
        .unwrap();
    let owner = ["migrate", "--data-dir", ".", "--database-url", &address];
    let serving = cluster.address_for("serving", "community");
    let early = run(
        data.path(),
        &["migrate", "--data-dir", ".", "--database-url", &serving],
    );
    assert!(!early.status.success(), "it may make nothing");
    let advice = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(advice.contains("migrate --grant"), "{advice}");
    said(&run(data.path(), &owner));
    said(&run(
        data.path(),
        &[&owner[..], &["--grant", "serving"]].concat(),
    ));

    let server = serve(data.path(), &serving);
    let admin = server.administrator().await;
    Account::register_with(server.client(), "alice", None, PASSPHRASE)
        .await
        .unwrap();
    let verify = ["audit", "verify", "--database-url", &serving];
    let told = said(&run(data.path(), &verify));
    assert!(told.contains("verified with the key"), "{told}");
    let as_it = |statement: &str| cluster.psql_as("serving", "community", statement);
    for statement in [
        "UPDATE keks SET provider = 'other'",
        "DELETE FROM keks",
        "DELETE FROM audit_log",
        "UPDATE audit_log SET action = 'other'",
        "INSERT INTO audit_retention VALUES (1, 1, 'x', 1, 1)",
        "ALTER TABLE users DROP COLUMN role",
        "ALTER TABLE key_safes DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE mine (a int)",
    ] {
        let refused = as_it(statement).unwrap_err();
        let denied = ["permission denied", "must be owner"];
        assert!(
            denied.iter().any(|word| refused.contains(word)),
            "{statement}: {refused}"
        );
    }
    assert_eq!(as_it("SELECT count(*) FROM key_safes").unwrap(), "0");
    let rotated = admin
        .client
        .post(
            "/api/v1/admin/keys/rotate",
            &serde_json::json!({"reason": "a test"}),
        )
        .await;
    assert!(rotated.status.is_success(), "{}", rotated.code());
    let finished = "SELECT count(*) FROM key_jobs WHERE state = 'done'";
    servers::until("the rotation", || {
        (cluster.psql("community", finished).unwrap() == "1").then_some(())
    });
    Account::sign_in(server.client(), "alice", PASSPHRASE)
        .await
        .unwrap();
}

#[actix_web::test]
async fn a_replica_answers_administrators_and_no_session_outlives_its_end() {
    let (cluster, address) = cluster();
    let mut replica = cluster.replica();
    let data = TempDir::new().unwrap();
    let there = replica.address_for("of_community", "community");
    let server = Spawned::start_with(
        data.path(),
        &[
            ("DATABASE_URL", address.as_str()),
            ("SECURE_MESSAGING_DATABASE_REPLICAS", there.as_str()),
        ],
    );
    let admin = server.administrator().await;
    let alice = Account::register_with(server.client(), "alice", None, PASSPHRASE)
        .await
        .unwrap();
    let in_use = |number: &'static str| {
        let line = format!("secure_messaging_database_replicas {number}\n");
        let server = &server;
        async move {
            while !server.metrics().await.contains(&line) {
                tokio::task::yield_now().await;
            }
        }
    };
    in_use("1").await;
    assert!(server.log().contains("a replica answers look-ups"));
    let accounts = || async {
        let listed = admin.client.get("/api/v1/admin/users").await.expect(200);
        listed.json()["users"].as_array().unwrap().len()
    };
    assert_eq!(accounts().await, 2);

    replica
        .psql("postgres", "SELECT pg_wal_replay_pause()")
        .unwrap();
    let session = "/api/v1/session";
    alice.client.get(session).await.expect(200);
    let copy = alice.client.with_cookie_of(server.address);
    alice.client.delete(session).await.expect(204);
    copy.get(session).await.expect(401);
    // An administrator sees what was done here, whoever did it.
    let wanted = "/api/v1/admin/audit?user=alice&limit=1";
    let newest = admin.client.get(wanted).await.expect(200).json();
    assert_eq!(
        newest["records"][0]["action"], "session.signed_out",
        "{newest}"
    );
    replica
        .psql("postgres", "SELECT pg_wal_replay_resume()")
        .unwrap();

    replica.kill();
    assert_eq!(accounts().await, 2);
    in_use("0").await;
    server.client().get("/health/ready").await.expect(200);
    Account::sign_in(server.client(), "alice", PASSPHRASE)
        .await
        .unwrap();
    assert!(!server.log().contains("a password of tests"));
}
