//! Rate limits: 429 with Retry-After, and open again with time.

use protocol::opaque;
use serde_json::json;

use crate::support::{
    Account, Answer, Client, Passphrase, RECOVERY_PROOF, TestApp, b64, cheap_upload, rng, safe,
    submission, unb64, waiting_slot,
};

async fn begin(client: &Client, handle: &str) -> Answer {
    let (_, request) = opaque::login_start(&mut rng(), b"x").unwrap();
    let body = json!({"handle": handle, "request": b64(&request)});
    client.post("/api/v1/session/start", &body).await
}

#[actix_web::test]
async fn sign_ins_are_limited_before_they_reach_the_audit_log() {
    let app = TestApp::start_with(|config| config.sign_ins_per_minute = 5).await;
    app.administrator().await;
    let client = app.client();
    let mut refused = 0;
    for n in 0..20 {
        let answer = begin(&client, &format!("guess{n}")).await;
        if answer.status == 429 {
            refused += 1;
            assert!(answer.headers.contains_key("retry-after"));
            assert_eq!(answer.code(), "too-many-requests");
            continue;
        }
        let body = json!({"token": answer.json()["token"], "finalization": b64(&[0; 64])});
        client
            .post("/api/v1/session/finish", &body)
            .await
            .expect(401);
    }
    assert_eq!(refused, 15);
    let failed = store::AuditFilter {
        action: Some("sign_in.failed".to_owned()),
        ..store::AuditFilter::default()
    };
    assert_eq!(app.app.store().count_audit(failed).await.unwrap(), 5);
    app.advance(12).await;
    begin(&client, "guess").await.expect(200);
}

#[actix_web::test]
async fn registrations_are_limited_by_address() {
    let app = TestApp::start_with(|config| config.registrations_per_hour = 3).await;
    app.administrator().await;
    let (request, _) = cheap_upload();
    for n in 0..4 {
        let body = json!({"handle": format!("p{n}"), "request": b64(request)});
        let answer = app.client().post("/api/v1/registration/start", &body).await;
        // The administrator's was the first.
        assert_eq!(answer.status, if n < 2 { 200 } else { 429 });
    }
}

#[actix_web::test]
async fn look_ups_and_claims_are_limited_for_each_account() {
    let app = TestApp::start_with(|config| {
        config.lookups_per_minute = 4;
        config.claims_per_minute = 2;
    })
    .await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob: Account = app.account("bob").await;
    for n in 0..6 {
        let answer = alice.client.get("/api/v1/users/by-handle/stranger").await;
        assert_eq!(answer.status, if n < 4 { 404 } else { 429 });
    }
    let path = format!("/api/v1/users/{}/bundles", bob.user_id);
    for n in 0..4 {
        let answer = alice.client.post(&path, &json!({})).await;
        assert_eq!(answer.status, if n < 2 { 200 } else { 429 });
    }
    bob.client
        .get("/api/v1/users/by-handle/alice")
        .await
        .expect(200);
}

#[actix_web::test]
async fn an_account_begins_to_write_to_so_many_people_and_goes_on_with_those_it_knows() {
    let app = TestApp::start_with(|config| {
        config.new_people_per_hour = 2;
        config.session_idle_secs = 1_000_000;
        config.session_absolute_secs = 1_000_000;
    })
    .await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let post = async |from: &Account, to: [u8; 16], id: u8| {
        let message = submission([id; 16], false, vec![waiting_slot(to, b"slot")], b"body");
        from.post(message).await
    };
    post(&alice, [7; 16], 1).await.expect(201);
    post(&alice, bob.id(), 2).await.expect(201);
    let refused = post(&alice, [9; 16], 3).await.expect(429);
    assert_eq!(refused.code(), "too-many-requests");
    assert!(refused.headers.contains_key("retry-after"));
    // Whom she wrote to, and who wrote to her, is no beginning; nor does an answer count as one.
    post(&alice, bob.id(), 4).await.expect(201);
    for (id, stranger) in [(5, [3; 16]), (6, [4; 16])] {
        post(&bob, stranger, id).await.expect(201);
    }
    post(&bob, alice.id(), 7).await.expect(201);
    app.advance(1800).await;
    post(&alice, [9; 16], 8).await.expect(201);
    // A day later they are strangers again.
    app.advance(86_400).await;
    for (id, status) in [(9, 201), (10, 201), (11, 429)] {
        post(&alice, [id; 16], id).await.expect(status);
    }
}

