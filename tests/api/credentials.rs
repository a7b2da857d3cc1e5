//! Recovery, change of passphrase, safes, and a new identity.

use protocol::opaque;
use serde_json::{Value, json};

use crate::support::{
    Account, Client, Passphrase, RECOVERY_PROOF, TestApp, TestSocket, WRITE_PROOF, b64,
    public_material, rng, safe, unb64,
};

const OLD: Passphrase = Passphrase("the passphrase of before");
const NEW: Passphrase = Passphrase("the passphrase from now on");

async fn alice(app: &TestApp) -> Account {
    app.administrator().await;
    Account::register_with(app.client(), "alice", None, OLD)
        .await
        .unwrap()
}

async fn recovery(client: &Client, handle: &str, proof: &[u8]) -> crate::support::Answer {
    let (_, request) = opaque::register_start(&mut rng(), NEW.0.as_bytes()).unwrap();
    let body = json!({"handle": handle, "proof": b64(proof), "request": b64(&request)});
    client.post("/api/v1/recovery/start", &body).await
}

/// Proves the passphrase, or fails to.
pub(super) async fn reauthenticate(
    client: &Client,
    passphrase: Passphrase,
) -> crate::support::Answer {
    let (state, request) = opaque::login_start(&mut rng(), passphrase.0.as_bytes()).unwrap();
    let body = json!({"request": b64(&request)});
    let started = client
        .post("/api/v1/session/reauth/start", &body)
        .await
        .expect(200)
        .json();
    let response = unb64(&started["response"]);
    let finalization = match state.finish(&mut rng(), &response) {
        Ok((finalization, _)) => finalization,
        Err(_) => vec![0; 64],
    };
    let body = json!({"token": started["token"], "finalization": b64(&finalization)});
    client.post("/api/v1/session/reauth/finish", &body).await
}

#[actix_web::test]
async fn a_recovery_key_gives_a_new_passphrase_and_ends_every_other_session() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;

    let elsewhere = app.client();
    let (state, request) = opaque::register_start(&mut rng(), NEW.0.as_bytes()).unwrap();
    let body = json!({"handle": "alice", "proof": b64(RECOVERY_PROOF), "request": b64(&request)});
    let started = elsewhere
        .post("/api/v1/recovery/start", &body)
        .await
        .expect(200)
        .json();
    assert_eq!(started["user_id"], alice.user_id.as_str());
    assert_eq!(started["safe"]["version"], 1);
    let (upload, _) = state
        .finish(&mut rng(), &unb64(&started["response"]))
        .unwrap();
    let body = json!({
        "token": started["token"],
        "upload": b64(&upload),
        "safe": safe(2),
        "prekey_safe": {"version": 2, "data": b64(b"prekeys again")},
    });
    elsewhere
        .post("/api/v1/recovery/finish", &body)
        .await
        .expect(200);
    elsewhere.get("/api/v1/session").await.expect(200);
    assert_eq!(socket.closed().await, Some(api::close::ACCOUNT_RECOVERED));
    alice.client.get("/api/v1/session").await.expect(401);
    assert!(Account::sign_in(app.client(), "alice", OLD).await.is_err());
    Account::sign_in(app.client(), "alice", NEW).await.unwrap();
}

#[actix_web::test]
async fn a_wrong_recovery_proof_is_refused_and_audited() {
    let app = TestApp::start().await;
    alice(&app).await;
    let refused = recovery(&app.client(), "alice", b"a guess")
        .await
        .expect(401);
    assert_eq!(refused.code(), "recovery-failed");
    let admin = store::AuditFilter {
        action: Some("account.recovery_failed".to_owned()),
        ..store::AuditFilter::default()
    };
    assert_eq!(app.app.store().count_audit(admin).await.unwrap(), 1);
}

#[actix_web::test]
async fn a_changed_passphrase_needs_the_old_one_and_keeps_only_this_session() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let other = Account::sign_in(app.client(), "alice", OLD).await.unwrap();
    let (mut socket, _) = TestSocket::connect(&other.client).await;
    let refused = reauthenticate(&alice.client, NEW).await.expect(403);
    assert_eq!(refused.code(), "reauth-failed");
    let proof = reauthenticate(&alice.client, OLD).await.expect(200).json();

    let (state, request) = opaque::register_start(&mut rng(), NEW.0.as_bytes()).unwrap();
    let body = json!({"request": b64(&request)});
    let started = alice
        .client
        .post("/api/v1/passphrase/start", &body)
        .await
        .expect(200)
        .json();
    let (upload, _) = state
        .finish(&mut rng(), &unb64(&started["response"]))
        .unwrap();
    let mut body = json!({
        "token": started["token"],
        "reauth_token": b64(b"made up"),
        "upload": b64(&upload),
        "safe": safe(2),
        "prekey_safe": {"version": 2, "data": b64(b"prekeys again")},
    });
    let refused = alice
        .client
        .post("/api/v1/passphrase/finish", &body)
        .await
        .expect(403);
    assert_eq!(refused.code(), "reauth-failed");
    body["reauth_token"] = proof["reauth_token"].clone();
    // One wrap too many is refused before the proof is used up.
    let mut more = body.clone();
    let wrap = json!({"kind": "of_a_later_version", "data": b64(b"something else")});
    more["safe"]["wraps"].as_array_mut().unwrap().push(wrap);
    let refused = alice.client.post("/api/v1/passphrase/finish", &more).await;
    assert_eq!(refused.expect(400).code(), "malformed-request");
    alice
        .client
        .post("/api/v1/passphrase/finish", &body)
        .await
        .expect(204);

    alice.client.get("/api/v1/session").await.expect(200);
    assert_eq!(socket.closed().await, Some(api::close::PASSPHRASE_CHANGED));
    other.client.get("/api/v1/session").await.expect(401);
    Account::sign_in(app.client(), "alice", NEW).await.unwrap();
    // The proof was used up, and another session's proof is none.
    let spent = alice
        .client
        .post("/api/v1/passphrase/finish", &body)
        .await
        .expect(403);
    assert_eq!(spent.code(), "reauth-failed");
}

