//! Messages for a live session that come claimed, without being asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ambient::{Entropy, EntropyError, OsEntropy};
use futures_util::future::join;
use protocol::envelope::{Parcel, Slot, SlotSet};
use protocol::ids::MessageId;
use serde_json::{Value, json};

use crate::support::{
    Account, Heard, TestApp, TestSocket, b64, fetch, live_slot, random_id, submission, unb64,
    waiting_slot,
};

const ROUNDS: usize = 100;

async fn two(app: &TestApp) -> (Account, Account) {
    app.administrator().await;
    (app.account("alice").await, app.account("bob").await)
}

/// Opens a socket that asks for delivery.
async fn open(account: &Account, live_id: [u8; 16]) -> (TestSocket, Value) {
    let opened = TestSocket::open_with(&account.client, live_id, "&deliver=1").await;
    let mut socket = opened.unwrap();
    let hello = socket.text().await;
    assert_eq!(hello["t"], "hello");
    (socket, hello)
}

/// Two people, of whom the second is at a socket that asks for delivery.
async fn reached(app: &TestApp) -> (Account, Account, TestSocket) {
    let (alice, bob) = two(app).await;
    let (to, _) = open(&bob, random_id()).await;
    (alice, bob, to)
}

async fn post(from: &Account, id: [u8; 16], burn: bool, slots: Vec<Slot>) {
    let bytes = submission(id, burn, slots, b"body");
    from.post(bytes).await.expect(201);
}

/// Posts a message for one live session.
async fn post_live(from: &Account, to: &Account, live: [u8; 16]) -> [u8; 16] {
    let id = random_id();
    post(
        from,
        id,
        false,
        vec![live_slot(to.id(), live, b"live slot")],
    )
    .await;
    id
}

/// Sends a message for one live session over a socket, which hears what becomes of it.
async fn send_live(from: &mut TestSocket, to: &Account, live: [u8; 16]) -> [u8; 16] {
    let id = random_id();
    let slots = vec![live_slot(to.id(), live, b"live slot")];
    let bytes = submission(id, false, slots, b"body");
    from.send_binary(bytes).await;
    id
}

/// Hears that a message was pushed, and its parcel.
async fn pushed(socket: &mut TestSocket, id: [u8; 16]) -> Parcel {
    let told = socket.text().await;
    assert_eq!(
        (told["t"].as_str(), &told["id"]),
        (Some("pushed"), &hex::encode(id).into())
    );
    let Heard::Binary(bytes) = socket.hear().await else {
        panic!("a parcel follows");
    };
    let parcel = Parcel::decode(&bytes).unwrap();
    assert_eq!(parcel.message_id.as_bytes(), &id);
    parcel
}

async fn announced(socket: &mut TestSocket, id: [u8; 16]) {
    let told = socket.text().await;
    assert_eq!(
        (told["t"].as_str(), &told["id"]),
        (Some("waiting"), &hex::encode(id).into())
    );
}

/// Hears that nothing came.
async fn silent(socket: &mut TestSocket) {
    socket.say(json!({"t": "ping"})).await;
    assert_eq!(socket.text().await["t"], "pong");
}

async fn acknowledge(socket: &mut TestSocket, parcel: &Parcel) {
    let (id, token) = (
        hex::encode(parcel.message_id.as_bytes()),
        b64(&parcel.token),
    );
    socket
        .say(json!({"t": "ack", "id": id, "token": token}))
        .await;
    assert_eq!(socket.text().await["t"], "acked");
}

/// Claims a message on the socket itself; gives its parcel, or why it was refused.
async fn claim(socket: &mut TestSocket, id: [u8; 16]) -> Result<Parcel, String> {
    let id = hex::encode(id);
    socket.say(json!({"t": "claim", "id": id})).await;
    loop {
        match socket.hear().await {
            Heard::Binary(bytes) => return Ok(Parcel::decode(&bytes).unwrap()),
            Heard::Text(told) if told["t"] == "refused" && told["id"] == id => {
                return Err(told["code"].as_str().unwrap().to_owned());
            }
            Heard::Text(told) if told["t"] == "waiting" => {}
            other => panic!("{other:?}"),
        }
    }
}

