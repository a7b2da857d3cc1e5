//! Heads, witnesses, retention and verifying the log while the server serves.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;

use audit::{Header, Outside, Witnessed};
use rusqlite::Connection;
use serde_json::{Value, json};
use store::AuditItem;

use crate::support::{Account, START, TestApp};

async fn proof(admin: &Account) -> Value {
    let answer = admin.client.get("/api/v1/admin/audit/proof").await;
    answer.expect(200).json()
}

/// Asks until it is so.
async fn proof_until(admin: &Account, is_so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let proof = proof(admin).await;
        if is_so(&proof) {
            return proof;
        }
        tokio::task::yield_now().await;
    }
}

async fn verified(admin: &Account) -> Value {
    let before = proof(admin).await["verification"]["last"]["at"].clone();
    let answer = admin
        .client
        .post("/api/v1/admin/audit/verify", &json!({}))
        .await;
    answer.expect(202);
    let done = |proof: &Value| {
        let verification = &proof["verification"];
        verification["running"] == false && verification["last"] != Value::Null
    };
    let proof = proof_until(admin, done).await;
    let last = proof["verification"]["last"].clone();
    assert!(before == Value::Null || last["at"].as_u64() >= before.as_u64());
    last
}

fn tamper(app: &TestApp, sql: &str) {
    let path = app.app.config().database_path().unwrap();
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "DROP TRIGGER audit_log_keeps_records;
             DROP TRIGGER audit_log_loses_nothing;",
        )
        .unwrap();
    connection.execute_batch(sql).unwrap();
}

#[actix_web::test]
async fn a_head_follows_within_a_minute_and_after_enough_records() {
    let app = TestApp::start_with(|config| config.auditing.audit_head_every = 12).await;
    let admin = app.administrator().await;
    let first = proof(&admin).await;
    assert_eq!(first["head"]["record_id"], 1, "the start itself");
    app.advance(59).await;
    assert_eq!(proof(&admin).await["head"]["number"], 1);
    app.advance(1).await;
    let minute = proof(&admin).await;
    assert_eq!(minute["head"]["number"], 2);
    assert_eq!(minute["head"]["record_id"], minute["newest_record"]);
    assert_eq!(minute["head"]["timestamp"], START + 60);
    // Nothing new: no head, however long it takes.
    app.advance(600).await;
    assert_eq!(proof(&admin).await["head"]["number"], 2);
    admin.client.get("/api/v1/admin/users").await.expect(200);
    app.advance(1).await;
    // The last one is long ago.
    assert_eq!(proof(&admin).await["head"]["number"], 3);
    for _ in 0..12 {
        admin.client.get("/api/v1/admin/users").await.expect(200);
    }
    app.advance(1).await;
    let many = proof(&admin).await;
    assert_eq!(many["head"]["number"], 4, "a dozen within a second");
}

#[actix_web::test]
async fn the_key_of_the_heads_is_published() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let path = "/.well-known/secure-messaging-audit.json";
    let published = app.client().get(path).await.expect(200).json();
    let key = Header::parse_key(published["verify_key"].as_str().unwrap()).unwrap();
    let fingerprint = key.fingerprint().to_string();
    assert_eq!(published["fingerprint"], fingerprint);
    assert_eq!(proof(&admin).await["key"], fingerprint);
    let head = app.app.store().newest_audit_head().await.unwrap().unwrap();
    assert!(key.verify(&head));
}

