//! A server that keeps nothing: its database is in memory.

use std::path::Path;

use serde_json::json;
use servers::until_then;
use tempfile::TempDir;

use crate::support::{Account, Passphrase, Spawned, binary};

const PASSPHRASE: Passphrase = Passphrase("known until the server stops");
const VARIABLES: [(&str, &str); 1] = [("DATABASE_URL", "memory:")];

/// Every name below a folder but that of the control socket, which holds nothing.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "control.sock").collect()
}

/// Starts without a key: it is drawn, and kept in memory as well.
fn start(data: &Path) -> Spawned {
    let mut command = std::process::Command::new("env");
    command.args(["-u", "DB_ENCRYPTION_KEY", crate::support::BINARY]);
    Spawned::start_by(command, data, &VARIABLES)
}

#[actix_web::test]
async fn everything_works_in_memory_no_file_is_made_and_all_is_gone_after_a_restart() {
    let data = TempDir::new().unwrap();
    let server = start(data.path());
    let warned = "nothing durable is configured";
    assert!(server.log().contains(warned), "{}", server.log());
    let admin = server.administrator().await;
    let alice = Account::register_with(server.client(), "alice", None, PASSPHRASE)
        .await
        .unwrap();
    let made = json!({"service": "billing", "algorithm": "ML-DSA-87+Ed25519"});
    admin
        .client
        .post("/api/v1/service-keys", &made)
        .await
        .expect(201);
    let public = "/api/v1/service-keys/billing/public";
    let key = server.client().get(public).await.expect(200);
    assert_eq!(key.json()["keys"].as_array().unwrap().len(), 2);
    // Many at once: one connection reads and writes.
    let mut tasks = Vec::new();
    for number in 0..20 {
        let client = server.client();
        let handle = format!("person{number}");
        tasks.push(actix_web::rt::spawn(async move {
            Account::register_with(client, &handle, None, PASSPHRASE)
                .await
                .unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let listed = admin.client.get("/api/v1/admin/users").await.expect(200);
    assert_eq!(listed.json()["users"].as_array().unwrap().len(), 22);
    let nothing = json!({});
    let verify = admin.client.post("/api/v1/admin/audit/verify", &nothing);
    verify.await.expect(202);
    let reason = json!({"reason": "a test"});
    let rotated = admin
        .client
        .post("/api/v1/admin/keys/rotate", &reason)
        .await;
    assert!(rotated.status.is_success(), "{}", rotated.code());
    alice.client.delete("/api/v1/session").await.expect(204);
    server.client().get("/health/ready").await.expect(200);
    assert_eq!(files(data.path()), Vec::<String>::new());

    let figures = binary()
        .args(["stats", "--data-dir", "."])
        .current_dir(data.path())
        .envs(VARIABLES)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&figures.stdout).into_owned();
    assert!(figures.status.success() && said.contains("22"), "{said}");

    let log = server.stop();
    assert!(!log.contains("key_file"), "{log}");
    assert_eq!(files(data.path()), Vec::<String>::new());
    let server = start(data.path());
    server.client().get(public).await.expect(404);
    assert!(
        Account::sign_in(server.client(), "alice", PASSPHRASE)
            .await
            .is_err()
    );
    until_then(|| server.log().contains("/setup#"));
    server.kill();
    assert_eq!(files(data.path()), Vec::<String>::new());
}

#[test]
fn no_folder_is_made_and_what_needs_a_file_is_refused_with_the_reason() {
    let place = TempDir::new().unwrap();
    let data = place.path().join("data");
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = binary()
            .args(arguments)
            .arg("--data-dir")
            .arg(&data)
            .current_dir(place.path())
            .envs(VARIABLES)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let text = out + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    };
    let only = "only the server that runs has it";
    for arguments in [
        &["migrate"][..],
        &["stats"],
        &["rotate-keys"],
        &["admin", "list"],
        &["service-keys", "list"],
        &["audit", "verify"],
    ] {
        let (done, said) = run(arguments, &[]);
        assert!(!done && said.contains(only), "{arguments:?}: {said}");
    }
    let target = format!("file:{}", place.path().join("backups").display());
    let (started, said) = run(&["serve"], &[("SECURE_MESSAGING_BACKUP_TARGET", &target)]);
    assert!(!started && said.contains("no backup is made"), "{said}");
    let (fine, said) = run(&["check-config"], &[]);
    assert!(
        fine && said.contains("nothing durable is configured"),
        "{said}"
    );
    assert_eq!(files(place.path()), Vec::<String>::new());
}
