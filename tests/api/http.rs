//! What every answer has in common.

use hyper::Method;
use hyper::body::Bytes;
use secure_messaging::routes::TABLE;
use serde_json::json;

use crate::support::{TestApp, TestSocket, random_id};

const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; \
worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
require-trusted-types-for 'script'; trusted-types app";

#[actix_web::test]
async fn every_answer_carries_the_headers_of_the_design() {
    let app = TestApp::start().await;
    for path in [
        "/",
        "/api/v1/server",
        "/nothing",
        "/api/v1/session",
        "/static/x.js",
    ] {
        let answer = app.client().get(path).await;
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-security-policy"), CSP, "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(header("permissions-policy").contains("camera=()"));
        assert!(answer.headers.contains_key("cache-control"));
        assert!(
            !answer.headers.contains_key("strict-transport-security"),
            "plain HTTP"
        );
    }
}

#[actix_web::test]
async fn a_body_in_another_character_set_is_refused() {
    let app = TestApp::start().await;
    let ask = async |kind: &'static str| {
        let client = app.client();
        let (path, kind) = ("/api/v1/session/start", [("content-type", kind)]);
        let body = Bytes::from_static(b"{}");
        client.send(Method::POST, path, &kind, body).await
    };
    for kind in [
        "application/json; charset=utf-16",
        "application/json; charset=\"iso-8859-1\"",
    ] {
        let refused = ask(kind).await.expect(415);
        assert_eq!(refused.code(), "wrong-content-type", "{kind}");
        assert!(refused.headers.contains_key("content-security-policy"));
    }
    for kind in ["application/json; charset=UTF-8", "application/json"] {
        assert_eq!(
            ask(kind).await.expect(400).code(),
            "malformed-request",
            "{kind}"
        );
    }
}

/// The first line of the answer to a head that asks whether its body is wanted.
async fn asked(app: &TestApp, path: &str, length: usize) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nx-secure-messaging: 1\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    answer.lines().next().unwrap_or_default().to_owned()
}

#[actix_web::test]
async fn whoever_asks_before_sending_a_body_is_refused_at_once() {
    let app = TestApp::start().await;
    let start = "/api/v1/session/start";
    assert_eq!(asked(&app, start, 100).await, "HTTP/1.1 100 Continue");
    let large = asked(&app, start, 100_000).await;
    assert!(large.starts_with("HTTP/1.1 413"), "{large}");
    let safe = "/api/v1/registration/finish";
    assert_eq!(asked(&app, safe, 100_000).await, "HTTP/1.1 100 Continue");
    for path in ["/api/v1/messages/sealed/00", "/api/v1/account/delete"] {
        let nobody = asked(&app, path, 100).await;
        assert!(nobody.starts_with("HTTP/1.1 401"), "{nobody}");
    }
}

#[actix_web::test]
async fn what_another_site_makes_a_browser_send_is_refused() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let own = format!("http://{}", app.address);
    let try_with = |headers: Vec<(&'static str, String)>| {
        let client = &alice.client;
        async move {
            let headers: Vec<(&str, &str)> = headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let path = "/api/v1/session/active";
            client
                .send(Method::POST, path, &headers, Bytes::new())
                .await
                .status
                .as_u16()
        }
    };
    assert_eq!(try_with(vec![("origin", own.clone())]).await, 204);
    assert_eq!(
        try_with(vec![("sec-fetch-site", "same-origin".into())]).await,
        204
    );
    assert_eq!(try_with(vec![]).await, 204, "a native client");
    for headers in [
        vec![("origin", "http://evil.example".into())],
        vec![("origin", "null".into())],
        vec![("origin", own.replace("http:", "https:"))],
        vec![("sec-fetch-site", "cross-site".into())],
        vec![("sec-fetch-site", "same-site".into())],
        vec![
            ("origin", own.clone()),
            ("sec-fetch-site", "cross-site".into()),
        ],
        vec![
            ("origin", "http://evil.example".into()),
            ("x-secure-messaging", "1".into()),
        ],
        vec![("x-secure-messaging", "0".into())],
    ] {
        assert_eq!(try_with(headers.clone()).await, 403, "{headers:?}");
    }
    // Reading is not refused: a link from elsewhere must open a page.
    let foreign = [("sec-fetch-site", "cross-site")];
    alice
        .client
        .send(Method::GET, "/api/v1/server", &foreign, Bytes::new())
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_socket_from_another_origin_or_without_a_session_is_refused() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let path = format!("/api/v1/ws?live_id={}", hex::encode(random_id()));
    let handshake = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let mut foreign = handshake.to_vec();
    foreign.push(("origin", "http://evil.example"));
    let answer = alice
        .client
        .send(Method::GET, &path, &foreign, Bytes::new())
        .await
        .expect(403);
    assert_eq!(answer.code(), "foreign-origin");
    assert!(TestSocket::open(&app.client(), random_id()).await.is_err());
    TestSocket::connect(&alice.client).await;
}

