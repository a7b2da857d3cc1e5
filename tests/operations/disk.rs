//! A full disk: a clear answer that says what to do, nothing half written, and everything as before
//! when there is space again, without a restart.
//!
//! Two things that mean the same to the server: files that may not grow any more, which every user
//! can arrange, and a disk of its own that is full, where this user may mount one.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use store::{KeySource, Store, StoreConfig};
use tempfile::TempDir;

use super::logged;
use super::mounts::way_to_mount;
use crate::support::{Account, BINARY, Spawned, not_tried, random_id, submission, waiting_slot};

const MIB: u64 = 1 << 20;

/// Registers people until one is refused; tells who that is, and who is in before.
async fn until_full(server: &Spawned, made: &mut Vec<String>) {
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
    logged(server, "no space is left for the database");
}

/// Reading goes on, and so do messages, which need no disk.
async fn serves_what_needs_no_disk(admin: &Account) {
    let client = &admin.client;
    let shown = client.get("/api/v1/session").await.expect(200).json();
    assert_eq!(shown["handle"], "admin");
    let slots = vec![waiting_slot(admin.id(), b"slot")];
    let message = submission(random_id(), true, slots, b"while the disk is full");
    let posted = admin.post(message).await;
    posted.expect(201);
}

/// Readiness says that the database takes no writes, or that it does again.
async fn readiness(server: &Spawned, status: u16) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let answer = server.client().get("/health/ready").await;
        if answer.status == status {
            let word = if status == 200 { "ok" } else { "failed" };
            assert_eq!(answer.json()["database"], word);
            return;
        }
        assert!(
            std::time::Instant::now() < end,
            "it stays {}",
            answer.status
        );
        actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[actix_web::test]
async fn a_disk_that_takes_no_writes_shows_in_readiness() {
    let folder = TempDir::new().unwrap();
    let server = Spawned::start(folder.path());
    let admin = server.administrator().await;
    readiness(&server, 200).await;
    let before = limit_files(&server, Some(4_096));
    let refused = admin.client.get("/api/v1/admin/users").await;
    assert_eq!(refused.expect(507).code(), "disk-full", "the control");
    readiness(&server, 503).await;
    limit_files(&server, before);
    readiness(&server, 200).await;
    admin.client.get("/api/v1/admin/users").await.expect(200);
}

#[actix_web::test]
async fn a_disk_without_the_room_that_a_write_needed_shows_in_readiness_at_once() {
    let folder = TempDir::new().unwrap();
    let server = Spawned::start(folder.path());
    let admin = server.administrator().await;
    let log = folder.path().join("secure_messaging.db-wal");
    let written = std::fs::metadata(&log).unwrap().len();
    // Room for what is small: a record of the audit log, or a probe.
    let before = limit_files(&server, Some(written + 96 * 1024));
    admin.client.get("/api/v1/admin/users").await.expect(200);
    let refused = Account::register(server.client(), "person", None).await;
    assert_eq!(refused.err().unwrap().code(), "disk-full");
    let ready = server.client().get("/health/ready").await;
    assert_eq!(ready.expect(503).json()["database"], "failed");
    limit_files(&server, before);
    readiness(&server, 200).await;
    Account::register(server.client(), "person", None)
        .await
        .unwrap();
}

#[actix_web::test]
async fn what_an_administrator_may_not_read_without_a_record_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let server = Spawned::start(folder.path());
    let admin = server.administrator().await;
    let before = limit_files(&server, Some(4_096));
    let refused = admin.client.get("/api/v1/admin/users").await;
    let refused = refused.expect(507);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("audit log before it is answered"),
        "{detail}"
    );
    assert!(detail.contains("Free some space"), "{detail}");
    limit_files(&server, before);
    admin.client.get("/api/v1/admin/users").await.expect(200);
}

#[actix_web::test]
async fn whoever_signs_out_while_the_disk_is_full_is_out() {
    let folder = TempDir::new().unwrap();
    let server = Spawned::start(folder.path());
    let admin = server.administrator().await;
    let before = limit_files(&server, Some(4_096));
    let stolen = admin.client.with_cookie_of(server.address);
    let out = admin.client.delete("/api/v1/session").await.expect(204);
    let gone = out.headers.get("set-cookie").unwrap().to_str().unwrap();
    assert!(gone.contains("Max-Age=0"), "{gone}");
    stolen.get("/api/v1/session").await.expect(401);
    limit_files(&server, before);
    readiness(&server, 200).await;
    stolen.get("/api/v1/session").await.expect(401);
    server.stop();
    let server = Spawned::start(folder.path());
    let late = stolen.with_cookie_of(server.address);
    late.get("/api/v1/session").await.expect(401);
}

#[test]
fn a_first_start_without_space_says_that_there_is_none() {
    // Each is met at another place: the file itself, its tables, its first rows.
    for blocks in ["0", "8", "32", "100", "200"] {
        let folder = TempDir::new().unwrap();
        let output = Command::new("sh")
            .args([
                "-c",
                "ulimit -f \"$1\" && exec \"$0\" migrate",
                BINARY,
                blocks,
            ])
            .current_dir(folder.path())
            .env("DB_ENCRYPTION_KEY", "a key of the tests")
            .env("SECURE_MESSAGING_DATA_DIR", folder.path())
            .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{blocks}: {said}");
        let words = "no space is left for the database";
        assert!(said.contains(words), "{blocks}: {said}");
    }
}

