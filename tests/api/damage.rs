//! Rows that were changed in the file: a problem with a logged cause, and everybody else goes on.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Account, Answer, TestApp};

fn change(app: &TestApp, sql: &str) {
    let path = app.app.config().database_path().unwrap();
    let connection = Connection::open(path).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
}

/// A problem document that keeps its cause to itself.
fn is_a_problem(answer: &Answer) {
    assert_eq!(answer.status, 500, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.code(), "internal");
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(!text.contains("changed by somebody"), "{text}");
}

/// Forgets what is remembered of an account's sessions.
async fn forget(app: &TestApp, account: &Account) {
    let user = store::UserId::from_bytes(account.id());
    let now = app.app.ambient().now();
    for (session, _) in app.app.store().list_sessions(user, now).await.unwrap() {
        app.app.sessions().end(user, &[session], 4401).await;
    }
}

async fn records(app: &TestApp, action: &str) -> Vec<Value> {
    let filter = store::AuditFilter {
        action: Some(action.to_owned()),
        ..store::AuditFilter::default()
    };
    let page = app.app.store().query_audit(filter, None, 50).await;
    let records = page.unwrap().records.into_iter();
    records.map(|record| record.details).collect()
}

#[actix_web::test]
async fn a_session_that_was_lengthened_in_the_file_is_a_problem_and_no_empty_answer() {
    let app = TestApp::start().await;
    app.administrator().await;
    let (alice, bob) = (app.account("alice").await, app.account("bob").await);
    forget(&app, &alice).await;
    change(
        &app,
        &format!(
            "UPDATE sessions SET absolute_expires_at = absolute_expires_at + 1
             WHERE user_id = x'{}'",
            alice.user_id
        ),
    );
    is_a_problem(&alice.client.get("/api/v1/session").await);
    is_a_problem(&alice.client.get("/api/v1/safe").await);
    // What needs no session goes on with the same cookie, and so does everybody else.
    alice.client.get("/api/v1/server").await.expect(200);
    bob.client.get("/api/v1/session").await.expect(200);
    for _ in 0..2 {
        app.advance(60).await;
        let told = records(&app, "store.row_damaged").await;
        assert_eq!(told.len(), 1, "once since the start: {told:?}");
        assert_eq!(told[0]["table"], "sessions");
    }
}

#[actix_web::test]
async fn an_administrator_who_was_made_in_the_file_is_damage() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let (alice, bob) = (app.account("alice").await, app.account("bob").await);
    change(
        &app,
        &format!(
            "UPDATE users SET role = 'admin' WHERE user_id = x'{}'",
            alice.user_id
        ),
    );
    // Whoever is signed in already is looked at again when an account is changed.
    app.app.sessions().look_again().await.unwrap();
    is_a_problem(&alice.client.get("/api/v1/admin/users").await);
    bob.client.get("/api/v1/session").await.expect(200);

    let users = admin.client.get("/api/v1/admin/users").await;
    let users = users.expect(200).json();
    let handles: Vec<&str> = users["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["handle"].as_str().unwrap())
        .collect();
    assert_eq!(handles, ["admin", "bob"]);
    assert_eq!(users["damaged"].as_array().unwrap().len(), 1);
    assert_eq!(users["damaged"][0]["user_id"], json!(alice.user_id));
    let page = admin.client.get("/api/v1/admin/audit?limit=200").await;
    let page = page.expect(200).json();
    assert!(page["records"].as_array().unwrap().len() > 5);
}
