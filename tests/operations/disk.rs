//! A full disk: a clear answer that says what to do, nothing half written, and everything as before
//! when there is space again, without a restart.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use store::{KeySource, Store, StoreConfig};
use tempfile::TempDir;

use crate::support::{Account, Spawned, random_id, submission, waiting_slot};

/// Whether this user may mount a file system of its own.
fn may_mount(folder: &Path) -> bool {
    let status = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "tmpfs"])
        .arg(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// A server whose data folder is a disk of this size, which only it sees.
fn on_a_small_disk(folder: &Path, size: &str) -> Spawned {
    let mut command = Command::new("unshare");
    let mount = "mount -t tmpfs -o size=\"$0\",mode=0700 tmpfs \"$1\" && cd \"$1\" && shift \
                 && exec \"$@\"";
    command
        .args(["--mount", "sh", "-c", mount, size])
        .arg(folder)
        .arg(env!("CARGO_BIN_EXE_secure-messaging"));
    Spawned::start_by(command, folder, &[])
}

fn resize(server: &Spawned, folder: &Path, size: &str) {
    let status = Command::new("nsenter")
        .args(["--mount", "--target", &server.pid().to_string()])
        .args(["mount", "-o", &format!("remount,size={size}")])
        .arg(folder)
        .status()
        .unwrap();
    assert!(status.success());
}

#[actix_web::test]
async fn a_disk_of_one_mebibyte_fills_up_is_said_and_is_recovered_from() {
    let folder = TempDir::new().unwrap();
    if !may_mount(folder.path()) {
        println!("this user may mount nothing: the disk of a mebibyte was not tried");
        return;
    }
    let mut server = on_a_small_disk(folder.path(), "1m");
    let secret = server.setup_secret();
    let right = Some(("setup", secret.as_str()));
    let mut admin = Account::register(server.client(), "admin", right).await;
    if admin.is_err() {
        // There was not even room for one account: a little more, and on.
        resize(&server, folder.path(), "2m");
        admin = Account::register(server.client(), "admin", right).await;
    }
    let admin = admin.unwrap();
    let mode = json!({"mode": "open"});
    let client = &admin.client;
    client
        .put("/api/v1/admin/registration", &mode)
        .await
        .expect(204);
    let mut made = vec!["admin".to_owned()];
    let refusal = loop {
        let handle = format!("person{}", made.len());
        match Account::register(server.client(), &handle, None).await {
            Ok(_) => made.push(handle),
            Err(refusal) => break refusal,
        }
        assert!(made.len() < 1_000, "the disk never fills up");
    };
    assert_eq!(refusal.status.as_u16(), 507, "{refusal:?}");
    assert_eq!(refusal.code(), "disk-full");
    assert!(refusal.headers.contains_key("retry-after"));
    let detail = refusal.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("free some space"), "{detail}");
    assert!(server.log().contains("no space is left for the database"));
    assert!(server.lives());

    // Reading goes on, and so do messages, which need no disk.
    let shown = client.get("/api/v1/session").await.expect(200).json();
    assert_eq!(shown["handle"], "admin");
    let slots = vec![waiting_slot(admin.id(), b"slot")];
    let message = submission(random_id(), true, slots, b"while the disk is full");
    let posted = client.post_octets("/api/v1/messages", message).await;
    posted.expect(201);

    resize(&server, folder.path(), "64m");
    for _ in 0..5 {
        let handle = format!("person{}", made.len());
        Account::register(server.client(), &handle, None)
            .await
            .unwrap();
        made.push(handle);
    }
    let found = client.get("/api/v1/admin/users?limit=500").await;
    let found = found.expect(200).json();
    let handles: Vec<&str> = found["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["handle"].as_str().unwrap())
        .collect();
    assert_eq!(handles, made, "what was acknowledged, and nothing else");

    let copy = TempDir::new().unwrap();
    for name in ["secure_messaging.db", "secure_messaging.db-wal"] {
        let inside = format!("/proc/{}/root{}", server.pid(), folder.path().display());
        std::fs::copy(Path::new(&inside).join(name), copy.path().join(name)).unwrap();
    }
    drop(server);
    let path = copy.path().join("secure_messaging.db");
    let key = KeySource::beside(Some("a key of the tests".to_owned()), &path);
    let store = Store::open(&StoreConfig::new(&path, key)).unwrap();
    store.verify_audit_chain().await.unwrap();
    store.close().unwrap();
}