#[actix_web::test]
async fn an_upgrade_that_opens_no_socket_is_ignored() {
    let app = TestApp::start().await;
    let client = app.client();
    for headers in [
        &[
            ("connection", "Upgrade, HTTP2-Settings"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
        ][..],
        &[("upgrade", "h2c")],
        &[("upgrade", "websocket")],
        &[("connection", "upgrade")],
    ] {
        let foreign = [headers, &[("sec-fetch-site", "cross-site")]].concat();
        client
            .send(Method::GET, "/api/v1/server", &foreign, Bytes::new())
            .await
            .expect(200);
    }
}

#[actix_web::test]
async fn unknown_addresses_and_methods_are_problem_documents() {
    let app = TestApp::start().await;
    let client = app.client();
    assert_eq!(
        client.get("/api/v1/nothing").await.expect(404).code(),
        "not-found"
    );
    let answer = client.delete("/api/v1/server").await.expect(405);
    assert_eq!(answer.headers["allow"], "GET");
    assert_eq!(answer.code(), "method-not-allowed");
    let head = client
        .send(Method::HEAD, "/health/live", &[], Bytes::new())
        .await
        .expect(200);
    assert!(head.body.is_empty());
}

#[actix_web::test]
async fn every_endpoint_is_described_and_every_description_answers() {
    let app = TestApp::start().await;
    let document = app
        .client()
        .get("/api/v1/openapi.json")
        .await
        .expect(200)
        .json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described += 1;
            let address = path
                .replace("{id}", &hex::encode([0; 16]))
                .replace("{handle}", "nobody")
                .replace("{service}", "nobody")
                .replace("{path}", "none.js");
            let method = method.to_uppercase();
            let in_table = TABLE
                .iter()
                .any(|row| row.method == method && row.path.replace(":.*", "") == *path);
            assert!(in_table, "{method} {path}");
            let method: Method = method.parse().unwrap();
            let answer = app.client().json(method, &address, &json!({})).await;
            assert_ne!(answer.status, 405, "{address}");
            let unknown =
                answer.status == 404 && answer.body.windows(11).any(|w| w == b"\"not-found\"");
            assert!(!unknown || path.starts_with("/static"), "{address}");
        }
    }
    assert_eq!(described, TABLE.len());
}

#[actix_web::test]
async fn health_and_well_known_addresses_answer() {
    let app = TestApp::start().await;
    let client = app.client();
    assert_eq!(
        client.get("/health/live").await.expect(200).json()["status"],
        "live"
    );
    let ready = client.get("/health/ready").await.expect(200).json();
    assert_eq!(
        ready,
        json!({"status": "ready", "database": "ok", "keys": "ok", "bundle": "missing"})
    );
    let security = client.get("/.well-known/security.txt").await.expect(200);
    let text = String::from_utf8(security.body.to_vec()).unwrap();
    assert!(
        text.contains("Contact: ") && text.contains("Expires: 2027-"),
        "{text}"
    );
    let change = client.get("/.well-known/change-password").await.expect(302);
    assert_eq!(change.headers["location"], "/settings#passphrase");
}

#[actix_web::test]
async fn measurements_are_read_at_an_address_of_their_own_and_only_where_one_is_set() {
    let app = TestApp::start().await;
    app.administrator().await;
    app.client().get("/metrics").await.expect(404);
    let before = app.metrics().await;
    assert!(before.contains("secure_messaging_users 0\n"), "{before}");
    // What the database holds is read by a job, and not by whoever asks.
    app.advance(60).await;
    let figures = app.metrics().await;
    assert!(figures.contains("secure_messaging_users 1\n"), "{figures}");
    assert!(figures.contains("secure_messaging_active_sessions 1\n"));
    let records = app.app.store().count_audit(store::AuditFilter::default());
    let records = records.await.unwrap();
    let line = format!("secure_messaging_audit_records {records}\n");
    assert!(figures.contains(&line), "{line}{figures}");
    assert_eq!(
        secure_messaging::config::Config::default().metrics_addr,
        None
    );
}
