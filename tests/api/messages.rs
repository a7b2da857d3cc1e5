//! Messages, from the submission to their end.

use protocol::envelope::{Parcel, SlotSet};
use protocol::ids::MessageId;
use serde_json::{Value, json};

use crate::support::{Account, TestApp, live_slot, random_id, submission, waiting_slot};

async fn two(app: &TestApp) -> (Account, Account) {
    app.administrator().await;
    (app.account("alice").await, app.account("bob").await)
}

async fn post(from: &Account, to: &Account, burn: bool, body: &[u8]) -> [u8; 16] {
    let id = random_id();
    let bytes = submission(id, burn, vec![waiting_slot(to.id(), b"slot")], body);
    let sent = from.post(bytes).await.expect(201).json();
    assert_eq!(sent["id"], hex::encode(id));
    id
}

async fn status(of: &Account, id: [u8; 16]) -> Value {
    let answer = of.status(&[id]).await.expect(200).json();
    answer["states"][0]["state"].clone()
}

async fn claim(who: &Account, id: [u8; 16]) -> Parcel {
    Parcel::decode(&who.claim(id).await.expect(200).body).unwrap()
}

#[actix_web::test]
async fn a_message_waits_is_claimed_acknowledged_and_gone() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let id = post(&alice, &bob, true, b"sealed body").await;
    assert_eq!(status(&alice, id).await, "waiting");
    let waiting = bob.waiting().await.expect(200).json();
    assert_eq!(waiting["waiting"][0]["id"], hex::encode(id));
    assert_eq!(waiting["waiting"][0]["target"], "account");
    let in_use = bob
        .client
        .get("/api/v1/prekeys/in-use")
        .await
        .expect(200)
        .json();
    assert_eq!(in_use["ids"], json!([7]));

    let parcel = claim(&bob, id).await;
    assert_eq!(
        (parcel.slot.as_slice(), parcel.body.as_slice()),
        (&b"slot"[..], &b"sealed body"[..])
    );
    assert_eq!(status(&alice, id).await, "claimed");
    let taken = bob.claim(id).await.expect(409);
    assert_eq!(taken.code(), "taken");
    let stale = bob.held("ack", id, &[0; 16]).await.expect(409);
    assert_eq!(stale.code(), "stale-claim");
    let lease = bob.held("extend", id, &parcel.token).await;
    let lease = lease.expect(200).json();
    assert_eq!(lease["lease_ms"], 30_000);
    bob.held("ack", id, &parcel.token).await.expect(204);
    assert_eq!(status(&alice, id).await, "acknowledged");
    let gone = bob.claim(id).await.expect(404);
    assert_eq!(gone.code(), "gone");
    assert_eq!(app.app.vault().stats().await.unwrap().messages, 0);
}

#[actix_web::test]
async fn a_lease_that_runs_out_lets_the_message_wait_again() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let id = post(&alice, &bob, true, b"body").await;
    let first = claim(&bob, id).await;
    app.advance(31).await;
    assert_eq!(status(&alice, id).await, "waiting");
    let second = claim(&bob, id).await;
    bob.held("ack", id, &first.token).await.expect(409);
    let given_back = bob.held("cannot_open", id, &second.token).await;
    given_back.expect(204);
}

#[actix_web::test]
async fn a_message_nobody_reads_expires() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let id = post(&alice, &bob, false, b"body").await;
    app.advance(1700).await;
    alice
        .client
        .post_empty("/api/v1/session/active")
        .await
        .expect(204);
    bob.client
        .post_empty("/api/v1/session/active")
        .await
        .expect(204);
    app.advance(1700).await;
    assert_eq!(status(&alice, id).await, "waiting");
    alice
        .client
        .post_empty("/api/v1/session/active")
        .await
        .expect(204);
    bob.client
        .post_empty("/api/v1/session/active")
        .await
        .expect(204);
    app.advance(201).await;
    bob.claim(id).await.expect(404);
    assert_eq!(app.app.vault().stats().await.unwrap().messages, 0);
    assert_ne!(status(&alice, id).await, "waiting");
}

#[actix_web::test]
async fn nobody_else_sees_claims_or_asks_about_a_message() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let carol = app.account("carol").await;
    let id = post(&alice, &bob, true, b"body").await;
    let refused = carol.claim(id).await.expect(404);
    assert_eq!(refused.code(), "gone");
    assert_eq!(status(&carol, id).await, "unknown");
    assert_eq!(
        status(&bob, id).await,
        "unknown",
        "the recipient did not post it"
    );
    let waiting = carol.waiting().await.json();
    assert_eq!(waiting["waiting"], json!([]));
    let set = SlotSet {
        message_id: MessageId::from_bytes(id),
        slots: vec![waiting_slot(carol.id(), b"mine")],
    };
    carol.add_slots(set.encode()).await.expect(404);
    claim(&bob, id).await;
}

#[actix_web::test]
async fn the_poster_adds_a_waiting_slot_to_a_message_for_a_session_that_left() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let id = random_id();
    let bytes = submission(
        id,
        true,
        vec![live_slot(bob.id(), [5; 16], b"live")],
        b"body",
    );
    alice.post(bytes.clone()).await.expect(201);
    let duplicate = alice.post(bytes).await.expect(409);
    assert_eq!(duplicate.code(), "duplicate-message");
    bob.claim(id).await.expect(404);
    let set = SlotSet {
        message_id: MessageId::from_bytes(id),
        slots: vec![waiting_slot(bob.id(), b"waiting")],
    };
    alice.add_slots(set.encode()).await.expect(204);
    assert_eq!(claim(&bob, id).await.slot, b"waiting");
}

#[actix_web::test]
async fn a_body_of_a_mebibyte_passes_and_a_larger_one_is_refused() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let body: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    let id = post(&alice, &bob, false, &body).await;
    assert_eq!(claim(&bob, id).await.body, body);
    let larger = vec![0; (1 << 20) + 1];
    let bytes = submission(
        random_id(),
        false,
        vec![waiting_slot(bob.id(), b"s")],
        &larger,
    );
    let refused = alice.post(bytes).await.expect(413);
    assert_eq!(refused.code(), "too-large");
}

#[actix_web::test]
async fn quotas_refuse_with_retry_after_and_evict_nothing() {
    let app = TestApp::start_with(|config| {
        config.vault_account_messages = 3;
        config.vault_bytes = 20_000;
    })
    .await;
    let (alice, bob) = two(&app).await;
    let carol = app.account("carol").await;
    for _ in 0..3 {
        post(&alice, &bob, false, b"body").await;
    }
    let one = |to: &Account, size: usize| {
        submission(
            random_id(),
            false,
            vec![waiting_slot(to.id(), b"s")],
            &vec![1; size],
        )
    };
    let refused = alice.post(one(&bob, 4)).await.expect(429);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.code(), "quota");
    let full = carol.post(one(&bob, 20_000)).await.expect(507);
    assert!(full.headers.contains_key("retry-after"));
    assert_eq!(full.code(), "vault-full");
    let waiting = bob.waiting().await.json();
    assert_eq!(waiting["waiting"].as_array().unwrap().len(), 3);
}