#[actix_web::test]
async fn few_messages_wait_for_somebody_who_never_wrote_back() {
    let app = TestApp::start_with(|config| config.vault_unanswered_messages = 3).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let carol = app.account("carol").await;
    let post = async |from: &Account, to: &Account, id: u8| {
        let slots = vec![waiting_slot(to.id(), b"slot")];
        let message = submission([id; 16], false, slots, b"body");
        from.post(message).await
    };
    for id in 1..4 {
        post(&alice, &bob, id).await.expect(201);
    }
    let refused = post(&alice, &bob, 4).await.expect(429);
    assert_eq!(refused.code(), "quota");
    assert_eq!(refused.headers["retry-after"], "60");
    // What waits already may be sealed anew, and nobody else is held up.
    let set = protocol::envelope::SlotSet {
        message_id: protocol::ids::MessageId::from_bytes([3; 16]),
        slots: vec![waiting_slot(bob.id(), b"anew")],
    };
    let again = alice.add_slots(set.encode()).await;
    again.expect(204);
    post(&alice, &carol, 5).await.expect(201);
    post(&carol, &bob, 6).await.expect(201);
    // What was read makes room for as much.
    let parcel = bob.claim([1; 16]).await.expect(200);
    let parcel = protocol::envelope::ParcelRef::decode(&parcel.body).unwrap();
    bob.held("ack", [1; 16], &parcel.token).await.expect(204);
    post(&alice, &bob, 7).await.expect(201);
    post(&alice, &bob, 8).await.expect(429);
    // Whoever was written to once is no stranger, in this direction alone.
    post(&bob, &alice, 9).await.expect(201);
    for id in 10..20 {
        post(&alice, &bob, id).await.expect(201);
    }
    for id in 20..25 {
        post(&bob, &alice, id).await.expect(201);
    }
    post(&carol, &bob, 30).await.expect(201);
    post(&carol, &bob, 31).await.expect(201);
    post(&carol, &bob, 32).await.expect(429);
}

#[actix_web::test]
async fn one_account_takes_at_most_a_quarter_of_a_stock_in_a_day() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let user = store::UserId::from_bytes(bob.id());
    let claims = app.app.claims();
    let store = app.app.store();
    let now = app.app.ambient().now();
    let alice_id = store::UserId::from_bytes(alice.id());
    // Thirty sessions of one account, each with its own claim.
    let batches = (2..12_u32).map(|n| crate::support::public_material(&bob.user_id, n, now));
    let mut one_time = 0;
    for (round, batch) in batches.enumerate() {
        let body = json!({"batch": batch["prekeys"]});
        bob.client.put("/api/v1/prekeys", &body).await.expect(200);
        for session in 0..3_u8 {
            let session = store::SessionId::from_bytes([round as u8 * 3 + session; 32]);
            let given = claims
                .claim(store, session, alice_id, user, now)
                .await
                .unwrap()
                .unwrap();
            let prekey = protocol::prekeys::ClaimedPrekey::decode(&given).unwrap();
            one_time += usize::from(prekey.one_time.is_some());
        }
    }
    assert_eq!(one_time, 25);
}

#[actix_web::test]
async fn nobody_locks_an_owner_out_who_signed_in_from_that_browser_before() {
    const PASSPHRASE: Passphrase = Passphrase("an owner knows this by heart");
    let app = TestApp::start_with(|config| config.sign_ins_per_minute = 3).await;
    app.administrator().await;
    let owner = Account::register_with(app.client(), "owner", None, PASSPHRASE)
        .await
        .unwrap();
    let browser = owner.client;
    browser.delete("/api/v1/session").await.expect(204);
    let guesser = app.client();
    for _ in 0..30 {
        begin(&guesser, "owner").await;
    }
    begin(&guesser, "owner").await.expect(429);
    // The same address, another browser: it has to wait like the guesser.
    let stranger = begin(&app.client(), "owner").await.expect(429);
    let told = stranger.json();
    let seconds = told["retry_after"].as_u64().unwrap();
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .contains(&format!("{seconds} seconds"))
    );
    let back = Account::sign_in(browser, "owner", PASSPHRASE)
        .await
        .unwrap();
    back.client.get("/api/v1/session").await.expect(200);
    // That the limit fired is written down, once and then with a count.
    app.advance(0).await;
    let fired = || store::AuditFilter {
        action: Some("limits.fired".to_owned()),
        user_id: Some(store::UserId::from_bytes(back.id())),
        ..store::AuditFilter::default()
    };
    let listed = app.app.store().count_audit(fired()).await.unwrap();
    assert_eq!(listed, 3);
    app.advance(600).await;
    let page = app
        .app
        .store()
        .query_audit(fired(), None, 10)
        .await
        .unwrap();
    assert_eq!(page.records[0].details["count"], 26);
}