#[actix_web::test]
async fn a_message_for_a_live_session_comes_claimed_without_being_asked_for() {
    let app = TestApp::start().await;
    let (alice, bob, mut to) = reached(&app).await;
    let (mut from, _) = TestSocket::connect(&alice.client).await;
    let id = send_live(&mut from, &bob, to.live_id).await;
    let told = to.text().await;
    let expires_at = app.app.ambient().now() + 3_600;
    let expected = json!({
        "t": "pushed", "id": hex::encode(id), "burn": false, "size": 13,
        "expires_at": expires_at, "target": "live", "from": hex::encode(alice.id()),
    });
    assert_eq!(told, expected);
    let parcel = Parcel::decode(&to.binary().await).unwrap();
    assert_eq!(
        (&*parcel.slot, &*parcel.body),
        (&b"live slot"[..], &b"body"[..])
    );
    assert_eq!(parcel.lease_ms, 30_000);
    assert_eq!(from.text_of("message").await["state"], "claimed");
    assert_eq!(claim(&mut to, id).await.err().unwrap(), "taken");
    acknowledge(&mut to, &parcel).await;
    assert_eq!(from.text_of("message").await["state"], "acknowledged");
    assert_eq!(app.app.vault().stats().await.unwrap().messages, 0);
}

#[actix_web::test]
async fn a_socket_that_did_not_ask_for_delivery_is_told_what_waits() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    for query in ["", "&deliver=0"] {
        let opened = TestSocket::open_with(&bob.client, random_id(), query).await;
        let mut to = opened.unwrap();
        to.text().await;
        let id = post_live(&alice, &bob, to.live_id).await;
        announced(&mut to, id).await;
        silent(&mut to).await;
        claim(&mut to, id).await.unwrap();
    }
}

#[actix_web::test]
async fn the_ninth_unacknowledged_message_is_announced_and_an_acknowledgement_makes_room() {
    let app = TestApp::start().await;
    let (alice, bob, mut to) = reached(&app).await;
    let mut parcels = Vec::new();
    for _ in 0..8 {
        let id = post_live(&alice, &bob, to.live_id).await;
        parcels.push(pushed(&mut to, id).await);
    }
    let ninth = post_live(&alice, &bob, to.live_id).await;
    announced(&mut to, ninth).await;
    acknowledge(&mut to, &parcels[3]).await;
    silent(&mut to).await;
    let tenth = post_live(&alice, &bob, to.live_id).await;
    pushed(&mut to, tenth).await;
    let eleventh = post_live(&alice, &bob, to.live_id).await;
    announced(&mut to, eleventh).await;
    claim(&mut to, ninth).await.unwrap();
}

#[actix_web::test]
async fn a_lease_that_ends_makes_room_and_what_returned_is_announced_and_not_pushed_again() {
    let app = TestApp::start().await;
    let (alice, bob, mut to) = reached(&app).await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        let id = post_live(&alice, &bob, to.live_id).await;
        pushed(&mut to, id).await;
        ids.push(hex::encode(id));
    }
    app.advance(30).await;
    let mut returned = Vec::new();
    for _ in 0..8 {
        let told = to.text().await;
        assert_eq!(told["t"], "waiting");
        returned.push(told["id"].as_str().unwrap().to_owned());
    }
    ids.sort();
    returned.sort();
    assert_eq!(returned, ids);
    for _ in 0..8 {
        let id = post_live(&alice, &bob, to.live_id).await;
        pushed(&mut to, id).await;
    }
    let beyond = post_live(&alice, &bob, to.live_id).await;
    announced(&mut to, beyond).await;
}

#[actix_web::test]
async fn a_message_that_burns_on_reading_is_announced() {
    let app = TestApp::start().await;
    let (alice, bob, mut to) = reached(&app).await;
    let id = random_id();
    post(
        &alice,
        id,
        true,
        vec![live_slot(bob.id(), to.live_id, b"slot")],
    )
    .await;
    announced(&mut to, id).await;
    silent(&mut to).await;
    claim(&mut to, id).await.unwrap();
}

#[actix_web::test]
async fn a_message_for_any_session_of_an_account_is_announced() {
    let app = TestApp::start().await;
    let (alice, bob, mut to) = reached(&app).await;
    let id = random_id();
    post(&alice, id, false, vec![waiting_slot(bob.id(), b"slot")]).await;
    announced(&mut to, id).await;
    silent(&mut to).await;
}