#[actix_web::test]
async fn the_log_is_verified_in_place_and_the_verification_leaves_its_records() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    app.account("alice").await;
    app.advance(60).await;
    let head = proof(&admin).await["head"]["record_id"].clone();
    let last = verified(&admin).await;
    assert_eq!(last["whole"], true);
    assert_eq!(last["findings"], json!([]));
    assert_eq!(last["from"], 1);
    // A head is signed for it, so that one vouches for everything that was read.
    assert_eq!(last["vouched"], last["to"]);
    assert!(last["vouched"].as_u64() > head.as_u64());
    loop {
        let path = "/api/v1/admin/audit?action=admin.audit_verification.done";
        let done = admin.client.get(path).await.expect(200).json();
        if let Some(record) = done["records"].get(0) {
            assert_eq!(record["details"]["result"]["whole"], true);
            assert_eq!(record["handle"], "admin");
            break;
        }
        tokio::task::yield_now().await;
    }
    let path = "/api/v1/admin/audit?action=admin.audit_verification.intent";
    let intents = admin.client.get(path).await.expect(200).json();
    assert_eq!(intents["records"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn tampering_is_named_in_place() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    app.advance(60).await;
    assert_eq!(verified(&admin).await["whole"], true, "the control");
    tamper(
        &app,
        "UPDATE audit_log SET timestamp = timestamp - 1 WHERE id = 2",
    );
    let last = verified(&admin).await;
    assert_eq!(last["whole"], false);
    let finding = "record 2 was changed: its hash does not fit its content";
    assert_eq!(last["findings"], json!([finding]));
}

#[actix_web::test]
async fn details_that_do_not_open_are_named_with_their_record_and_the_rest_goes_on() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    app.account("bob").await;
    let user = &alice.user_id;
    let change = format!(
        "UPDATE audit_keys SET encrypted_key =
             CAST(substr(encrypted_key, 1, length(encrypted_key) - 1) || x'00' AS BLOB)
         WHERE subject = x'{user}'"
    );
    for sql in [
        change.as_str(),
        &format!("DELETE FROM audit_keys WHERE subject = x'{user}'"),
    ] {
        tamper_lightly(&app, sql);
        let page = admin.client.get("/api/v1/admin/audit?limit=200").await;
        let page = page.expect(200).json();
        let mut damaged = Vec::new();
        for record in page["records"].as_array().unwrap() {
            let is_hers = record["user_id"] == json!(user);
            assert_eq!(record["damage"].is_string(), is_hers, "{sql}: {record}");
            assert_eq!(record["details"].is_null(), is_hers, "{sql}: {record}");
            if is_hers {
                damaged.push(record["id"].as_u64().unwrap());
            }
        }
        assert!(!damaged.is_empty());
        let last = verified(&admin).await;
        assert_eq!(last["whole"], false);
        let findings: Vec<&str> = last["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap())
            .collect();
        assert_eq!(findings.len(), damaged.len());
        for id in damaged {
            let named = format!("the details of record {id} are damaged");
            assert!(
                findings.iter().any(|it| it.starts_with(&named)),
                "{findings:?}"
            );
        }
    }
    // What she does goes on: its record is the server's and names her inside.
    alice.client.delete("/api/v1/session").await.expect(204);
    let path = "/api/v1/admin/audit?action=session.signed_out";
    let out = admin.client.get(path).await.expect(200).json();
    assert_eq!(out["records"][0]["user_id"], Value::Null);
    assert_eq!(out["records"][0]["details"]["user_id"], json!(user));
}

/// As somebody would who leaves the triggers alone.
fn tamper_lightly(app: &TestApp, sql: &str) {
    let path = app.app.config().database_path().unwrap();
    let connection = Connection::open(path).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
}

#[actix_web::test]
async fn heads_are_never_further_apart_than_configured_however_fast_records_come() {
    let app = TestApp::start_with(|config| config.auditing.audit_head_every = 20).await;
    let admin = app.administrator().await;
    for _ in 0..86 {
        admin.client.get("/api/v1/admin/users").await.expect(200);
    }
    app.advance(1).await;
    let path = app.app.config().database_path().unwrap();
    let connection = Connection::open(path).unwrap();
    let widest: u64 = connection
        .query_row(
            "SELECT max(record_id - before) FROM (SELECT record_id,
                 lag(record_id, 1, 0) OVER (ORDER BY id) AS before FROM audit_heads)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(widest <= 20, "{widest}");
    let proof = proof(&admin).await;
    let newest = proof["newest_record"].as_u64().unwrap();
    assert!(newest - proof["head"]["record_id"].as_u64().unwrap() < 20);
}

#[actix_web::test]
async fn a_head_that_somebody_put_into_the_file_is_not_built_upon() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    app.advance(60).await;
    let before = proof(&admin).await["head"]["number"].as_u64().unwrap();
    tamper(
        &app,
        "INSERT INTO audit_heads (id, record_id, hash, timestamp, signature)
         SELECT id + 1, record_id + 1000000, hash, timestamp, signature FROM audit_heads
         ORDER BY id DESC LIMIT 1",
    );
    admin.client.get("/api/v1/admin/users").await.expect(200);
    app.advance(60).await;
    let proof = proof(&admin).await;
    let told = proof["foreign"].as_str().unwrap();
    assert!(
        told.contains("it is not signed with this server's key"),
        "{told}"
    );
    assert_eq!(proof["head"]["number"], before);
}

