//! What ends at one instance ends at every other, and what goes on at one goes on at every other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use servers::Postgres;

use api::Blob;
use api::bodies::{SignInFinish, SignInStart, SignInStarted};
use protocol::opaque;

use super::{Community, until};
use crate::support::{
    Account, Answer, Client, Passphrase, TestApp, TestSocket, b64, random_id, rng, safe,
    submission, unb64, waiting_slot,
};

/// Sooner than what looks at every session again, each minute.
const SOON: Duration = Duration::from_secs(20);

const OLD: Passphrase = Passphrase("known before it was changed");
const NEW: Passphrase = Passphrase("known after it was changed");

/// Begins to sign in; answers what finishes it.
async fn begin(client: &Client, passphrase: Passphrase) -> Value {
    let (state, request) = opaque::login_start(&mut rng(), passphrase.0.as_bytes()).unwrap();
    let start = json!(SignInStart {
        handle: "alice".to_owned(),
        request: Blob::from(request),
    });
    let started = client.post("/api/v1/session/start", &start).await;
    let started: SignInStarted = serde_json::from_slice(&started.expect(200).body).unwrap();
    let (finalization, _) = state.finish(&mut rng(), &started.response).unwrap();
    json!(SignInFinish {
        token: started.token,
        finalization: Blob::from(finalization),
        device_name: None,
    })
}

async fn finish(client: &Client, finish: &Value) -> Answer {
    client.post("/api/v1/session/finish", finish).await
}

/// Proves the passphrase again; answers the proof.
async fn reauthenticate(client: &Client, passphrase: Passphrase) -> Value {
    let (state, request) = opaque::login_start(&mut rng(), passphrase.0.as_bytes()).unwrap();
    let start = json!({"request": b64(&request)});
    let started = client.post("/api/v1/session/reauth/start", &start).await;
    let started = started.expect(200).json();
    let (finalization, _) = state
        .finish(&mut rng(), &unb64(&started["response"]))
        .unwrap();
    let body = json!({"token": started["token"], "finalization": b64(&finalization)});
    let proven = client.post("/api/v1/session/reauth/finish", &body).await;
    proven.expect(200).json()["reauth_token"].clone()
}

/// Changes the passphrase.
async fn change(client: &Client, proof: &Value) {
    let (state, request) = opaque::register_start(&mut rng(), NEW.0.as_bytes()).unwrap();
    let start = json!({"request": b64(&request)});
    let started = client.post("/api/v1/passphrase/start", &start).await;
    let started = started.expect(200).json();
    let (upload, _) = state
        .finish(&mut rng(), &unb64(&started["response"]))
        .unwrap();
    let body = json!({
        "token": started["token"],
        "reauth_token": proof,
        "upload": b64(&upload),
        "safe": safe(2),
        "prekey_safe": {"version": 2, "data": b64(b"prekeys again")},
    });
    let changed = client.post("/api/v1/passphrase/finish", &body).await;
    changed.expect(204);
}

#[actix_web::test]
async fn a_change_of_passphrase_at_one_instance_is_one_at_every_other() {
    let (mut community, _admin) = Community::start(2, 1).await;
    let here = community.at(0).client();
    let alice = Account::register_with(here, "alice", None, OLD)
        .await
        .unwrap();
    let other = Account::sign_in(community.at(1).client(), "alice", OLD)
        .await
        .unwrap();
    let (mut socket, _) = TestSocket::connect(&other.client).await;
    let elsewhere = community.client(&alice, 1);
    let proof = reauthenticate(&alice.client, OLD).await;
    let late = reauthenticate(&alice.client, OLD).await;
    // Begun at either, to be finished at the other.
    let mut begun = Vec::new();
    for at in [0, 1] {
        begun.push(begin(&community.at(at).client(), OLD).await);
    }
    change(&alice.client, &proof).await;
    for (at, before) in [1, 0].into_iter().zip(&begun) {
        let refused = finish(&community.at(at).client(), before).await;
        assert!(
            refused.status.is_client_error(),
            "the old passphrase is over"
        );
    }
    assert_eq!(socket.closed().await, Some(api::close::PASSPHRASE_CHANGED));
    let ended = async || (other.client.get("/api/v1/session").await.status == 401).then_some(());
    until("the end of the other session", ended).await;
    let body = json!({"reauth_token": late});
    let refused = elsewhere
        .post("/api/v1/sessions/revoke-others", &body)
        .await;
    assert_eq!(refused.expect(403).code(), "reauth-failed");
    // One that has just started has counted nothing; what begins there finishes where it was changed.
    community.kill(1);
    community.serve(1).await;
    let fresh = begin(&community.at(1).client(), NEW).await;
    finish(&community.at(0).client(), &fresh).await.expect(200);
}