#[actix_web::test]
async fn a_browser_is_not_known_any_more_after_the_passphrase_was_changed_elsewhere() {
    let app = TestApp::start_with(|config| config.sign_ins_per_minute = 2).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let client = app.client();
    client.set_device(alice.client.device());
    for _ in 0..4 {
        begin(&app.client(), "alice").await;
    }
    begin(&client, "alice").await.expect(200);
    let elsewhere = app.client();
    let (state, request) = opaque::register_start(&mut rng(), b"another passphrase").unwrap();
    let body = json!({
        "handle": "alice", "proof": b64(RECOVERY_PROOF), "request": b64(&request),
    });
    let started = elsewhere
        .post("/api/v1/recovery/start", &body)
        .await
        .expect(200)
        .json();
    let (upload, _) = state
        .finish(&mut rng(), &unb64(&started["response"]))
        .unwrap();
    let body = json!({
        "token": started["token"], "upload": b64(&upload), "safe": safe(2),
        "prekey_safe": {"version": 2, "data": b64(b"prekeys again")},
    });
    elsewhere
        .post("/api/v1/recovery/finish", &body)
        .await
        .expect(200);
    begin(&elsewhere, "alice").await.expect(200);
    begin(&client, "alice").await.expect(429);
}

#[actix_web::test]
async fn sign_in_recovery_and_reauthentication_do_not_use_up_each_others_tries() {
    let app = TestApp::start_with(|config| config.sign_ins_per_minute = 2).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let stranger = app.client();
    for _ in 0..6 {
        begin(&stranger, "alice").await;
    }
    let (request, _) = cheap_upload();
    let recovery = json!({"handle": "alice", "proof": b64(b"a guess"), "request": b64(request)});
    let answer = stranger.post("/api/v1/recovery/start", &recovery).await;
    assert_eq!(answer.status, 401, "a wrong proof, and no limit");
    for expected in [200, 200, 429] {
        let (_, request) = opaque::login_start(&mut rng(), b"x").unwrap();
        let body = json!({"request": b64(&request)});
        let path = "/api/v1/session/reauth/start";
        alice.client.post(path, &body).await.expect(expected);
    }
}

#[actix_web::test]
async fn changes_that_the_audit_log_keeps_are_limited_for_each_account() {
    let app = TestApp::start_with(|config| {
        config.changes_per_hour = 5;
        config.session_idle_secs = 10_000;
    })
    .await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    let count = async || {
        let all = store::AuditFilter::default();
        app.app.store().count_audit(all).await.unwrap()
    };
    let before = count().await;
    let mut taken = 0;
    for n in 0..40 {
        let name = json!({"alias": format!("Alice the {n}th")});
        let answer = alice.client.put("/api/v1/account", &name).await;
        taken += u32::from(answer.status == 204);
    }
    assert_eq!(taken, 5);
    let refused = alice.client.post("/api/v1/invites", &json!({})).await;
    refused.expect(429);
    assert_eq!(count().await, before + 5);
    // An administrator's acts likewise; the first was to open registration.
    for expected in [204, 204, 204, 204, 429] {
        let mode = json!({"mode": "open"});
        let path = "/api/v1/admin/registration";
        admin.client.put(path, &mode).await.expect(expected);
    }
    app.advance(3_600).await;
    let name = json!({"alias": "Alice again"});
    alice.client.put("/api/v1/account", &name).await.expect(204);
}

#[actix_web::test]
async fn failures_beyond_a_rate_are_one_record_with_a_count() {
    let app = TestApp::start_with(|config| config.sign_ins_per_minute = 10).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    for _ in 0..50 {
        let answer = alice.client.get("/api/v1/admin/users").await;
        assert_eq!(answer.status, 403);
    }
    let refused = || store::AuditFilter {
        action: Some("admin.refused".to_owned()),
        ..store::AuditFilter::default()
    };
    assert_eq!(app.app.store().count_audit(refused()).await.unwrap(), 10);
    app.advance(600).await;
    let page = app
        .app
        .store()
        .query_audit(refused(), None, 20)
        .await
        .unwrap();
    assert_eq!(page.records.len(), 11);
    assert_eq!(page.records[0].details["count"], 40);
}
