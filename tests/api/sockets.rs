//! Messages over the WebSocket.

use protocol::envelope::{Parcel, SlotSet};
use protocol::ids::{LiveId, MessageId, UserId};
use protocol::link::{MAX_PAYLOAD, Ticket};
use protocol::prekeys::SessionSecrets;
use serde_json::{Value, json};

use crate::support::{
    Account, TestApp, TestSocket, b64, fetch, identity, live_slot, random_id, rng, sealed_path,
    submission, unb64, waiting_slot,
};

async fn two(app: &TestApp) -> (Account, Account) {
    app.administrator().await;
    (app.account("alice").await, app.account("bob").await)
}

#[actix_web::test]
async fn a_message_goes_live_from_socket_to_socket_and_its_sender_is_told() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let (mut from, hello) = TestSocket::connect(&alice.client).await;
    assert_eq!(hello["waiting"], json!([]));
    assert_eq!(hello["boot_id"].as_str().unwrap().len(), 32);
    let (mut to, _) = TestSocket::connect(&bob.client).await;
    let id = random_id();
    let text = hex::encode(id);
    let slots = vec![live_slot(bob.id(), to.live_id, b"live slot")];
    from.send_binary(submission(id, true, slots, b"body")).await;
    assert_eq!(from.text_of("sent").await["id"], text.as_str());
    let waiting = to.text_of("waiting").await;
    assert_eq!(
        (waiting["id"].as_str(), waiting["target"].as_str()),
        (Some(text.as_str()), Some("live"))
    );
    assert_eq!(waiting["burn"], true);

    to.say(json!({"t": "claim", "id": text})).await;
    let parcel = Parcel::decode(&to.binary().await).unwrap();
    assert_eq!(parcel.slot, b"live slot");
    let told = from.text_of("message").await;
    assert_eq!(told["state"], "claimed");
    assert_eq!(
        (told["target"].clone(), told["live"].clone()),
        (hex::encode(to.live_id).into(), true.into())
    );
    to.say(json!({"t": "extend", "id": text, "token": b64(&parcel.token)}))
        .await;
    assert_eq!(to.text_of("extended").await["lease_ms"], 30_000);
    to.say(json!({"t": "ack", "id": text, "token": b64(&parcel.token)}))
        .await;
    assert_eq!(to.text_of("acked").await["id"], text.as_str());
    assert_eq!(from.text_of("message").await["state"], "acknowledged");
    from.say(json!({"t": "status", "ids": [text]})).await;
    assert_eq!(
        from.text_of("status").await["states"][0]["state"],
        "acknowledged"
    );
}

#[actix_web::test]
async fn what_a_session_held_unread_is_given_back_when_its_socket_goes_or_its_keys_do() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let (mut from, _) = TestSocket::connect(&alice.client).await;
    for withdraws in [true, false] {
        let (mut gone, hello) = TestSocket::connect(&bob.client).await;
        assert_eq!(hello["stranded"], json!([]));
        let (waits, alone) = (random_id(), random_id());
        let slots = vec![waiting_slot(bob.id(), b"any")];
        from.send_binary(submission(waits, false, slots, b"body"))
            .await;
        let slots = vec![live_slot(bob.id(), gone.live_id, b"live")];
        from.send_binary(submission(alone, false, slots, b"body"))
            .await;
        // Another socket: it hears of both before it asks for one.
        for id in [waits, alone] {
            assert_eq!(gone.text_of("waiting").await["id"], hex::encode(id));
        }
        for id in [waits, alone] {
            gone.say(json!({"t": "claim", "id": hex::encode(id)})).await;
            gone.binary().await;
            assert_eq!(from.text_of("message").await["state"], "claimed");
        }
        let live = hex::encode(gone.live_id);
        if withdraws {
            gone.say(json!({"t": "withdraw"})).await;
        } else {
            drop(gone);
        }
        let mut told = Vec::new();
        for _ in 0..3 {
            let frame = from.text_of("message").await;
            told.push((
                frame["state"].as_str().unwrap().to_owned(),
                frame["id"].as_str().unwrap().to_owned(),
            ));
        }
        told.sort();
        let mut expected = [("left", alone), ("returned", alone), ("returned", waits)]
            .map(|(state, id)| (state.to_owned(), hex::encode(id)));
        expected.sort();
        assert_eq!(told, expected);

        let (mut next, hello) = TestSocket::connect(&bob.client).await;
        assert_ne!(live, hex::encode(next.live_id));
        assert_eq!(hello["waiting"][0]["id"], hex::encode(waits));
        let stranded = json!([{"id": hex::encode(alone), "from": hex::encode(alice.id())}]);
        assert_eq!(hello["stranded"], stranded);
        // Its sender seals it for whoever is there now.
        let slots = SlotSet {
            message_id: MessageId::from_bytes(alone),
            slots: vec![live_slot(bob.id(), next.live_id, b"again")],
        };
        from.send_binary(slots.encode()).await;
        assert_eq!(next.text_of("waiting").await["id"], hex::encode(alone));
        for id in [waits, alone] {
            next.say(json!({"t": "claim", "id": hex::encode(id)})).await;
            let parcel = Parcel::decode(&next.binary().await).unwrap();
            let token = b64(&parcel.token);
            next.say(json!({"t": "ack", "id": hex::encode(id), "token": token}))
                .await;
            next.text_of("acked").await;
            for _ in 0..2 {
                from.text_of("message").await;
            }
        }
    }
}

