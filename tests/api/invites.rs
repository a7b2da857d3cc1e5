//! Invites that are opened by people who have an account.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Account, Answer, TestApp};

/// Makes an invite and gives its code.
async fn made(by: &Account, invite: Value) -> String {
    let made = by.client.post("/api/v1/invites", &invite).await;
    let made = made.expect(201).json();
    made["code"].as_str().unwrap().to_owned()
}

async fn opens(who: &Account, code: &str) -> Answer {
    let body = json!({"code": code});
    who.client.post("/api/v1/invites/use", &body).await
}

async fn uses(of: &Account) -> Value {
    let listed = of.client.get("/api/v1/invites").await.expect(200).json();
    listed[0]["uses"].clone()
}

async fn records(app: &TestApp, action: &str) -> Vec<store::AuditRecord> {
    let filter = store::AuditFilter {
        action: Some(action.to_owned()),
        ..store::AuditFilter::default()
    };
    let page = app.app.store().query_audit(filter, None, 50).await;
    page.unwrap().records
}

#[actix_web::test]
async fn whoever_has_an_account_uses_an_invite_and_the_next_one_is_refused() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let carol = app.account("carol").await;
    let code = made(&alice, json!({})).await;
    assert_eq!(uses(&alice).await, 0);

    let own = opens(&alice, &code).await.expect(403);
    assert_eq!(own.code(), "invite-unusable");
    assert_eq!(uses(&alice).await, 0);
    // Whoever lost the answer asks again, and is not counted again.
    for _ in 0..2 {
        opens(&bob, &code).await.expect(204);
        assert_eq!(uses(&alice).await, 1);
    }
    let refused = opens(&carol, &code).await.expect(403);
    assert_eq!(refused.code(), "invite-unusable");
    assert_eq!(uses(&alice).await, 1);
    let wish = json!({"handle": "dave", "alias": "Dave", "invite": code});
    let path = "/api/v1/registration/check";
    let refused = app.client().post(path, &wish).await.expect(403);
    assert_eq!(refused.code(), "invite-unusable");

    let used = records(&app, "invite.used").await;
    assert_eq!(used.len(), 1, "one use, one record");
    let record = &used[0];
    assert_eq!(record.user_id.unwrap().to_string(), bob.user_id);
    let details = record.details.to_string();
    for hidden in [&code, &alice.user_id] {
        assert!(!details.contains(hidden.as_str()), "{details}");
    }
}

#[actix_web::test]
async fn an_invite_that_is_unknown_withdrawn_or_too_old_is_not_used() {
    let app = TestApp::start_with(|config| config.session_idle_secs = 10_000).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let unusable = async |code: &str| {
        let refused = opens(&bob, code).await.expect(403);
        assert_eq!(refused.code(), "invite-unusable");
    };
    unusable(&"0".repeat(32)).await;
    let malformed = opens(&bob, "no code").await.expect(400);
    assert_eq!(malformed.code(), "malformed-request");

    let code = made(&alice, json!({"max_uses": 2})).await;
    opens(&bob, &code).await.expect(204);
    let listed = alice.client.get("/api/v1/invites").await.json();
    let id = listed[0]["id"].as_str().unwrap();
    let path = format!("/api/v1/invites/{id}");
    alice.client.delete(&path).await.expect(204);
    unusable(&code).await;

    let code = made(&alice, json!({"max_uses": 2, "life": 60})).await;
    opens(&bob, &code).await.expect(204);
    app.advance(60).await;
    unusable(&code).await;
    assert_eq!(records(&app, "invite.used").await.len(), 2);
}

#[actix_web::test]
async fn a_registration_with_an_invite_is_that_accounts_use() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    for mode in ["open", "invite"] {
        let path = "/api/v1/admin/registration";
        let change = json!({"mode": mode});
        admin.client.put(path, &change).await.expect(204);
        app.advance(1).await;
        let code = made(&alice, json!({})).await;
        let invite = Some(("invite", code.as_str()));
        let new = Account::register(app.client(), &format!("new-{mode}"), invite).await;
        assert_eq!(uses(&alice).await, 1);
        opens(&new.unwrap(), &code).await.expect(204);
        assert_eq!(uses(&alice).await, 1);
        opens(&bob, &code).await.expect(403);
    }
    assert!(records(&app, "invite.used").await.is_empty());
}

#[actix_web::test]
async fn of_many_who_open_an_invite_at_once_it_takes_as_many_as_it_says() {
    let app = TestApp::start_with(|config| config.workers = 4).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(app.account(&format!("person{n}")).await);
    }
    let code = made(&alice, json!({"max_uses": 3})).await;
    let answers = join_all(people.iter().map(|person| opens(person, &code))).await;
    let taken = answers.iter().filter(|answer| answer.status == 204).count();
    assert_eq!(taken, 3);
    assert_eq!(uses(&alice).await, 3);
    assert_eq!(records(&app, "invite.used").await.len(), 3);
}

#[actix_web::test]
async fn opening_invites_is_limited_for_each_account() {
    let app = TestApp::start_with(|config| config.changes_per_hour = 5).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let code = made(&alice, json!({})).await;
    for _ in 0..5 {
        opens(&bob, &"0".repeat(32)).await.expect(403);
    }
    let refused = opens(&bob, &code).await.expect(429);
    assert_eq!(refused.code(), "too-many-requests");
    assert_eq!(uses(&alice).await, 0);
}