/// Everything that was acknowledged is there, and nothing else; and there is room for more.
async fn serves_again(server: &Spawned, admin: &Account, made: &mut Vec<String>) {
    for _ in 0..5 {
        let handle = format!("person{}", made.len());
        Account::register(server.client(), &handle, None)
            .await
            .unwrap();
        made.push(handle);
    }
    let found = admin.client.get("/api/v1/admin/users?limit=500").await;
    let found = found.expect(200).json();
    let handles: Vec<&str> = found["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["handle"].as_str().unwrap())
        .collect();
    assert_eq!(handles, *made, "what was acknowledged, and nothing else");
}

/// The database opens, and its log is a whole chain.
async fn is_whole(folder: &Path) {
    let path = folder.join("secure_messaging.db");
    let key = KeySource::beside(Some("a key of the tests".to_owned()), &path);
    let store = Store::open(&StoreConfig::new(&path, key)).unwrap();
    store.verify_audit_chain().await.unwrap();
    store.close().unwrap();
}

/// Sets how large files of a running process may become.
fn limit_files(server: &Spawned, bytes: Option<u64>) -> Option<u64> {
    let pid = Pid::from_raw(server.pid().try_into().unwrap());
    let text = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = text.lines().find(|line| line.starts_with("Max file size"));
    let hard = line.unwrap().split_whitespace().nth(4).unwrap();
    // Only root may raise it again.
    let maximum = hard.parse().ok();
    let limit = Rlimit {
        current: bytes.or(maximum),
        maximum,
    };
    prlimit(pid, Resource::Fsize, limit).unwrap().current
}

#[actix_web::test]
async fn files_that_may_not_grow_are_answered_like_a_full_disk_and_recovered_from() {
    let folder = TempDir::new().unwrap();
    let mut server = Spawned::start(folder.path());
    let admin = server.administrator().await;
    let mut made = vec!["admin".to_owned()];
    let database = folder.path().join("secure_messaging.db");
    let begun = std::fs::metadata(&database).unwrap().len();
    let before = limit_files(&server, Some(begun.max(MIB)));
    assert!(before.is_none_or(|before| before > 64 * MIB), "the control");
    until_full(&server, &mut made).await;
    for name in ["secure_messaging.db", "secure_messaging.db-wal"] {
        let length = std::fs::metadata(folder.path().join(name)).unwrap().len();
        assert!(length <= begun.max(MIB), "{name} has {length} bytes");
    }
    assert!(server.lives());
    serves_what_needs_no_disk(&admin).await;
    limit_files(&server, None);
    serves_again(&server, &admin, &mut made).await;
    server.stop();
    is_whole(folder.path()).await;
}

/// A server whose data folder is a disk of its own, which only it sees.
struct OnSmallDisk {
    server: Spawned,
    folder: TempDir,
    way: &'static [&'static str],
}

impl OnSmallDisk {
    fn start(folder: TempDir, way: &'static [&'static str], size: &str) -> Self {
        let mut command = Command::new("unshare");
        let mount = "mount -t tmpfs -o size=\"$0\",mode=0700 tmpfs \"$1\" && cd \"$1\" && shift \
                     && exec \"$@\"";
        command
            .args(way)
            .args(["sh", "-c", mount, size])
            .arg(folder.path())
            .arg(BINARY);
        let server = Spawned::start_by(command, folder.path(), &[]);
        Self {
            server,
            folder,
            way,
        }
    }

    fn resize(&self, size: &str) {
        let mut command = Command::new("nsenter");
        if self.way.contains(&"--user") {
            command.args(["--user", "--preserve-credentials"]);
        }
        let status = command
            .args(["--mount", "--target", &self.server.pid().to_string()])
            // With its source named, the options of before are not looked up: as the kernel shows
            // them, users have the numbers of outside.
            .args(["mount", "-o", &format!("remount,size={size}"), "tmpfs"])
            .arg(self.folder.path())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// The folder as the server sees it.
    fn inside(&self) -> PathBuf {
        let seen = format!("/proc/{}/root", self.server.pid());
        Path::new(&seen).join(self.folder.path().strip_prefix("/").unwrap())
    }
}

#[actix_web::test]
async fn a_disk_of_one_mebibyte_fills_up_is_said_and_is_recovered_from() {
    let folder = TempDir::new().unwrap();
    let way = match way_to_mount(folder.path()) {
        Ok(way) => way,
        // What the server does is shown by the limit above; the file system's own answer is not.
        Err(why) => return not_tried("a disk of one mebibyte", &format!("no mount: {why}")),
    };
    let mut disk = OnSmallDisk::start(folder, way, "1m");
    let first = async |server: &Spawned| {
        Account::administrator(server.client(), &server.setup_secret()).await
    };
    let mut admin = first(&disk.server).await;
    if admin.is_err() {
        // There was not even room for one account: a little more, and on.
        disk.resize("2m");
        admin = first(&disk.server).await;
    }
    let admin = admin.unwrap();
    let mut made = vec!["admin".to_owned()];
    until_full(&disk.server, &mut made).await;
    assert!(disk.server.lives());
    serves_what_needs_no_disk(&admin).await;
    disk.resize("64m");
    serves_again(&disk.server, &admin, &mut made).await;
    let copy = TempDir::new().unwrap();
    for name in ["secure_messaging.db", "secure_messaging.db-wal"] {
        std::fs::copy(disk.inside().join(name), copy.path().join(name)).unwrap();
    }
    drop(disk);
    is_whole(copy.path()).await;
}