#[actix_web::test]
async fn a_message_for_a_session_that_is_not_there_is_told_as_left_at_once() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let (mut from, _) = TestSocket::connect(&alice.client).await;
    let id = random_id();
    let slots = vec![live_slot(bob.id(), [7; 16], b"live")];
    from.send_binary(submission(id, false, slots, b"body"))
        .await;
    assert_eq!(from.text_of("message").await["state"], "left");
    let (_next, hello) = TestSocket::connect(&bob.client).await;
    assert_eq!(hello["stranded"][0]["id"], hex::encode(id));
}

#[actix_web::test]
async fn what_waits_is_told_first_and_what_is_too_much_is_behind_a_request() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let post = |count: usize| {
        let (alice, to) = (&alice, bob.id());
        async move {
            for _ in 0..count {
                let bytes = submission(random_id(), false, vec![waiting_slot(to, b"s")], b"b");
                alice.post(bytes).await.expect(201);
            }
        }
    };
    post(70).await;
    let (mut socket, hello) = TestSocket::connect(&bob.client).await;
    assert_eq!(hello["waiting"].as_array().unwrap().len(), 64);
    assert_eq!(hello["more"], false);
    assert!(hello.to_string().len() <= MAX_PAYLOAD);
    for _ in 0..6 {
        socket.text_of("waiting").await;
    }
    post(251).await;
    let (_socket, hello) = TestSocket::connect(&bob.client).await;
    assert_eq!(hello["more"], true);
    socket.say(json!({"t": "list"})).await;
    for (listed, more) in [
        (64, true),
        (64, true),
        (64, true),
        (64, true),
        (64, true),
        (1, false),
    ] {
        let part = socket.text_of("listed").await;
        assert_eq!(part["waiting"].as_array().unwrap().len(), listed);
        assert_eq!(part["more"], more);
    }
}

#[actix_web::test]
async fn a_parcel_larger_than_a_frame_is_fetched_once_under_its_ticket() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let (mut socket, _) = TestSocket::connect(&bob.client).await;
    let slots = [
        waiting_slot(bob.id(), b"s"),
        live_slot(bob.id(), socket.live_id, b"s"),
    ];
    for slot in slots {
        let id = random_id();
        let body = vec![3; 40_000];
        let bytes = submission(id, true, vec![slot], &body);
        alice.post(bytes).await.expect(201);
        socket.text_of("waiting").await;
        socket
            .say(json!({"t": "claim", "id": hex::encode(id)}))
            .await;
        let claimed = socket.text_of("claimed_large").await;
        let ticket = Ticket::decode(&unb64(&claimed["ticket"])).unwrap();
        let others = alice.client.get(&sealed_path(&ticket)).await;
        assert_eq!(others.expect(404).code(), "gone");
        let parcel = fetch(&bob.client, &claimed).await.expect(200);
        let parcel = Parcel::decode(&parcel.body).unwrap();
        assert_eq!(parcel.body, body);
        let again = bob.client.get(&sealed_path(&ticket)).await;
        assert_eq!(again.expect(404).code(), "gone");
        assert_eq!(parcel.token.as_slice(), unb64(&claimed["token"]));
    }
}

