//! What ends sessions ends what is on its way to become one.

use protocol::opaque;
use serde_json::{Value, json};

use super::credentials::reauthenticate;
use crate::support::{
    Account, Client, Passphrase, RECOVERY_PROOF, TestApp, b64, cheap_upload, public_material, rng,
    safe, unb64,
};

const OLD: Passphrase = Passphrase("the passphrase of before");
const NEW: Passphrase = Passphrase("the passphrase from now on");

async fn alice(app: &TestApp) -> Account {
    app.administrator().await;
    Account::register_with(app.client(), "alice", None, OLD)
        .await
        .unwrap()
}

/// Begins a sign-in with the right passphrase; returns what finishes it.
async fn sign_in_begun(client: &Client) -> Value {
    let (state, request) = opaque::login_start(&mut rng(), OLD.0.as_bytes()).unwrap();
    let body = json!({"handle": "alice", "request": b64(&request)});
    let started = client.post("/api/v1/session/start", &body).await;
    let started = started.expect(200).json();
    let response = unb64(&started["response"]);
    let (finalization, _) = state.finish(&mut rng(), &response).unwrap();
    json!({"token": started["token"], "finalization": b64(&finalization)})
}

/// Begins a recovery; returns what finishes it.
async fn recovery_begun(client: &Client) -> Value {
    let (state, request) = opaque::register_start(&mut rng(), NEW.0.as_bytes()).unwrap();
    let body = json!({"handle": "alice", "proof": b64(RECOVERY_PROOF), "request": b64(&request)});
    let started = client.post("/api/v1/recovery/start", &body).await;
    let started = started.expect(200).json();
    let response = unb64(&started["response"]);
    let (upload, _) = state.finish(&mut rng(), &response).unwrap();
    json!({
        "token": started["token"], "upload": b64(&upload), "safe": safe(2),
        "prekey_safe": {"version": 2, "data": b64(b"prekeys again")},
    })
}

async fn refused(client: &Client, path: &str, body: &Value) {
    let answer = client.post(path, body).await.expect(409);
    assert_eq!(answer.code(), "token-expired");
    client.get("/api/v1/session").await.expect(401);
}

#[actix_web::test]
async fn a_sign_in_begun_with_the_old_passphrase_does_not_finish_after_a_recovery() {
    let app = TestApp::start().await;
    alice(&app).await;
    let late = app.client();
    let begun = sign_in_begun(&late).await;
    let other = app.client();
    let second = recovery_begun(&other).await;
    let recovering = app.client();
    let body = recovery_begun(&recovering).await;
    let finished = recovering.post("/api/v1/recovery/finish", &body).await;
    finished.expect(200);
    refused(&late, "/api/v1/session/finish", &begun).await;
    refused(&other, "/api/v1/recovery/finish", &second).await;
}

#[actix_web::test]
async fn a_sign_in_begun_with_the_old_passphrase_does_not_finish_after_it_was_changed() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let proof = reauthenticate(&alice.client, OLD).await.expect(200).json();
    let again = reauthenticate(&alice.client, OLD).await.expect(200).json();
    let late = app.client();
    let begun = sign_in_begun(&late).await;
    let (state, request) = opaque::register_start(&mut rng(), NEW.0.as_bytes()).unwrap();
    let body = json!({"request": b64(&request)});
    let started = alice.client.post("/api/v1/passphrase/start", &body).await;
    let started = started.expect(200).json();
    let (upload, _) = state
        .finish(&mut rng(), &unb64(&started["response"]))
        .unwrap();
    let body = json!({
        "token": started["token"], "reauth_token": proof["reauth_token"],
        "upload": b64(&upload), "safe": safe(2),
        "prekey_safe": {"version": 2, "data": b64(b"prekeys again")},
    });
    let changed = alice.client.post("/api/v1/passphrase/finish", &body).await;
    changed.expect(204);
    refused(&late, "/api/v1/session/finish", &begun).await;
    // Nor is a proof of the old passphrase good for anything in the session that stays.
    let body = json!({"reauth_token": again["reauth_token"]});
    let deletion = alice.client.post("/api/v1/account/delete", &body).await;
    assert_eq!(deletion.expect(403).code(), "reauth-failed");
    Account::sign_in(app.client(), "alice", NEW).await.unwrap();
}

#[actix_web::test]
async fn what_was_begun_does_not_finish_after_everything_else_was_signed_out() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let late = app.client();
    let begun = sign_in_begun(&late).await;
    let other = app.client();
    let recovery = recovery_begun(&other).await;
    let proof = reauthenticate(&alice.client, OLD).await.expect(200).json();
    let path = "/api/v1/sessions/revoke-others";
    alice.client.post(path, &proof).await.expect(204);
    refused(&late, "/api/v1/session/finish", &begun).await;
    refused(&other, "/api/v1/recovery/finish", &recovery).await;
    alice.client.get("/api/v1/session").await.expect(200);
    // What is begun afterwards finishes, also when the ending is long forgotten.
    let begun = sign_in_begun(&late).await;
    late.post("/api/v1/session/finish", &begun)
        .await
        .expect(200);
    app.advance(660).await;
    let begun = sign_in_begun(&other).await;
    other
        .post("/api/v1/session/finish", &begun)
        .await
        .expect(200);
}

async fn registration_begun(app: &TestApp, handle: &str, client: &Client) -> Value {
    let (request, upload) = cheap_upload();
    let body = json!({"handle": handle, "request": b64(request)});
    let started = client.post("/api/v1/registration/start", &body).await;
    let started = started.expect(200).json();
    let user_id = started["user_id"].as_str().unwrap();
    let mut body = public_material(user_id, 1, app.app.ambient().now());
    body["token"] = started["token"].clone();
    body["upload"] = b64(upload).into();
    body["alias"] = "somebody".into();
    body["safe"] = safe(1);
    body["prekey_safe"] = json!({"version": 1, "data": b64(b"sealed prekeys")});
    body
}

#[actix_web::test]
async fn a_registration_begun_before_registration_was_closed_does_not_finish() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    for mode in ["closed", "invite"] {
        let choose = async |mode: &str| {
            let path = "/api/v1/admin/registration";
            let body = json!({"mode": mode});
            admin.client.put(path, &body).await.expect(204);
        };
        let client = app.client();
        let begun = registration_begun(&app, mode, &client).await;
        choose(mode).await;
        let refused = client.post("/api/v1/registration/finish", &begun).await;
        assert_eq!(refused.expect(403).code(), "registration-closed");
        choose("open").await;
        let begun = registration_begun(&app, mode, &client).await;
        let made = client.post("/api/v1/registration/finish", &begun).await;
        made.expect(201);
    }
}
