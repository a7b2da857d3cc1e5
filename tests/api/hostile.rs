//! Bad input: problem documents with the right status, no 5xx, no crash, memory flat.

use hyper::Method;
use hyper::body::Bytes;
use secure_messaging::routes::TABLE;
use serde_json::json;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Account, Spawned, TestApp, TestSocket, random_id};

type Headers = &'static [(&'static str, &'static str)];

fn address(path: &str) -> String {
    path.replace("{id}", &hex::encode([0; 16]))
        .replace("{handle}", "nobody")
        .replace("{path:.*}", "none.js")
}

#[actix_web::test]
async fn every_endpoint_refuses_every_kind_of_bad_body_with_a_problem_document() {
    let app = TestApp::start().await;
    app.administrator().await;
    let json_kind: Headers = &[("content-type", "application/json")];
    let text_kind: Headers = &[("content-type", "text/plain")];
    let octets: Headers = &[("content-type", "application/octet-stream")];
    let deep = "[".repeat(50_000);
    let bodies: Vec<(&str, Headers, Vec<u8>)> = vec![
        ("broken JSON", json_kind, b"{\"a\":".to_vec()),
        ("JSON of another shape", json_kind, b"[1,2,3]".to_vec()),
        ("deep JSON", json_kind, deep.into_bytes()),
        (
            "bad UTF-8",
            json_kind,
            b"{\"handle\":\"\xff\xfe\"}".to_vec(),
        ),
        ("NUL", json_kind, b"\0\0\0\0".to_vec()),
        ("wrong content type", text_kind, b"{}".to_vec()),
        ("no content type", &[], b"{}".to_vec()),
        ("octets", octets, vec![0x30; 300]),
        (
            "octets of the right beginning",
            octets,
            [vec![0x30, 1, 1], vec![0xff; 300]].concat(),
        ),
        ("three mebibytes", json_kind, vec![b' '; 3 << 20]),
        ("nothing", json_kind, Vec::new()),
    ];
    let mut seen = 0;
    for row in TABLE.iter().filter(|row| row.method != "GET") {
        // Those take no body, so that none is bad.
        let bodiless = row.input.is_none();
        let account = app.account(&format!("p{seen}")).await;
        for (name, kind, body) in &bodies {
            let method: Method = row.method.parse().unwrap();
            let sent = account
                .client
                .try_send(method, &address(row.path), kind, Bytes::from(body.clone()))
                .await;
            seen += 1;
            // A server may answer and close before it has read three mebibytes.
            let Ok(answer) = sent else {
                assert_eq!(*name, "three mebibytes", "{} {name}", row.path);
                continue;
            };
            let status = answer.status.as_u16();
            assert!(
                status < 500,
                "{} {}: {name}: {status}",
                row.method,
                row.path
            );
            if answer.status.is_success() {
                // Where every member may be left out, a body without any of them is none that is bad.
                let optional = ["/claim", "/account", "/invites"];
                let harmless = bodiless || optional.iter().any(|end| row.path.ends_with(end));
                assert!(harmless, "{} {}: {name}: {status}", row.method, row.path);
            } else {
                answer.code();
            }
        }
    }
    assert!(seen > 200);
    app.client().get("/health/ready").await.expect(200);
}

#[actix_web::test]
async fn bad_bodies_get_the_status_that_names_what_is_bad() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let send = |kind: &'static str, body: Vec<u8>| {
        let client = &alice.client;
        async move {
            let headers = [("content-type", kind)];
            let path = "/api/v1/invites";
            client.send(Method::POST, path, &headers, body.into()).await
        }
    };
    assert_eq!(
        send("application/json", b"{".to_vec())
            .await
            .expect(400)
            .code(),
        "malformed-request"
    );
    assert_eq!(
        send("text/plain", b"{}".to_vec()).await.expect(415).code(),
        "wrong-content-type"
    );
    let large = vec![b' '; 65 << 10];
    assert_eq!(
        send("application/json", large).await.expect(413).code(),
        "too-large"
    );
    let sealed = format!("/api/v1/messages/sealed/{}", hex::encode([0; 16]));
    let answer = alice.client.post(&sealed, &json!({})).await.expect(415);
    assert_eq!(answer.code(), "wrong-content-type");
    let answer = alice.status(&vec![[0; 16]; 257]).await;
    assert_eq!(answer.expect(400).code(), "malformed-request");
}