/// Publishes a bundle of the session, and hears that the server has it.
async fn publish(app: &TestApp, account: &Account, socket: &mut TestSocket) {
    let now = app.app.ambient().now();
    let user = UserId::from_bytes(account.id());
    let live = LiveId::from_bytes(socket.live_id);
    let (_, bundle) = SessionSecrets::generate(&mut rng(), &identity().0, user, live, now);
    let bundle = b64(&bundle.encode());
    socket.say(json!({"t": "bundle", "bundle": bundle})).await;
    socket.say(json!({"t": "ping"})).await;
}

#[actix_web::test]
async fn the_other_sessions_of_an_account_hear_of_one_when_it_can_be_sent_to() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let (mut other, _) = TestSocket::connect(&alice.client).await;
    let (mut first, _) = TestSocket::connect(&bob.client).await;
    let (mut second, _) = TestSocket::connect(&bob.client).await;
    for _ in 0..2 {
        publish(&app, &bob, &mut second).await;
        assert_eq!(second.text().await["t"], "pong", "it knows of itself");
    }
    assert_eq!(first.text().await["t"], "joined");
    // Whoever asked meanwhile knows of none.
    second.say(json!({"t": "withdraw"})).await;
    publish(&app, &bob, &mut second).await;
    assert_eq!(second.text().await["t"], "pong");
    assert_eq!(first.text().await["t"], "joined");
    for socket in [&mut first, &mut other] {
        socket.say(json!({"t": "ping"})).await;
        assert_eq!(socket.text().await["t"], "pong");
    }
}

#[actix_web::test]
async fn refusals_name_what_was_refused_and_why() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    let nowhere = hex::encode(random_id());
    let token = b64(&[0; 16]);
    let cases: [(Value, &str, &str); 5] = [
        (json!({"t": "claim", "id": nowhere}), "claim", "gone"),
        (
            json!({"t": "ack", "id": nowhere, "token": token}),
            "ack",
            "gone",
        ),
        (
            json!({"t": "extend", "id": nowhere, "token": b64(b"short")}),
            "extend",
            "stale-claim",
        ),
        (
            json!({"t": "cannot_open", "id": nowhere, "token": token}),
            "cannot_open",
            "gone",
        ),
        (
            json!({"t": "bundle", "bundle": b64(b"none")}),
            "bundle",
            "malformed-request",
        ),
    ];
    for (said, re, code) in cases {
        socket.say(said).await;
        let refused = socket.text_of("refused").await;
        assert_eq!(
            (refused["re"].as_str(), refused["code"].as_str()),
            (Some(re), Some(code))
        );
    }
    let id = random_id();
    let bytes = submission(id, false, vec![waiting_slot(bob.id(), b"s")], b"b");
    socket.send_binary(bytes.clone()).await;
    socket.text_of("sent").await;
    socket.send_binary(bytes).await;
    let refused = socket.text_of("refused").await;
    assert_eq!(
        (refused["re"].as_str(), refused["code"].as_str()),
        (Some("send"), Some("duplicate-message"))
    );
    let set = SlotSet {
        message_id: MessageId::from_bytes(random_id()),
        slots: vec![waiting_slot(bob.id(), b"s")],
    };
    socket.send_binary(set.encode()).await;
    let refused = socket.text_of("refused").await;
    assert_eq!(
        (refused["re"].as_str(), refused["code"].as_str()),
        (Some("slots"), Some("gone"))
    );
}

#[actix_web::test]
async fn a_second_socket_of_a_live_session_takes_the_place_of_the_first() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let (mut first, _) = TestSocket::connect(&alice.client).await;
    let mut second = TestSocket::open(&alice.client, first.live_id)
        .await
        .unwrap();
    assert_eq!(second.text().await["t"], "hello");
    assert_eq!(first.closed().await, Some(4409));
    second.say(json!({"t": "ping"})).await;
    second.text_of("pong").await;
    assert_eq!(app.app.hub().count(), 1);
}
