//! Whoever proves the passphrase may delete their own account, and with it everything of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::credentials::reauthenticate;
use crate::support::{Account, Answer, Client, Passphrase, TestApp, TestSocket, b64, post_waiting};

const PATH: &str = "/api/v1/account/delete";
const OLD: Passphrase = Passphrase("the passphrase of an account that goes");

async fn alice(app: &TestApp) -> Account {
    Account::register_with(app.client(), "alice", None, OLD)
        .await
        .unwrap()
}

async fn delete(client: &Client, token: &Value) -> Answer {
    client.post(PATH, &json!({ "reauth_token": token })).await
}

async fn proof(client: &Client) -> Value {
    let proven = reauthenticate(client, OLD).await.expect(200).json();
    proven["reauth_token"].clone()
}

async fn records(app: &TestApp) -> Vec<store::AuditRecord> {
    let filter = store::AuditFilter {
        action: Some("account.erased".to_owned()),
        ..store::AuditFilter::default()
    };
    let store = app.app.store();
    store.query_audit(filter, None, 10).await.unwrap().records
}

#[actix_web::test]
async fn a_cookie_alone_and_the_proof_of_another_session_delete_nothing() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = alice(&app).await;
    let other = Account::sign_in(app.client(), "alice", OLD).await.unwrap();
    alice.client.post(PATH, &json!({})).await.expect(400);
    let made_up = json!(b64(b"made up"));
    let refused = delete(&alice.client, &made_up).await.expect(403);
    assert_eq!(refused.code(), "reauth-failed");
    let of_another = proof(&other.client).await;
    let refused = delete(&alice.client, &of_another).await.expect(403);
    assert_eq!(refused.code(), "reauth-failed");
    app.client().post(PATH, &json!({})).await.expect(401);
    for session in [&alice, &other] {
        session.client.get("/api/v1/session").await.expect(200);
    }
    assert!(records(&app).await.is_empty());
}

#[actix_web::test]
async fn a_deleted_account_is_out_everywhere_and_nothing_of_it_waits_in_memory() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let alice = alice(&app).await;
    let other = Account::sign_in(app.client(), "alice", OLD).await.unwrap();
    let bob = app.account("bob").await;
    let (mut one, _) = TestSocket::connect(&alice.client).await;
    let (mut two, _) = TestSocket::connect(&other.client).await;
    let (mut senders, _) = TestSocket::connect(&bob.client).await;
    post_waiting(&bob, &alice).await.expect(201);
    post_waiting(&alice, &bob).await.expect(201);
    post_waiting(&bob, &admin).await.expect(201);
    assert_eq!(app.app.vault().stats().await.unwrap().messages, 3);

    let token = proof(&alice.client).await;
    let start = Instant::now();
    let gone = delete(&alice.client, &token).await.expect(204);
    let cookie = gone.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("Max-Age=0"), "{cookie}");
    assert_eq!(one.closed().await, Some(api::close::ACCOUNT_CLOSED));
    assert_eq!(two.closed().await, Some(api::close::ACCOUNT_CLOSED));
    assert!(start.elapsed() < Duration::from_secs(1));
    for session in [&alice, &other] {
        session.client.get("/api/v1/session").await.expect(401);
    }
    // What waited for her and what she sent are gone; her sender is told as of any expiry.
    assert_eq!(app.app.vault().stats().await.unwrap().messages, 1);
    let told = senders.text_of("message").await;
    assert_eq!(told["state"], "expired");
    let waiting = bob.waiting().await.expect(200).json();
    assert_eq!(waiting["waiting"], json!([]));
    let waiting = admin.waiting().await.expect(200);
    assert_eq!(waiting.json()["waiting"].as_array().unwrap().len(), 1);

    // Nobody can write to her, or sign in as her, any more than to a handle that nobody has.
    let refused = post_waiting(&bob, &alice).await.expect(410);
    assert_eq!(refused.code(), "account-gone");
    let bundles = format!("/api/v1/users/{}/bundles", alice.user_id);
    let nobody = bob.client.post(&bundles, &json!({})).await.expect(404);
    assert_eq!(nobody.code(), "no-such-user");
    let entered = Account::sign_in(app.client(), "alice", OLD).await;
    let unknown = Account::sign_in(app.client(), "nobody", OLD).await;
    let (entered, unknown) = (entered.err().unwrap(), unknown.err().unwrap());
    assert_eq!(entered.code(), "sign-in-failed");
    assert_eq!(
        (entered.status, entered.body),
        (unknown.status, unknown.body)
    );
    for account in [&bob, &admin] {
        account.client.get("/api/v1/session").await.expect(200);
    }
    // The handle is free, and whoever takes it is somebody else.
    let another = app.account("alice").await;
    assert_ne!(another.user_id, alice.user_id);
    post_waiting(&bob, &another).await.expect(201);
}

#[actix_web::test]
async fn the_log_keeps_that_an_account_was_erased_and_not_whose_and_still_verifies() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = alice(&app).await;
    let token = proof(&alice.client).await;
    delete(&alice.client, &token).await.expect(204);
    let records = records(&app).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].user_id, None);
    let details = records[0].details.as_object().unwrap();
    assert_eq!(details["by"], "its owner");
    let text = records[0].details.to_string();
    for named in ["alice", &alice.user_id, "127.0.0.1"] {
        assert!(!text.contains(named), "{text}");
    }
    let store = app.app.store();
    store.verify_audit_chain().await.unwrap();
    let page = store.query_audit(Default::default(), None, 100).await;
    let user = store::UserId::from_bytes(alice.id());
    let records = page.unwrap().records;
    let of_her: Vec<_> = records
        .iter()
        .filter(|it| it.user_id == Some(user))
        .collect();
    assert!(!of_her.is_empty(), "the control");
    assert!(of_her.iter().all(|record| record.details.is_null()));
}

#[actix_web::test]
async fn the_last_administrator_is_told_to_make_another_one_first() {
    let app = TestApp::start().await;
    let secret = Some(("setup", app.setup_secret()));
    let admin = Account::register_with(app.client(), "admin", secret, OLD)
        .await
        .unwrap();
    post_waiting(&admin, &admin).await.expect(201);
    let token = proof(&admin.client).await;
    let refused = delete(&admin.client, &token).await.expect(409);
    assert_eq!(refused.code(), "last-administrator");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("admin promote HANDLE"), "{detail}");
    admin.client.get("/api/v1/session").await.expect(200);
    assert_eq!(
        app.app.vault().stats().await.unwrap().messages,
        1,
        "nothing was wiped"
    );
    assert!(records(&app).await.is_empty());
}