#[actix_web::test]
async fn each_live_session_is_pushed_its_own_slot() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let (mut one, _) = open(&bob, random_id()).await;
    let (mut two, _) = open(&bob, random_id()).await;
    let id = random_id();
    let slots = vec![
        live_slot(bob.id(), one.live_id, b"first"),
        live_slot(bob.id(), two.live_id, b"second"),
    ];
    post(&alice, id, false, slots).await;
    for (socket, slot) in [(&mut one, &b"first"[..]), (&mut two, &b"second"[..])] {
        let parcel = pushed(socket, id).await;
        assert_eq!(parcel.slot, slot);
        acknowledge(socket, &parcel).await;
        silent(socket).await;
    }
    assert_eq!(app.app.vault().stats().await.unwrap().messages, 0);
}

#[actix_web::test]
async fn a_pushed_message_that_is_too_large_for_a_frame_is_fetched_under_its_ticket() {
    let app = TestApp::start().await;
    let (alice, bob, mut to) = reached(&app).await;
    let id = random_id();
    let slots = vec![live_slot(bob.id(), to.live_id, b"slot")];
    let bytes = submission(id, false, slots, &[3; 40_000]);
    alice.post(bytes).await.expect(201);
    assert_eq!(to.text().await["t"], "pushed");
    let claimed = to.text().await;
    assert_eq!(claimed["t"], "claimed_large");
    let answer = fetch(&bob.client, &claimed).await.expect(200);
    let parcel = Parcel::decode(&answer.body).unwrap();
    assert_eq!(parcel.body, [3; 40_000]);
    assert_eq!(parcel.token.as_slice(), unb64(&claimed["token"]));
    acknowledge(&mut to, &parcel).await;
}

#[actix_web::test]
async fn what_was_pushed_to_a_socket_that_is_gone_goes_to_the_next_one_and_only_there() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let (mut from, _) = TestSocket::connect(&alice.client).await;
    for same_live_id in [true, false] {
        let (mut gone, _) = open(&bob, random_id()).await;
        let id = send_live(&mut from, &bob, gone.live_id).await;
        let lost = pushed(&mut gone, id).await;
        assert_eq!(from.text_of("message").await["state"], "claimed");
        let live = gone.live_id;
        drop(gone);
        for state in ["returned", "left"] {
            assert_eq!(from.text_of("message").await["state"], state);
        }
        let text = hex::encode(id);
        let (mut next, mut other);
        if same_live_id {
            let hello;
            (next, hello) = open(&bob, live).await;
            (other, _) = open(&bob, random_id()).await;
            assert_eq!(hello["waiting"][0]["id"], text.as_str());
        } else {
            (next, _) = open(&bob, random_id()).await;
            (other, _) = open(&bob, random_id()).await;
            // Its sender seals it for whoever is there.
            let slots = SlotSet {
                message_id: MessageId::from_bytes(id),
                slots: vec![waiting_slot(bob.id(), b"any")],
            };
            from.send_binary(slots.encode()).await;
            announced(&mut next, id).await;
            announced(&mut other, id).await;
        }
        let token = b64(&lost.token);
        next.say(json!({"t": "ack", "id": text, "token": token}))
            .await;
        assert_eq!(next.text_of("refused").await["code"], "stale-claim");
        next.say(json!({"t": "claim", "id": text})).await;
        let parcel = Parcel::decode(&next.binary().await).unwrap();
        other.say(json!({"t": "claim", "id": text})).await;
        let refused = other.text_of("refused").await;
        let code = if same_live_id { "gone" } else { "taken" };
        assert_eq!(refused["code"], code);
        acknowledge(&mut next, &parcel).await;
        silent(&mut other).await;
        while from.text_of("message").await["state"] != "acknowledged" {}
    }
}

#[actix_web::test]
async fn a_socket_that_takes_the_place_of_another_gets_what_was_pushed_there() {
    let app = TestApp::start().await;
    let (alice, bob) = two(&app).await;
    let (mut first, _) = open(&bob, random_id()).await;
    let id = post_live(&alice, &bob, first.live_id).await;
    pushed(&mut first, id).await;
    let (mut second, hello) = open(&bob, first.live_id).await;
    assert_eq!(first.closed().await, Some(4409));
    assert_eq!(hello["waiting"][0]["id"], hex::encode(id));
    claim(&mut second, id).await.unwrap();
    let next = post_live(&alice, &bob, second.live_id).await;
    while second.text().await["t"] != "pushed" {}
    let parcel = Parcel::decode(&second.binary().await).unwrap();
    assert_eq!(parcel.message_id.as_bytes(), &next);
}