fn write(expected: u64, version: u64, proof: &[u8]) -> Value {
    json!({
        "write_proof": b64(proof),
        "expected_version": expected,
        "safe": {"version": version, "data": b64(b"merged")},
    })
}

#[actix_web::test]
async fn a_version_that_no_database_holds_is_no_version() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let largest = i64::MAX as u64;
    for path in ["/api/v1/safe", "/api/v1/prekey-safe"] {
        for (expected, version) in [(1, u64::MAX), (1, largest + 1), (u64::MAX - 1, u64::MAX)] {
            let body = write(expected, version, WRITE_PROOF);
            let refused = alice.client.put(path, &body).await.expect(400);
            assert_eq!(refused.code(), "malformed-request", "{path} {version}");
        }
        let body = write(1, largest, WRITE_PROOF);
        alice.client.put(path, &body).await.expect(204);
        let body = write(largest, largest, WRITE_PROOF);
        assert_eq!(alice.client.put(path, &body).await.status, 400);
    }
    let safes = alice.client.get("/api/v1/safe").await.expect(200).json();
    assert_eq!(safes["safe"]["version"], largest);
}

#[actix_web::test]
async fn of_two_tabs_that_write_a_safe_one_loses_and_is_given_the_other_version() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    for path in ["/api/v1/safe", "/api/v1/prekey-safe"] {
        let put = |body: Value| {
            let client = &alice.client;
            async move { client.put(path, &body).await }
        };
        put(write(1, 2, WRITE_PROOF)).await.expect(204);
        let told = socket.text_of("safe").await;
        let written = if path.ends_with("prekey-safe") {
            "prekey_version"
        } else {
            "version"
        };
        assert_eq!(told[written], 2);
        let lost = put(write(1, 2, WRITE_PROOF)).await.expect(409);
        assert_eq!(lost.code(), "safe-conflict");
        assert_eq!(lost.json()["current"]["version"], 2);
        assert_eq!(unb64(&lost.json()["current"]["data"]), b"merged");
        assert_eq!(
            put(write(2, 3, b"a guess")).await.expect(403).code(),
            "wrong-proof"
        );
    }
    let same = "/api/v1/safe?version=2&prekey_version=2";
    alice.client.get(same).await.expect(204);
    for other in ["version=2&prekey_version=1", "version=1&prekey_version=2"] {
        let path = format!("/api/v1/safe?{other}");
        assert_eq!(
            alice.client.get(&path).await.expect(200).json()["safe"]["version"],
            2
        );
    }
    let safes = alice.client.get("/api/v1/safe").await.expect(200).json();
    assert_eq!(safes["safe"]["version"], 2);
    assert_eq!(safes["prekey_safe"]["version"], 2);
    let wraps = safes["safe"]["wraps"].as_array().unwrap();
    let of = |wrap: &Value| (wrap["kind"].clone(), unb64(&wrap["data"]));
    assert_eq!(
        wraps.iter().map(of).collect::<Vec<_>>(),
        [
            (json!("passphrase"), b"under the passphrase".to_vec()),
            (json!("recovery_key"), b"under the recovery key".to_vec()),
        ]
    );
}

#[actix_web::test]
async fn a_new_identity_needs_the_passphrase_again() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let now = app.app.ambient().now();
    let mut body = public_material(&alice.user_id, 2, now);
    body["safe"] = safe(2);
    body["prekey_safe"] = json!({"version": 2, "data": b64(b"prekeys again")});
    body["reauth_token"] = b64(b"made up").into();
    alice
        .client
        .put("/api/v1/public-keys", &body)
        .await
        .expect(403);
    let proof = reauthenticate(&alice.client, OLD).await.expect(200).json();
    body["reauth_token"] = proof["reauth_token"].clone();
    alice
        .client
        .put("/api/v1/public-keys", &body)
        .await
        .expect(204);
    let stock = alice.client.get("/api/v1/prekeys").await.expect(200).json();
    assert_eq!(stock["batch_number"], 2);
}

#[actix_web::test]
async fn the_resume_half_lives_in_memory_and_dies_with_the_session() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    alice.client.get("/api/v1/session/resume").await.expect(404);
    let half = json!({"half": b64(&[9; 32])});
    alice
        .client
        .put("/api/v1/session/resume", &half)
        .await
        .expect(204);
    let kept = alice
        .client
        .get("/api/v1/session/resume")
        .await
        .expect(200)
        .json();
    assert_eq!(kept, half);
    alice
        .client
        .delete("/api/v1/session/resume")
        .await
        .expect(204);
    alice.client.get("/api/v1/session/resume").await.expect(404);
}
