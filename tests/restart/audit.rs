//! The real binary's audit log: verified offline, exported, rolled back, killed in the middle of its
//! retention.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use audit::{Header, Outside, Verdict, Verifier};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use store::{AuditEvent, AuditFile, KeySource, Store, StoreConfig};
use tempfile::TempDir;

use crate::support::{self, Spawned, append_record, append_record_at, random_id};

fn database(data: &Path) -> PathBuf {
    data.join("secure_messaging.db")
}

fn binary(data: &Path) -> Command {
    let mut command = support::binary();
    command
        .current_dir(data)
        .env_remove("DATABASE_URL")
        .env_remove("PUBLIC_URL")
        .env("DB_ENCRYPTION_KEY", "a key of the tests")
        .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000");
    command
}

fn audit(data: &Path, args: &[&str]) -> Output {
    let mut command = binary(data);
    command.arg("audit").args(args);
    if !args.contains(&"--database") {
        command.arg("--data-dir").arg(data);
    }
    command.output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn whole(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", out(output), err(output));
    assert!(out(output).contains("the log is whole"), "{}", out(output));
    out(output)
}

fn signed_part(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", out(output), err(output));
    let said = out(output);
    assert!(said.contains("what is signed is whole"), "{said}");
    assert!(!said.contains("the log is whole"), "{said}");
    said
}

/// What is signed is whole, and these records have no signature yet.
fn unsigned(data: &Path, from: u64, to: u64) -> String {
    let said = signed_part(&audit(data, &["verify"]));
    let told = format!("records {from} to {to} are not signed yet");
    assert!(said.contains(&told), "{said}");
    said
}

/// Status 1 and this sentence on the standard error stream.
fn refused(output: &Output, sentence: &str) {
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}{}",
        out(output),
        err(output)
    );
    assert!(err(output).contains(sentence), "{}", err(output));
}

/// As somebody would who does not mind the triggers.
fn tamper(data: &Path, sql: &str) {
    let connection = Connection::open(database(data)).unwrap();
    let drop = "DROP TRIGGER audit_log_keeps_records; DROP TRIGGER audit_log_loses_nothing;";
    connection.execute_batch(drop).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[actix_web::test]
async fn the_log_is_verified_and_exported_beside_a_running_server_and_offline() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    server.administrator().await;
    let key = {
        let path = "/.well-known/secure-messaging-audit.json";
        let published = server.client().get(path).await.expect(200).json();
        published["fingerprint"].as_str().unwrap().to_owned()
    };
    // The newest records have no head yet.
    let said = signed_part(&audit(data.path(), &["verify"]));
    assert!(said.contains(&key), "it says which key it trusted: {said}");
    assert!(said.contains("which the database itself names"), "{said}");
    let said = signed_part(&audit(data.path(), &["verify", "--key", &key[..32]]));
    assert!(said.contains("which you gave"), "{said}");
    let other = "0".repeat(32);
    refused(
        &audit(data.path(), &["verify", "--key", &other]),
        "and not under the one that is trusted",
    );

    let sealed = audit(data.path(), &["export"]);
    assert!(sealed.status.success(), "{}", err(&sealed));
    assert!(!out(&sealed).contains("127.0.0.1"));
    let opened = audit(data.path(), &["export", "--details"]);
    assert!(out(&opened).contains("127.0.0.1"));
    server.stop();

    let file = data.path().join("export.ndjson");
    let name = file.to_str().unwrap();
    for export in [&sealed, &opened] {
        std::fs::write(&file, &export.stdout).unwrap();
        let said = whole(&audit(data.path(), &["verify", name]));
        assert!(said.contains("which the export itself names"), "{said}");
        whole(&audit(data.path(), &["verify", name, "--key", &key]));
    }
    // No key of the database is needed, and none of its folder.
    let path = database(data.path());
    let elsewhere = TempDir::new().unwrap();
    let copy = elsewhere.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    let mut keyless = binary(elsewhere.path());
    keyless.env_remove("DB_ENCRYPTION_KEY");
    keyless.args(["audit", "verify", "--database"]).arg(&copy);
    whole(&keyless.output().unwrap());

    let changed = out(&opened).replace("127.0.0.1", "127.0.0.2");
    std::fs::write(&file, changed).unwrap();
    refused(
        &audit(data.path(), &["verify", name]),
        "the export was changed",
    );
    let text = out(&sealed);
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&file, lines[..lines.len() - 2].join("\n")).unwrap();
    refused(
        &audit(data.path(), &["verify", name]),
        "was cut off after record",
    );
    let future = audit(data.path(), &["export", "--from", "2099-01-01"]);
    std::fs::write(&file, &future.stdout).unwrap();
    assert!(whole(&audit(data.path(), &["verify", name])).contains("the log is empty"));
}

