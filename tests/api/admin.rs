//! What administrators see, and that everybody else's attempt is written down.

use serde_json::{Value, json};

use crate::support::{Account, TestApp, random_id, submission, waiting_slot};

async fn audit(admin: &Account, query: &str) -> Value {
    let path = format!("/api/v1/admin/audit{query}");
    admin.client.get(&path).await.expect(200).json()
}

fn actions(page: &Value) -> Vec<&str> {
    let records = page["records"].as_array().unwrap();
    records
        .iter()
        .map(|record| record["action"].as_str().unwrap())
        .collect()
}

#[actix_web::test]
async fn the_audit_log_is_newest_first_filtered_and_paged() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    app.advance(100).await;
    alice.client.delete("/api/v1/session").await.expect(204);
    let all = audit(&admin, "").await;
    let ids: Vec<u64> = all["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["id"].as_u64().unwrap())
        .collect();
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]));
    assert_eq!(actions(&all)[0], "session.signed_out");
    assert!(actions(&all).contains(&"server.started"));

    let mine = audit(&admin, "?user=ALICE").await;
    assert_eq!(
        actions(&mine),
        [
            "session.signed_out",
            "session.created",
            "keys.published",
            "account.registered"
        ]
    );
    assert!(
        mine["records"]
            .as_array()
            .unwrap()
            .iter()
            .all(|r| r["handle"] == "alice")
    );
    let by_action = audit(&admin, "?action=session.created").await;
    assert_eq!(actions(&by_action), ["session.created", "session.created"]);
    let late = audit(&admin, &format!("?from={}", crate::support::START + 100)).await;
    assert_eq!(actions(&late), ["session.signed_out"]);
    let early = audit(&admin, &format!("?to={}", crate::support::START + 99)).await;
    assert!(!actions(&early).contains(&"session.signed_out"));
    assert_eq!(audit(&admin, "?user=nobody").await["records"], json!([]));

    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let page = audit(&admin, &format!("?limit=3{before}")).await;
        seen.extend(
            page["records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["id"].as_u64().unwrap()),
        );
        match page["next"].as_u64() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
}

#[actix_web::test]
async fn everybody_else_is_refused_and_the_attempt_is_audited() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    for path in ["audit", "stats", "users"] {
        let path = format!("/api/v1/admin/{path}");
        assert_eq!(
            alice.client.get(&path).await.expect(403).code(),
            "forbidden"
        );
        assert_eq!(
            app.client().get(&path).await.expect(401).code(),
            "signed-out"
        );
    }
    let mode = json!({"mode": "closed"});
    alice
        .client
        .put("/api/v1/admin/registration", &mode)
        .await
        .expect(403);
    let refused = audit(&admin, "?action=admin.refused&user=alice").await;
    assert_eq!(actions(&refused).len(), 4);
    assert_eq!(
        refused["records"][0]["details"]["route"],
        "/api/v1/admin/registration"
    );
    assert_eq!(refused["records"][0]["details"]["status"], 403);
}

#[actix_web::test]
async fn a_choice_is_written_down_before_and_after() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let chosen = audit(&admin, "?user=admin&limit=2").await;
    assert_eq!(
        actions(&chosen),
        ["admin.registration.done", "admin.registration.intent"]
    );
    assert_eq!(chosen["records"][0]["details"]["mode"], "open");
    let server = app.client().get("/api/v1/server").await.json();
    assert_eq!(server["registration"], "open");
}

#[actix_web::test]
async fn neither_figures_nor_records_say_who_talks_to_whom() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let before = audit(&admin, "").await["records"].as_array().unwrap().len();
    let id = random_id();
    let bytes = submission(id, true, vec![waiting_slot(bob.id(), b"s")], b"sealed");
    alice.post(bytes).await.expect(201);
    let path = format!("/api/v1/users/{}/bundles", bob.user_id);
    alice.client.post(&path, &json!({})).await.expect(200);
    alice
        .client
        .get("/api/v1/users/by-handle/bob")
        .await
        .expect(200);
    bob.claim(id).await.expect(200);

    let log = audit(&admin, "?limit=200").await;
    assert_eq!(
        log["records"].as_array().unwrap().len(),
        before,
        "nothing was written"
    );
    assert!(!log.to_string().contains(&hex::encode(id)));
    let stats = admin
        .client
        .get("/api/v1/admin/stats")
        .await
        .expect(200)
        .json();
    assert_eq!(stats["users"], 3);
    assert_eq!(stats["active_sessions"], 3);
    assert_eq!(stats["messages_held"], 1);
    assert_eq!(stats["bytes_held"], ephemeral::cost(7, 1));
    assert!(stats["next_expiry"].as_u64().unwrap() > app.app.ambient().now());
    for name in ["alice", "bob", &alice.user_id, &bob.user_id] {
        assert!(!stats.to_string().contains(name));
    }
    let metrics = app.metrics().await;
    assert!(metrics.contains("route=\"/api/v1/users/{id}/bundles\""));
    for name in [
        "alice",
        "bob",
        &alice.user_id,
        &bob.user_id,
        &hex::encode(id),
    ] {
        assert!(!metrics.contains(name), "{name}");
    }
}

#[actix_web::test]
async fn accounts_are_listed_page_by_page() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    for n in 0..4 {
        app.account(&format!("person{n}")).await;
    }
    let first = admin
        .client
        .get("/api/v1/admin/users?limit=3")
        .await
        .expect(200)
        .json();
    assert_eq!(first["users"].as_array().unwrap().len(), 3);
    let next = first["next"].as_str().unwrap();
    let rest = admin
        .client
        .get(&format!("/api/v1/admin/users?limit=3&after={next}"))
        .await
        .json();
    assert_eq!(rest["users"].as_array().unwrap().len(), 2);
    assert_eq!(rest["next"], Value::Null);
}
