//! How sessions begin, slide and end.

use api::close;
use protocol::envelope::Parcel;
use serde_json::json;

use super::credentials::reauthenticate;
use crate::support::{
    Account, Passphrase, TestApp, TestSocket, b64, cheap_upload, submission, waiting_slot,
};

const PASSPHRASE: Passphrase = Passphrase("one of many sessions has this");

#[actix_web::test]
async fn idleness_ends_a_session_closes_its_socket_and_is_audited() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    socket.advance(&app, 1799).await;
    alice.client.get("/api/v1/session").await.expect(200);
    // Pings and what arrives are no activity.
    socket.say(json!({"t": "ping"})).await;
    socket.text_of("pong").await;
    app.advance(1).await;
    assert_eq!(socket.closed().await, Some(close::SESSION_OVER));
    assert_eq!(
        alice.client.get("/api/v1/session").await.expect(401).code(),
        "signed-out"
    );
    app.advance(60).await;
    let expired = store::AuditFilter {
        action: Some("session.expired".to_owned()),
        ..store::AuditFilter::default()
    };
    assert_eq!(app.app.store().count_audit(expired).await.unwrap(), 2);
}

#[actix_web::test]
async fn a_session_whose_client_only_receives_and_confirms_ends_by_idleness() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let (mut socket, _) = TestSocket::connect(&bob.client).await;
    for round in 0..6_u8 {
        socket.advance(&app, 290).await;
        alice
            .client
            .post_empty("/api/v1/session/active")
            .await
            .expect(204);
        // A message comes, is claimed and confirmed, and a receipt goes back: over this socket and another.
        let id = hex::encode([round; 16]);
        let slots = vec![waiting_slot(bob.id(), b"slot")];
        let message = submission([round; 16], true, slots, b"body");
        let posted = alice.post(message).await;
        posted.expect(201);
        if round % 2 == 0 {
            socket.say(json!({"t": "claim", "id": id})).await;
            let parcel = Parcel::decode(&socket.binary().await).unwrap();
            socket
                .say(json!({"t": "ack", "id": id, "token": b64(&parcel.token)}))
                .await;
            socket.text_of("acked").await;
            let slots = vec![waiting_slot(alice.id(), b"slot")];
            socket
                .send_binary(submission([100 + round; 16], false, slots, b"receipt"))
                .await;
            socket.text_of("sent").await;
        } else {
            let parcel = bob.claim([round; 16]).await.expect(200);
            let parcel = Parcel::decode(&parcel.body).unwrap();
            bob.held("ack", [round; 16], &parcel.token)
                .await
                .expect(204);
            let slots = vec![waiting_slot(alice.id(), b"slot")];
            let receipt = submission([100 + round; 16], false, slots, b"receipt");
            let posted = bob.post(receipt).await;
            posted.expect(201);
        }
    }
    bob.client.get("/api/v1/session").await.expect(200);
    app.advance(60).await;
    assert_eq!(socket.closed().await, Some(close::SESSION_OVER));
    bob.client.get("/api/v1/session").await.expect(401);
    alice.client.get("/api/v1/session").await.expect(200);
}

#[actix_web::test]
async fn activity_keeps_a_session_alive_for_twelve_hours_and_no_longer() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    for _ in 0..(12 * 3600 / 1500) {
        socket.advance(&app, 1500).await;
        if app.app.ambient().now() >= crate::support::START + 12 * 3600 - 1500 {
            break;
        }
        socket.say(json!({"t": "active"})).await;
        socket.say(json!({"t": "ping"})).await;
        socket.text_of("pong").await;
    }
    alice
        .client
        .post_empty("/api/v1/session/active")
        .await
        .expect(204);
    let shown = alice.client.get("/api/v1/session").await.expect(200).json();
    assert_eq!(shown["idle_expires_at"], shown["absolute_expires_at"]);
    app.advance(1500).await;
    alice.client.get("/api/v1/session").await.expect(401);
    assert_eq!(socket.closed().await, Some(close::SESSION_OVER));
}