#[actix_web::test]
async fn tampering_with_the_file_is_named_in_one_sentence() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    server.administrator().await;
    server.stop();
    whole(&audit(data.path(), &["verify"]));
    let before = std::fs::read(database(data.path())).unwrap();
    for (sql, sentence) in [
        (
            "UPDATE audit_log SET action = 'session.expired' WHERE id = 3",
            "record 3 was changed: its hash does not fit its content",
        ),
        ("DELETE FROM audit_log WHERE id = 3", "record 3 is missing"),
        (
            "UPDATE audit_log SET id = 99 WHERE id = 2; UPDATE audit_log SET id = 2 WHERE id = 4;
             UPDATE audit_log SET id = 4 WHERE id = 99",
            "records 2 and 4 were swapped",
        ),
        (
            "DELETE FROM audit_log WHERE id > 4",
            "the end was cut off after record 4",
        ),
    ] {
        std::fs::write(database(data.path()), &before).unwrap();
        tamper(data.path(), sql);
        refused(&audit(data.path(), &["verify"]), sentence);
    }
}

#[actix_web::test]
async fn an_older_database_is_found_out_by_a_witness_at_the_start_and_by_verify() {
    let data = TempDir::new().unwrap();
    let kept = TempDir::new().unwrap();
    let heads = kept.path().join("heads.ndjson");
    let witness = format!("[\"file:{}\"]", heads.display());
    let variables = [("SECURE_MESSAGING_AUDIT_WITNESSES", witness.as_str())];
    let server = Spawned::start_with(data.path(), &variables);
    server.administrator().await;
    server.stop();
    let old = std::fs::read(database(data.path())).unwrap();
    Spawned::start_with(data.path(), &variables).stop();

    let heads = heads.to_str().unwrap();
    let against = ["verify", "--against", heads];
    let said = whole(&audit(data.path(), &against));
    assert!(
        said.contains("which the heads kept elsewhere name"),
        "{said}"
    );
    std::fs::write(database(data.path()), old).unwrap();
    whole(&audit(data.path(), &["verify"]));
    refused(&audit(data.path(), &against), "the log was rolled back");

    let server = Spawned::start_with(data.path(), &variables);
    assert!(
        server.log().contains("older than a witness remembers"),
        "{}",
        server.log()
    );
    server.stop();
    // It went on by itself, and the witness still remembers what was there.
    refused(
        &audit(data.path(), &against),
        "the heads kept elsewhere sign two different records",
    );
}

#[actix_web::test]
async fn a_record_that_the_server_did_not_write_is_named_and_never_signed() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    let client = admin.client;
    server.stop();
    let foreign = append_record(&database(data.path()));
    unsigned(data.path(), foreign, foreign);

    let told = format!("audit record {foreign}: this program did not write it");
    for _ in 0..2 {
        let server = Spawned::start(data.path());
        assert!(server.log().contains(&told), "{}", server.log());
        let client = client.with_cookie_of(server.address);
        let proof = client.get("/api/v1/admin/audit/proof").await;
        let proof = proof.expect(200).json();
        assert_eq!(proof["foreign"], told);
        assert!(proof["newest_record"].as_u64().unwrap() > foreign);
        let page = client.get("/api/v1/admin/audit?limit=200").await;
        for record in page.expect(200).json()["records"].as_array().unwrap() {
            let is_foreign = record["id"] == foreign;
            assert_eq!(record["foreign"], is_foreign, "{record}");
            assert_eq!(record["damage"].is_string(), is_foreign, "{record}");
        }
        let found = client
            .get("/api/v1/admin/audit?action=audit.foreign_record")
            .await;
        let found = found.expect(200).json();
        assert_eq!(found["records"][0]["details"]["record"], foreign);
        let metrics = server.metrics().await;
        assert!(metrics.contains("secure_messaging_audit_foreign 1"));
        server.stop();
        let signed = count(&look(data.path()), "SELECT max(record_id) FROM audit_heads");
        assert_eq!(signed, foreign - 1);
    }
    let newest = count(&look(data.path()), "SELECT max(id) FROM audit_log");
    let said = unsigned(data.path(), foreign, newest);
    let vouched = format!("signatures vouch for records up to {}", foreign - 1);
    assert!(said.replace('\n', " ").contains(&vouched), "{said}");
    // Its details do not open either: an export goes on to its end and says so.
    let export = audit(data.path(), &["export", "--details"]);
    let named = format!("record {foreign}: details damaged");
    refused(&export, &named);
    let last = out(&export).lines().last().unwrap().to_owned();
    assert!(last.contains("\"type\":\"end\""), "{last}");
    let file = data.path().join("export.ndjson");
    std::fs::write(&file, &export.stdout).unwrap();
    let again = audit(data.path(), &["verify", file.to_str().unwrap()]);
    refused(
        &again,
        &format!("the details of record {foreign} are damaged"),
    );
}

