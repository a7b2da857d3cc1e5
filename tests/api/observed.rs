//! What audit records say beside what happened: latency, status, reason, limits, the configuration.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{
    Account, Passphrase, TestApp, TestSocket, b64, random_id, submission, waiting_slot,
};

async fn records(app: &TestApp, action: &str) -> Vec<store::AuditRecord> {
    let filter = store::AuditFilter {
        action: Some(action.to_owned()),
        ..store::AuditFilter::default()
    };
    let page = app.app.store().query_audit(filter, None, 50).await;
    page.unwrap().records
}

#[actix_web::test]
async fn a_record_of_a_request_has_its_number_status_and_latency() {
    let app = TestApp::start_with(|config| {
        config.lookups_per_minute = 1;
        config.vault_bytes = 5_000;
    })
    .await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    let client = &alice.client;
    let stranger = app.client();
    stranger.get("/api/v1/admin/stats").await.expect(401);
    admin.client.get("/api/v1/admin/users").await.expect(200);
    client
        .get("/api/v1/users/by-handle/admin")
        .await
        .expect(200);
    client
        .get("/api/v1/users/by-handle/admin")
        .await
        .expect(429);
    let too_much = || {
        let slots = vec![waiting_slot(admin.id(), b"slot")];
        submission(random_id(), false, slots, &[1; 5_000])
    };
    let full = admin.post(too_much()).await;
    full.expect(507);
    let boot = app.app.boot().id().to_string();
    let mut numbers = HashSet::new();
    app.advance(0).await;
    for (action, status) in [
        ("account.registered", 200),
        ("session.created", 200),
        ("admin.users_viewed", 200),
        ("admin.refused", 401),
        ("limits.fired", 429),
        ("vault.full", 507),
    ] {
        let found = records(&app, action).await;
        assert!(!found.is_empty(), "{action}");
        for record in found {
            let details = &record.details;
            assert_eq!(details["status"], status, "{action}: {details}");
            assert!(details["latency_ms"].is_u64(), "{action}: {details}");
            let number = details["request_id"].as_str().unwrap().to_owned();
            // No other start of the server gives the same.
            assert!(number.starts_with(&boot[..16]), "{action}: {number}");
            numbers.insert(number);
        }
    }
    assert_eq!(numbers.len(), 6, "{numbers:?}");

    // What is asked over a socket bears the number of the request that opened it, and its own latency.
    let (mut socket, _) = TestSocket::connect(client).await;
    app.account("carol").await;
    // It is open for a while, and the server's clock stands still while it answers.
    app.advance(40).await;
    socket.send_binary(too_much()).await;
    assert_eq!(socket.text_of("refused").await["code"], "vault-full");
    app.advance(0).await;
    let full = records(&app, "vault.full").await;
    assert_eq!(full.len(), 2);
    let details = &full[0].details;
    assert_eq!(details["status"], 507, "{details}");
    let number = details["request_id"].as_str().unwrap().to_owned();
    assert!(numbers.insert(number), "{details}");
    assert_eq!(details["latency_ms"], 0, "{details}");

    let other = TestApp::start().await;
    assert_ne!(other.app.boot().id().to_string()[..16], boot[..16]);
}

#[actix_web::test]
async fn a_failed_sign_in_says_why_to_administrators_only() {
    let app = TestApp::start().await;
    app.administrator().await;
    let right = Passphrase("the right passphrase");
    Account::register_with(app.client(), "alice", None, right)
        .await
        .unwrap();
    let wrong = Passphrase("a wrong passphrase");
    let mut answers = Vec::new();
    for handle in ["alice", "nobody"] {
        let Err(refused) = Account::sign_in(app.client(), handle, wrong).await else {
            panic!("{handle} signed in")
        };
        assert_eq!(refused.status, 401);
        answers.push(refused.json());
    }
    let body = json!({"token": b64(b"made up"), "finalization": b64(&[0; 64])});
    let spent = app.client().post("/api/v1/session/finish", &body).await;
    answers.push(spent.expect(401).json());
    assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
    let reasons: Vec<Value> = records(&app, "sign_in.failed")
        .await
        .into_iter()
        .rev()
        .map(|record| {
            assert_eq!(record.details["status"], 401);
            record.details["reason"].clone()
        })
        .collect();
    assert_eq!(
        reasons,
        [
            "the passphrase is wrong",
            "there is no such account, or it is disabled",
            "the token was used, has expired or is another server's",
        ]
    );
}

#[actix_web::test]
async fn calls_of_administrators_addresses_are_written_down_whoever_makes_them() {
    let app = TestApp::start().await;
    app.administrator().await;
    for path in ["audit", "stats"] {
        let path = format!("/api/v1/admin/{path}");
        app.client().get(&path).await.expect(401);
    }
    let refused = records(&app, "admin.refused").await;
    assert_eq!(refused.len(), 2);
    for record in refused {
        assert_eq!(record.user_id, None);
        assert_eq!(record.details["status"], 401);
    }
}

#[actix_web::test]
async fn the_start_says_what_is_configured_and_no_password() {
    let app = TestApp::start_with(|config| {
        config.lookups_per_minute = 77;
        config.backups.backup_s3_endpoint = Some("https://id:a-secret@host".to_owned());
    })
    .await;
    let started = records(&app, "server.started").await;
    let configuration = &started[0].details["configuration"];
    assert_eq!(configuration["lookups_per_minute"], 77);
    assert_eq!(
        configuration["backup_s3_endpoint"],
        "https://id:[redacted]@host"
    );
    assert!(
        configuration.get("session_idle_secs").is_none(),
        "a default"
    );
    let text = started[0].details.to_string();
    assert!(!text.contains("a-secret"), "{text}");
}