#[actix_web::test]
async fn a_withdrawal_returns_what_was_pushed() {
    let app = TestApp::start().await;
    let (alice, bob, mut to) = reached(&app).await;
    let (mut from, _) = TestSocket::connect(&alice.client).await;
    let id = send_live(&mut from, &bob, to.live_id).await;
    pushed(&mut to, id).await;
    to.say(json!({"t": "withdraw"})).await;
    for state in ["claimed", "returned", "left"] {
        assert_eq!(from.text_of("message").await["state"], state);
    }
    announced(&mut to, id).await;
    silent(&mut to).await;
}

#[actix_web::test]
async fn a_client_that_cannot_open_gives_back_and_is_pushed_the_slot_that_replaces_its_own() {
    let app = TestApp::start().await;
    let (alice, bob, mut to) = reached(&app).await;
    let (mut from, _) = TestSocket::connect(&alice.client).await;
    let mut parcels = Vec::new();
    for _ in 0..8 {
        let id = post_live(&alice, &bob, to.live_id).await;
        assert_eq!(from.text_of("message").await["state"], "claimed");
        parcels.push(pushed(&mut to, id).await);
    }
    let (id, token) = (*parcels[0].message_id.as_bytes(), b64(&parcels[0].token));
    to.say(json!({"t": "cannot_open", "id": hex::encode(id), "token": token}))
        .await;
    assert_eq!(from.text_of("message").await["state"], "cannot_open");
    let slots = SlotSet {
        message_id: MessageId::from_bytes(id),
        slots: vec![live_slot(bob.id(), to.live_id, b"again")],
    };
    from.send_binary(slots.encode()).await;
    assert_eq!(pushed(&mut to, id).await.slot, b"again");
    let ninth = post_live(&alice, &bob, to.live_id).await;
    announced(&mut to, ninth).await;
}

#[actix_web::test]
async fn a_push_and_two_that_claim_race_and_one_of_them_wins_each_time() {
    let app = TestApp::start_with(|config| config.workers = 4).await;
    let (alice, bob, mut to) = reached(&app).await;
    for round in 0..ROUNDS {
        let id = random_id();
        let slots = vec![live_slot(bob.id(), to.live_id, b"slot")];
        let claims = async {
            for _ in 0..2 {
                to.say(json!({"t": "claim", "id": hex::encode(id)})).await;
            }
        };
        join(post(&alice, id, false, slots), claims).await;
        let mut parcels = Vec::new();
        to.say(json!({"t": "ping"})).await;
        loop {
            match to.hear().await {
                Heard::Binary(bytes) => parcels.push(Parcel::decode(&bytes).unwrap()),
                Heard::Text(told) if told["t"] == "pong" => break,
                Heard::Text(told) => {
                    assert!(told["t"] == "pushed" || told["t"] == "refused", "{told}");
                }
                Heard::Closed(code) => panic!("closed {code:?}"),
            }
        }
        assert_eq!(parcels.len(), 1, "round {round}");
        acknowledge(&mut to, &parcels[0]).await;
        assert_eq!(app.app.vault().stats().await.unwrap().messages, 0);
    }
}

/// Entropy that gives no tokens while it is dry.
struct Dry(AtomicBool);

impl Entropy for Dry {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        if bytes.len() == 16 && self.0.load(Ordering::SeqCst) {
            return Err(EntropyError);
        }
        OsEntropy.fill(bytes)
    }
}

#[actix_web::test]
async fn a_message_whose_claim_fails_is_announced_and_takes_no_room() {
    let entropy = Arc::new(Dry(AtomicBool::new(false)));
    let app = TestApp::start_over(Arc::clone(&entropy) as _, |_| {}).await;
    let (alice, bob, mut to) = reached(&app).await;
    // Her socket is open before randomness ends.
    alice.waiting().await.expect(200);
    entropy.0.store(true, Ordering::SeqCst);
    for _ in 0..9 {
        let id = post_live(&alice, &bob, to.live_id).await;
        announced(&mut to, id).await;
    }
    entropy.0.store(false, Ordering::SeqCst);
    let id = post_live(&alice, &bob, to.live_id).await;
    pushed(&mut to, id).await;
}

#[actix_web::test]
async fn a_push_keeps_no_session_alive() {
    let app = TestApp::start().await;
    let (alice, bob, mut to) = reached(&app).await;
    to.advance(&app, 1_700).await;
    let id = post_live(&alice, &bob, to.live_id).await;
    pushed(&mut to, id).await;
    app.advance(100).await;
    assert_eq!(to.closed().await, Some(4401));
}