#[actix_web::test]
async fn a_revoked_session_ends_at_once_with_its_sockets_and_its_resume_half() {
    let app = TestApp::start().await;
    app.administrator().await;
    let one = Account::register_with(app.client(), "alice", None, PASSPHRASE)
        .await
        .unwrap();
    app.advance(1).await;
    let two = Account::sign_in(app.client(), "alice", PASSPHRASE)
        .await
        .unwrap();
    let three = Account::sign_in(app.client(), "alice", PASSPHRASE)
        .await
        .unwrap();
    let (mut second, _) = TestSocket::connect(&two.client).await;
    let (mut third, _) = TestSocket::connect(&three.client).await;
    let half = json!({"half": b64(&[1; 32])});
    two.client
        .put("/api/v1/session/resume", &half)
        .await
        .expect(204);

    let listed = one.client.get("/api/v1/sessions").await.expect(200).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(
        listed
            .iter()
            .filter(|session| session["current"] == true)
            .count(),
        1
    );
    assert_eq!(listed[2]["method"], "registration");
    let own = two.client.get("/api/v1/sessions").await.json();
    let current = own
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["current"] == true)
        .unwrap();
    let path = format!("/api/v1/sessions/{}", current["id"].as_str().unwrap());
    let id = current["id"].as_str().unwrap().parse().unwrap();
    let halves = app.app.plane().resume_halves();
    assert!(halves.half(id).await.unwrap().is_some());
    one.client.delete(&path).await.expect(204);
    one.client.delete(&path).await.expect(404);
    assert!(halves.half(id).await.unwrap().is_none());
    assert_eq!(second.closed().await, Some(close::SESSION_ENDED));
    two.client.get("/api/v1/session").await.expect(401);
    two.client.get("/api/v1/session/resume").await.expect(401);

    let path = "/api/v1/sessions/revoke-others";
    one.client.post(path, &json!({})).await.expect(400);
    let made_up = json!({"reauth_token": b64(b"made up")});
    let refused = one.client.post(path, &made_up).await;
    assert_eq!(refused.expect(403).code(), "reauth-failed");
    three.client.get("/api/v1/session").await.expect(200);
    let proof = reauthenticate(&one.client, PASSPHRASE).await.expect(200);
    one.client.post(path, &proof.json()).await.expect(204);
    assert_eq!(third.closed().await, Some(close::SESSION_ENDED));
    three.client.get("/api/v1/session").await.expect(401);
    one.client.get("/api/v1/session").await.expect(200);
}

#[actix_web::test]
async fn somebody_elses_session_cannot_be_revoked() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    let listed = admin.client.get("/api/v1/sessions").await.json();
    let path = format!("/api/v1/sessions/{}", listed[0]["id"].as_str().unwrap());
    alice.client.delete(&path).await.expect(404);
    admin.client.get("/api/v1/session").await.expect(200);
}

#[actix_web::test]
async fn the_cookie_is_strict_http_only_and_signed() {
    let app = TestApp::start().await;
    app.administrator().await;
    let client = app.client();
    let (request, _) = cheap_upload();
    let body = json!({"handle": "x", "request": b64(request)});
    let answer = client
        .post("/api/v1/registration/start", &body)
        .await
        .expect(200);
    assert!(
        !answer.headers.contains_key("set-cookie"),
        "nobody is signed in yet"
    );
    let alice = app.account("alice").await;
    let cookie = alice.client.cookie().unwrap();
    assert!(cookie.starts_with("session="), "{cookie}");
    let mut forged = cookie.into_bytes();
    let last = forged.len() - 3;
    forged[last] = if forged[last] == b'a' { b'b' } else { b'a' };
    alice
        .client
        .set_cookie(Some(String::from_utf8(forged).unwrap()));
    alice.client.get("/api/v1/session").await.expect(401);
}

#[actix_web::test]
async fn behind_tls_the_cookie_has_the_host_prefix_and_is_secure() {
    let app = TestApp::start_with(|config| {
        config.public_url = Some("https://chat.example.org".to_owned());
    })
    .await;
    let secret = Some(("setup", app.setup_secret()));
    let admin = Account::register(app.client(), "admin", secret)
        .await
        .unwrap();
    assert!(
        admin
            .client
            .cookie()
            .unwrap()
            .starts_with("__Host-session=")
    );
    let answer = admin.client.get("/api/v1/session").await.expect(200);
    assert!(
        answer.headers["strict-transport-security"]
            .to_str()
            .unwrap()
            .contains("max-age=")
    );
    let out = admin.client.delete("/api/v1/session").await.expect(204);
    let set = out.headers["set-cookie"].to_str().unwrap().to_owned();
    for part in [
        "__Host-session=;",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
    ] {
        assert!(set.contains(part), "{part} in {set}");
    }
}

#[actix_web::test]
async fn activity_is_written_at_most_once_a_minute() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let user = store::UserId::from_bytes(alice.id());
    let stored = || async {
        let now = app.app.ambient().now();
        app.app.store().list_sessions(user, now).await.unwrap()[0]
            .1
            .as_ref()
            .unwrap()
            .last_activity
    };
    let begun = stored().await;
    app.advance(30).await;
    alice
        .client
        .post_empty("/api/v1/session/active")
        .await
        .expect(204);
    app.advance(1).await;
    assert_eq!(stored().await, begun);
    let listed = alice.client.get("/api/v1/sessions").await.json();
    assert_eq!(
        listed[0]["last_activity"],
        begun + 30,
        "people see it at once"
    );
    app.advance(29).await;
    assert_eq!(stored().await, begun + 30);
}