#[actix_web::test]
async fn records_that_stand_unsigned_for_longer_than_signing_takes_are_found() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    server.administrator().await;
    server.stop();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let whole_file = std::fs::read(database(data.path())).unwrap();
    for (timestamp, found) in [(now, false), (now - 3_600, true), (now + 86_400, true)] {
        std::fs::write(database(data.path()), &whole_file).unwrap();
        let foreign = append_record_at(&database(data.path()), Some(timestamp));
        if found {
            let told = format!("record {foreign} is unsigned for longer than the server takes");
            refused(&audit(data.path(), &["verify"]), &told);
        } else {
            unsigned(data.path(), foreign, foreign);
        }
    }
    // A server that leaves its records unsigned for two hours is believed for as long.
    std::fs::write(database(data.path()), &whole_file).unwrap();
    append_record_at(&database(data.path()), Some(now - 3_600));
    let mut patient = binary(data.path());
    patient.env("SECURE_MESSAGING_AUDIT_HEAD_SECS", "7200");
    patient
        .args(["audit", "verify", "--data-dir"])
        .arg(data.path());
    let output = patient.output().unwrap();
    assert!(output.status.success(), "{}{}", out(&output), err(&output));
}

#[actix_web::test]
async fn a_log_whose_newest_head_was_taken_away_is_named_and_never_signed_again() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    server.stop();
    let whole_file = std::fs::read(database(data.path())).unwrap();
    let signed = count(&look(data.path()), "SELECT max(record_id) FROM audit_heads");
    let heads = "DROP TRIGGER audit_heads_loses_nothing; DELETE FROM audit_heads WHERE id >= ";
    for (sql, verified) in [
        // Everything: nothing is left that could say that there was more.
        (
            format!("{heads} 1; DELETE FROM audit_log"),
            format!("the end was cut off after record 0: a head signs record {signed}"),
        ),
        (
            format!(
                "{heads} (SELECT max(id) FROM audit_heads); DELETE FROM audit_log WHERE id > 2"
            ),
            format!("the end was cut off after record 2: a head signs record {signed}"),
        ),
    ] {
        std::fs::write(database(data.path()), &whole_file).unwrap();
        tamper(data.path(), &sql);
        refused(&audit(data.path(), &["verify"]), &verified);
        let server = Spawned::start(data.path());
        let told = format!("audit record {signed}: this server signed it, and its head is gone");
        assert!(server.log().contains(&told), "{}", server.log());
        let client = admin.client.with_cookie_of(server.address);
        let proof = client.get("/api/v1/admin/audit/proof").await;
        let foreign = proof.expect(200).json()["foreign"].to_string();
        assert!(foreign.contains(&told), "{foreign}");
        server.stop();
    }
    // Whoever takes the note of it away as well finds the server closed.
    std::fs::write(database(data.path()), &whole_file).unwrap();
    tamper(
        data.path(),
        "DELETE FROM settings WHERE name = 'audit_signed'",
    );
    let mut serve = binary(data.path());
    serve
        .args(["serve", "--bind-addr", "127.0.0.1:0", "--data-dir"])
        .arg(data.path());
    refused(&serve.output().unwrap(), "audit_signed");
}

/// Servers that run side by side.
const INSTANCES: u64 = 2;
/// Old records for each day: more than one go of the retention takes.
const A_DAY: u64 = 230;
/// Days that are left when every door of the kills is open.
const LEFT: u64 = 4;
const DAY: u64 = 86_400;

/// Kills of each server.
fn kills() -> u64 {
    if std::env::var_os("SECURE_MESSAGING_LONG").is_some() {
        500
    } else {
        40
    }
}

#[test]
fn the_log_verifies_after_each_of_eighty_kills_between_heads_doors_and_deletions() {
    let instances: Vec<_> = (0..INSTANCES)
        .map(|_| std::thread::spawn(|| actix_web::rt::System::new().block_on(killed_often())))
        .collect();
    let mut cut = 0;
    for instance in instances {
        cut += instance.join().unwrap();
    }
    let kills = INSTANCES * kills();
    println!("{cut} of {kills} kills left a door that not all has passed");
    assert!(
        (kills / 8..kills).contains(&cut),
        "too few kills fell into a door, or nothing ever got through one: {cut}"
    );
}