#[actix_web::test]
async fn odd_ids_in_addresses_are_unknown_ids() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    for odd in [
        "x",
        "%00",
        "%ff%fe",
        "..",
        "%2e%2e%2f",
        "ZZ",
        &"a".repeat(5_000),
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        for pattern in [
            "/api/v1/users/{}",
            "/api/v1/users/by-handle/{}",
            "/static/{}",
        ] {
            let answer = admin.client.get(&pattern.replace("{}", odd)).await;
            assert!(
                [404, 503].contains(&answer.status.as_u16()),
                "{pattern} {odd}"
            );
        }
        let sealed = format!("/api/v1/messages/sealed/{odd}");
        assert_eq!(admin.client.get(&sealed).await.status, 404, "{odd}");
        let answer = admin.client.post_octets(&sealed, vec![0; 17]).await;
        assert_eq!(answer.status, 404, "{odd}");
        let session = format!("/api/v1/sessions/{odd}");
        assert_eq!(admin.client.delete(&session).await.status, 404, "{odd}");
    }
    for query in ["?from=x", "?limit=-1", "?before=99999999999999999999999"] {
        let answer = admin
            .client
            .get(&format!("/api/v1/admin/audit{query}"))
            .await
            .expect(400);
        assert_eq!(answer.code(), "malformed-request");
    }
}

#[actix_web::test]
async fn unknown_ids_leave_nothing_behind() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    for _ in 0..500 {
        alice.claim(random_id()).await.expect(404);
        let sealed = format!("/api/v1/messages/sealed/{}", hex::encode(random_id()));
        alice.client.get(&sealed).await.expect(404);
        socket
            .say(json!({"t": "claim", "id": hex::encode(random_id())}))
            .await;
        socket.text_of("refused").await;
    }
    let stats = app.app.vault().stats().await.unwrap();
    assert_eq!((stats.messages, stats.bytes, stats.tombstones), (0, 0, 0));
}

#[actix_web::test]
async fn a_connection_may_send_a_hundred_malformed_frames_and_then_no_more() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    for n in 0..100 {
        socket
            .send(format!("{{\"t\":\"none{n}\"}}").as_bytes())
            .await
            .unwrap();
        let refused = socket.text_of("refused").await;
        assert_eq!(refused["re"], "frame");
    }
    socket.say(json!({"t": "ping"})).await;
    socket.text_of("pong").await;
    socket.send(&[9; 10]).await.unwrap();
    assert_eq!(socket.closed().await, Some(4400));
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    socket
        .send_unsealed(Message::binary(vec![0x30; (16 << 10) + 1]))
        .await
        .unwrap();
    assert!(
        matches!(socket.closed().await, Some(4400) | None),
        "larger than a frame may be"
    );
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Sends `connections` × 100 malformed frames of several kinds.
async fn malformed(account: &Account, connections: usize) {
    for n in 0..connections {
        let (mut socket, _) = TestSocket::connect(&account.client).await;
        for kind in 0..101_usize {
            let payload: &[u8] = match (n + kind) % 5 {
                0 => b"{",
                1 => b"{\"t\":\"claim\",\"id\":\"zz\"}",
                2 => &[0x30, 1, 1, 0xff, 0xff],
                3 => &[0x31; 2_000],
                _ => b"\0",
            };
            if socket.send(payload).await.is_err() {
                break;
            }
        }
        assert!(matches!(socket.closed().await, Some(4400) | None));
    }
}

#[actix_web::test]
async fn a_hundred_thousand_malformed_frames_leave_the_server_as_it_was() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let secret = server.setup_secret();
    let right = Some(("setup", secret.as_str()));
    let admin = Account::register(server.client(), "admin", right)
        .await
        .unwrap();
    malformed(&admin, 50).await;
    let before = resident_kib(server.pid());
    malformed(&admin, 1_000).await;
    let after = resident_kib(server.pid());
    assert!(
        after < before + 8 * 1024,
        "{before} KiB before, {after} KiB after"
    );
    admin.client.get("/api/v1/session").await.expect(200);
    let metrics = server.metrics().await;
    let line = metrics
        .lines()
        .find(|l| l.starts_with("secure_messaging_malformed_frames_total "));
    let counted: u64 = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(counted >= 100_000, "{counted}");
    assert!(!metrics.contains("status=\"5"), "no 5xx");
    assert!(!server.log().contains("panicked"));
}