#[actix_web::test]
async fn who_signs_out_at_one_instance_is_out_at_every_other_and_keeps_what_others_are_told() {
    let (community, admin) = Community::start(2, 1).await;
    let here = community.at(0).client();
    let alice = Account::register_with(here, "alice", None, OLD)
        .await
        .unwrap();
    let elsewhere = community.at(1).client();
    let other = Account::sign_in(elsewhere, "alice", OLD).await.unwrap();
    let id = random_id();
    let bytes = submission(id, true, vec![waiting_slot(admin.id(), b"slot")], b"body");
    other.post(bytes).await.expect(201);
    let parcel = admin.claim(id).await.expect(200);
    let parcel = protocol::envelope::Parcel::decode(&parcel.body).unwrap();
    admin.held("ack", id, &parcel.token).await.expect(204);
    // Known there without a socket.
    let there = community.client(&alice, 1);
    there.get("/api/v1/session").await.expect(200);
    alice.client.delete("/api/v1/session").await.expect(204);
    let begun = Instant::now();
    let out = async || (there.get("/api/v1/session").await.status == 401).then_some(());
    until("the end at the other instance", out).await;
    assert!(
        begun.elapsed() < SOON,
        "it is told, and not found a minute later"
    );
    let status = other.status(&[id]).await.expect(200).json();
    assert_eq!(status["states"][0]["state"], "acknowledged");
}

#[actix_web::test]
async fn who_is_disabled_at_one_instance_is_out_at_every_other_at_once() {
    let (community, admin) = Community::start(2, 1).await;
    let here = community.at(0).client();
    let alice = Account::register_with(here, "alice", None, OLD)
        .await
        .unwrap();
    let roles = "/api/v1/admin/users";
    let (person, boss) = (community.client(&alice, 1), community.client(&admin, 1));
    person.get("/api/v1/session").await.expect(200);
    person.get(roles).await.expect(403);
    boss.get(roles).await.expect(200);
    let begun = Instant::now();
    community.run(0, &["admin", "promote", "alice"]);
    let promoted = async || (person.get(roles).await.status == 200).then_some(());
    until("the promotion", promoted).await;
    community.run(0, &["admin", "demote", &admin.handle]);
    let demoted = async || (boss.get(roles).await.status == 403).then_some(());
    until("the demotion", demoted).await;
    community.run(0, &["admin", "promote", &admin.handle]);
    community.run(0, &["admin", "disable", "alice"]);
    let out = async || (person.get("/api/v1/session").await.status == 401).then_some(());
    until("the end", out).await;
    assert!(begun.elapsed() < SOON, "it is told");
}

#[actix_web::test]
async fn a_session_that_is_used_at_one_instance_is_not_idle_at_another() {
    let postgres = Postgres::start();
    let address = postgres.database("community");
    let start =
        async || TestApp::start_with(|config| config.database_url = Some(address.clone())).await;
    let (one, other) = (start().await, start().await);
    let alice = one.administrator().await;
    let there = alice.client.with_cookie_of(other.address);
    let advance = async |seconds: u64| {
        one.advance(seconds).await;
        other.advance(seconds).await;
    };
    // Idle ends after 1,800 seconds; it is used at one of them alone.
    there.get("/api/v1/session").await.expect(200);
    for _ in 0..5 {
        advance(900).await;
        alice
            .client
            .post_empty("/api/v1/session/active")
            .await
            .expect(204);
        advance(61).await;
        there.get("/api/v1/session").await.expect(200);
    }
    // Also if it looked away until after the end that it knew of.
    alice
        .client
        .post_empty("/api/v1/session/active")
        .await
        .expect(204);
    one.advance(1_000).await;
    alice
        .client
        .post_empty("/api/v1/session/active")
        .await
        .expect(204);
    one.advance(61).await;
    one.advance(900).await;
    other.clock.advance_ms(1_961_000);
    there.get("/api/v1/session").await.expect(200);
    advance(1_800).await;
    there.get("/api/v1/session").await.expect(401);
}