#[actix_web::test]
async fn a_head_reaches_every_kind_of_witness() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heads.ndjson");
    let socket = UnixDatagram::bind(folder.path().join("log")).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let http = listener.local_addr().unwrap();
    // It refuses once: the head must come again.
    let posted = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        for status in ["503 Service Unavailable", "204 No Content"] {
            let (stream, _) = listener.accept().unwrap();
            bodies.push(answer(stream, status));
        }
        bodies
    });
    let witnesses = vec![
        format!("file:{}", file.display()),
        format!("syslog:{}", folder.path().join("log").display()),
        format!("syslog:{}", udp.local_addr().unwrap()),
        format!("http://{http}/heads"),
    ];
    let app = TestApp::start_with(|config| config.auditing.audit_witnesses = witnesses).await;
    let admin = app.administrator().await;
    let all = |proof: &Value| {
        let witnesses = proof["witnesses"].as_array().unwrap();
        witnesses.len() == 4 && witnesses.iter().all(|it| it["taken"] == 1)
    };
    let state = proof_until(&admin, all).await;
    assert_eq!(state["witnesses"][3]["failures"], 1);
    assert_eq!(state["witnesses"][3]["error"], Value::Null);

    let mut lines = vec![std::fs::read_to_string(&file).unwrap()];
    let mut packet = vec![0; 65_536];
    let len = socket.recv(&mut packet).unwrap();
    lines.push(String::from_utf8(packet[..len].to_vec()).unwrap());
    let len = udp.recv(&mut packet).unwrap();
    lines.push(String::from_utf8(packet[..len].to_vec()).unwrap());
    let bodies = posted.join().unwrap();
    assert_eq!(bodies[0], bodies[1]);
    lines.extend(bodies);
    let path = "/.well-known/secure-messaging-audit.json";
    let published = app.client().get(path).await.json();
    let key = Header::parse_key(published["verify_key"].as_str().unwrap()).unwrap();
    for line in lines {
        let line = &line[line.find('{').unwrap()..];
        let head = Witnessed::parse(line.trim().as_bytes()).unwrap();
        assert_eq!(head.head().head.record_id, 1);
        let mut outside = Outside::under(key.clone());
        outside.line(line.as_bytes()).unwrap();
        assert_eq!(outside.len(), 1, "both signatures hold");
    }
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Reads a request and answers; gives its body.
fn answer(stream: std::net::TcpStream, status: &str) -> String {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    String::from_utf8(body).unwrap()
}

#[actix_web::test]
async fn a_witness_that_is_away_is_seen_on_the_page_and_in_the_measurements() {
    let folder = tempfile::tempdir().unwrap();
    let away = format!("file:{}/no/such/folder/heads", folder.path().display());
    let app =
        TestApp::start_with(|config| config.auditing.audit_witnesses = vec![away.clone()]).await;
    let admin = app.administrator().await;
    let failed = |proof: &Value| proof["witnesses"][0]["failures"].as_u64() > Some(0);
    let witness = proof_until(&admin, failed).await["witnesses"][0].clone();
    assert_eq!(witness["address"], away);
    assert_eq!(witness["waiting"], 1);
    assert!(witness["error"].as_str().unwrap().contains("No such file"));
    let metrics = app.metrics().await;
    let value = |name: &str| {
        let line = metrics
            .lines()
            .find(|line| line.starts_with(&format!("secure_messaging_{name} ")));
        line.unwrap()
            .rsplit_once(' ')
            .unwrap()
            .1
            .parse::<u64>()
            .unwrap()
    };
    assert!(value("audit_witness_failures") > 0);
    assert_eq!(value("audit_witness_waiting"), 1);
    assert_eq!(value("audit_head_record"), 1);
    assert_eq!(value("audit_rolled_back"), 0);
}

#[actix_web::test]
async fn old_records_leave_by_the_door_and_the_log_still_verifies() {
    let app = TestApp::start_with(|config| config.auditing.audit_retention_days = 1).await;
    let admin = app.administrator().await;
    let store = app.app.store();
    let newest = store.audit_tip().await.unwrap().id;
    assert!(newest > 3);
    app.advance(86_400 - 100).await;
    let first = || async {
        let chunk = store.audit_chunk(0, 1_000, true).await.unwrap();
        let records = chunk.items.into_iter().filter_map(|item| match item {
            AuditItem::Record(record, _) => Some((record.id, record.action)),
            _ => None,
        });
        records.collect::<Vec<_>>()
    };
    assert_eq!(first().await[0].0, 1, "the control: nothing is a day old");
    // What expired meanwhile is a new record, so that the old ones are not the newest.
    app.advance(86_400).await;
    app.advance(2).await;
    let left = first().await;
    assert!(left[0].0 > newest, "{left:?}");
    assert!(left.iter().any(|(_, action)| action == "audit.retention"));
    drop(admin);
    let auditor = app.app.auditor();
    let verified = auditor.verify(store, app.app.ambient()).await.unwrap();
    assert_eq!(verified.findings, Vec::<String>::new());
    assert_eq!(verified.from, left[0].0);
    assert!(verified.covers(left[0].0));
}