/// Kills a server while its retention runs; how often it was in the middle of it.
async fn killed_often() -> u64 {
    let data = TempDir::new().unwrap();
    let heads = data.path().join("heads.ndjson");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    fill(data.path(), now).await;

    let mut newest = 0;
    let mut cut = 0;
    for cycle in 0..kills() {
        // Each cycle one day less is kept, so each opens a door of its own.
        let mut server = spawn(data.path(), &heads, kills() + LEFT - cycle);
        // Every second kill comes as soon as the door is there, wherever that is in time; some come
        // when all is through.
        let changes = match cycle % 4 {
            1 => Some(1 + u64::from(random_id()[0] % 5)),
            3 => Some(u64::MAX),
            _ => None,
        };
        watch(data.path(), changes);
        server.kill().unwrap();
        server.wait().unwrap();

        let verdict = verify(data.path(), &heads);
        assert_eq!(verdict.findings, [], "cycle {cycle}");
        assert!(verdict.to >= newest, "cycle {cycle}: records were lost");
        newest = verdict.to;
        cut += u64::from(half_deleted(&look(data.path())));
    }
    // Left alone, it finishes.
    let server = Spawned::start_with(
        data.path(),
        &[("SECURE_MESSAGING_AUDIT_RETENTION_DAYS", "1")],
    );
    let connection = look(data.path());
    let old = format!(
        "SELECT count(*) FROM audit_log WHERE timestamp < {}",
        now - DAY
    );
    while count(&connection, &old) > 0 {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    server.stop();
    assert_eq!(verify(data.path(), &heads).findings, []);
    cut
}

/// Writes records of more days than there are kills, as a server of then would.
async fn fill(data: &Path, now: u64) {
    let path = database(data);
    let key = KeySource::beside(Some("a key of the tests".to_owned()), &path);
    let mut config = StoreConfig::new(&path, key);
    config.iterations = 100_000;
    let store = Store::open(&config).unwrap();
    for age in (1..=kills() + LEFT).rev() {
        let events = (0..A_DAY).map(|n| AuditEvent {
            user_id: None,
            action: "session.created",
            timestamp: now - age * DAY - 100 + n / 10,
            details: json!({ "n": n }),
        });
        store.append_audit(events.collect()).await.unwrap();
    }
    store.close().unwrap();
    // The key of the heads and the first head.
    Spawned::start(data).stop();
}

fn spawn(data: &Path, heads: &Path, days: u64) -> Child {
    binary(data)
        .args(["serve", "--bind-addr", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .env("SECURE_MESSAGING_WORKERS", "1")
        .env("SECURE_MESSAGING_AUDIT_HEAD_EVERY", "1")
        .env("SECURE_MESSAGING_AUDIT_RETENTION_DAYS", days.to_string())
        .env(
            "SECURE_MESSAGING_AUDIT_WITNESSES",
            format!("[\"file:{}\"]", heads.display()),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn look(data: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    Connection::open_with_flags(database(data), flags).unwrap()
}

fn count(connection: &Connection, sql: &str) -> u64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Waits until heads, doors or records have changed so many times, or until a door opens where no
/// number is given; or until the retention is through.
fn watch(data: &Path, changes: Option<u64>) {
    let connection = look(data);
    let state = || {
        let count = |sql| count(&connection, sql);
        (
            count("SELECT max(id) FROM audit_heads"),
            count("SELECT count(*) FROM audit_retention"),
            count("SELECT min(id) FROM audit_log"),
        )
    };
    let begin = state();
    let mut before = begin;
    let mut seen = 0;
    while before.1 == begin.1 || half_deleted(&connection) {
        let enough = match changes {
            Some(changes) => seen >= changes,
            None => before.1 > begin.1,
        };
        if enough {
            return;
        }
        // A spinning watcher would take the server's processor.
        std::thread::park_timeout(Duration::from_micros(300));
        let now = state();
        seen += u64::from(now != before);
        before = now;
    }
}

/// Whether the newest door is not passed by all yet.
fn half_deleted(connection: &Connection) -> bool {
    let sql = "SELECT count(*) FROM audit_log WHERE id <=
                   (SELECT coalesce(max(through_id), 0) FROM audit_retention)";
    count(connection, sql) > 0
}

fn verify(data: &Path, heads: &Path) -> Verdict {
    let file = AuditFile::open(&database(data)).unwrap();
    let key = Header::parse_key(&file.named_key().unwrap().unwrap()).unwrap();
    let mut outside = Outside::under(key.clone());
    for line in std::fs::read(heads)
        .unwrap_or_default()
        .split(|byte| *byte == b'\n')
    {
        // A line may have been cut by the kill: it was not acknowledged.
        let _ = outside.line(line);
    }
    file.verify(Verifier::new(Some(key), Some(outside)))
        .unwrap()
}
