//! The link of a socket: whoever has only a cookie opens none, and a frame out of place ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ambient::{Entropy, EntropyError, OsEntropy};
use api::close;
use protocol::boot::{ServerKey, SignedBoot};
use protocol::epoch::LocalParty;
use protocol::identity::AccountKeys;
use protocol::ids::LiveId;
use protocol::link::client::{Active, Opening};
use protocol::link::{Hello, Psk, Ticket, VerifiedHello};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{
    Account, Client, START, TestApp, TestSocket, Unlinked, identity, random_id, rng, sealed,
    sealed_path, submission, unb64, waiting_slot,
};

/// What a client knows before it opens a link.
struct Known {
    server: ServerKey,
    session: api::ids::SessionId,
    account: Account,
}

impl Known {
    async fn of(account: Account) -> Self {
        let server = account.client.get("/api/v1/server").await.json();
        let session = account.client.get("/api/v1/session").await.json();
        let boot = SignedBoot::decode(&unb64(&server["boot"]["signed"])).unwrap();
        Self {
            server: boot.server_key(None).unwrap(),
            session: session["session_id"].as_str().unwrap().parse().unwrap(),
            account,
        }
    }

    fn client(&self) -> &Client {
        &self.account.client
    }

    async fn greeted(&self, live: [u8; 16]) -> (Unlinked, VerifiedHello) {
        let mut socket = Unlinked::open(self.client(), live).await.unwrap();
        let hello = Hello::decode(&socket.hear().await.unwrap()).unwrap();
        let now = self.client().get("/api/v1/server").await.json();
        let now = now["now"].as_u64().unwrap();
        (socket, hello.verify(&self.server, now).unwrap())
    }

    /// Opens a link with the key of the one before; gives its end where the server refused.
    async fn again(&self, live: [u8; 16], psk: Psk) -> Result<(Unlinked, Active), Option<u16>> {
        let (mut socket, hello) = self.greeted(live).await;
        let live = LiveId::from_bytes(live);
        let base = self.client().base();
        let (opening, open) =
            Opening::with_psk(&mut rng(), &hello, base, self.session, live, psk).unwrap();
        socket.say(open).await;
        let (proving, proof) = opening.confirm(&socket.hear().await?).unwrap();
        socket.say(proof).await;
        let active = proving.active(START, &socket.hear().await?).unwrap();
        Ok((socket, active))
    }

    /// Opens a link with a signature by these keys.
    async fn signed(
        &self,
        live: [u8; 16],
        by: &LocalParty<'_>,
    ) -> Result<(Unlinked, Active), Option<u16>> {
        let (mut socket, hello) = self.greeted(live).await;
        let live = LiveId::from_bytes(live);
        let base = self.client().base();
        let (opening, open) =
            Opening::for_account(&mut rng(), &hello, base, self.session, live).unwrap();
        socket.say(open).await;
        let opened = socket.hear().await?;
        let (proving, proof) = opening.prove(&mut rng(), &opened, by).unwrap();
        socket.say(proof).await;
        let active = proving.active(START, &socket.hear().await?).unwrap();
        Ok((socket, active))
    }

    fn party<'a>(&self, keys: &'a AccountKeys) -> LocalParty<'a> {
        LocalParty {
            user_id: self.account.user_id.parse().unwrap(),
            secrets: &identity().0,
            keys,
        }
    }
}

/// Moves the clock while the person does something.
async fn awake(app: &TestApp, known: &Known, seconds: u64) {
    for step in [1_200, 1_200, seconds - 2_400] {
        app.advance(step).await;
        let active = known.client().post_empty("/api/v1/session/active");
        active.await.expect(204);
    }
}

async fn alice(app: &TestApp) -> Known {
    app.administrator().await;
    Known::of(app.account("alice").await).await
}

fn keys() -> AccountKeys {
    AccountKeys::decode(&identity().1).unwrap()
}

#[actix_web::test]
async fn a_stolen_cookie_opens_no_link() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let thief = protocol::identity::AccountSecrets::generate(&mut rng());
    let own = thief.account_keys(&mut rng());
    let party = LocalParty {
        user_id: alice.account.user_id.parse().unwrap(),
        secrets: &thief,
        keys: &own,
    };
    let refused = alice.signed(random_id(), &party).await.err();
    assert_eq!(refused, Some(Some(close::LINK)));
    let theirs = keys();
    let party = LocalParty {
        keys: &theirs,
        ..party
    };
    let refused = alice.signed(random_id(), &party).await.err();
    assert_eq!(
        refused,
        Some(Some(close::LINK)),
        "with the account's public keys"
    );
    assert!(
        alice
            .signed(random_id(), &alice.party(&theirs))
            .await
            .is_ok(),
        "the control"
    );
}

#[actix_web::test]
async fn nobody_is_told_anything_before_the_link_is_open() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let live = random_id();
    let (socket, _) = alice.greeted(live).await;
    assert_eq!(app.app.hub().count(), 0, "it has not joined");
    drop(socket);
    let (mut socket, _) = alice.greeted(live).await;
    let open = Message::text(json!({"t": "ping"}).to_string());
    socket.send(open).await;
    assert_eq!(socket.hear().await.err(), Some(Some(close::MISUSE)));
}

#[actix_web::test]
async fn a_session_may_have_as_many_links_half_open_as_sockets_for_ten_seconds() {
    let app = TestApp::start_with(|config| config.sockets_per_session = 4).await;
    let alice = alice(&app).await;
    let mut begun = Vec::new();
    for _ in 0..4 {
        begun.push(alice.greeted(random_id()).await);
    }
    let refused = Unlinked::open(alice.client(), random_id()).await.err();
    assert!(matches!(refused.as_deref(), Some(Error::Http(answer)) if answer.status() == 429));
    app.advance(9).await;
    let refused = Unlinked::open(alice.client(), random_id()).await.err();
    assert!(refused.is_some(), "nine seconds are not ten");
    app.advance(1).await;
    for (socket, _) in &mut begun {
        assert_eq!(socket.hear().await.err(), Some(Some(close::LINK)));
    }
    TestSocket::connect(alice.client()).await;
}

#[actix_web::test]
async fn an_account_begins_so_many_links_in_a_minute_and_is_told_how_long_to_wait() {
    let app = TestApp::start_with(|config| config.links_per_minute = 3).await;
    let alice = alice(&app).await;
    let bob = app.account("bob").await;
    for _ in 0..3 {
        let (mut socket, _) = alice.greeted(random_id()).await;
        socket.close().await;
    }
    let refused = Unlinked::open(alice.client(), random_id()).await.err();
    let Some(Error::Http(answer)) = refused.as_deref() else {
        panic!("a fourth was begun: {refused:?}");
    };
    assert_eq!(answer.status(), 429);
    let told: Value = serde_json::from_slice(answer.body().as_ref().unwrap()).unwrap();
    assert_eq!(
        (&told["code"], &told["retry_after"]),
        (&json!("too-many-requests"), &json!(21))
    );
    // A browser does not see that answer, and asks without a handshake.
    let path = format!("/api/v1/ws?live_id={}", hex::encode(random_id()));
    let asked = alice.client().get(&path).await.expect(429).json();
    assert_eq!(asked["retry_after"], 21);
    let asked = bob.client.get(&path).await.expect(400).json();
    assert_eq!(asked["code"], "malformed-request");
    TestSocket::connect(&bob.client).await;
    app.advance(20).await;
    TestSocket::connect(alice.client()).await;
}

/// Randomness that is broken as soon as it is told to be.
struct Broken(AtomicBool);

impl Entropy for Broken {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        assert!(
            !self.0.load(Ordering::SeqCst),
            "a panic that the test wants"
        );
        OsEntropy.fill(bytes)
    }
}

#[actix_web::test]
async fn a_handshake_that_panics_closes_its_socket() {
    let entropy = Arc::new(Broken(AtomicBool::new(false)));
    let app = TestApp::start_over(Arc::clone(&entropy) as _, |_| {}).await;
    let alice = alice(&app).await;
    let live = random_id();
    let (mut socket, hello) = alice.greeted(live).await;
    let (live, base) = (LiveId::from_bytes(live), alice.client().base());
    let (_, open) = Opening::for_account(&mut rng(), &hello, base, alice.session, live).unwrap();
    entropy.0.store(true, Ordering::SeqCst);
    socket.say(open).await;
    assert_eq!(socket.hear().await.err(), Some(None));
    entropy.0.store(false, Ordering::SeqCst);
    TestSocket::connect(alice.client()).await;
}

#[actix_web::test]
async fn a_session_that_ends_ends_its_links_that_are_half_open() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let (mut socket, _) = alice.greeted(random_id()).await;
    alice.client().delete("/api/v1/session").await.expect(204);
    assert_eq!(socket.hear().await.err(), Some(Some(close::LINK)));
}

#[actix_web::test]
async fn the_key_of_a_link_opens_the_next_one_once_until_its_hour_or_session_is_over() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let (keys, live) = (keys(), random_id());
    let party = alice.party(&keys);
    let (socket, active) = alice.signed(live, &party).await.unwrap();
    drop(socket);
    let (socket, active) = alice.again(live, active.psk.unwrap()).await.unwrap();
    // The next signature leaves another key in its place.
    let (other, _) = alice.signed(live, &party).await.unwrap();
    let refused = alice.again(live, active.psk.unwrap()).await.err();
    assert_eq!(refused, Some(Some(close::LINK)));
    drop((socket, other));

    let live = random_id();
    let (mut socket, active) = alice.signed(live, &party).await.unwrap();
    socket.close().await;
    awake(&app, &alice, 3_599).await;
    let (mut socket, active) = alice.again(live, active.psk.unwrap()).await.unwrap();
    socket.close().await;
    awake(&app, &alice, 3_600).await;
    let refused = alice.again(live, active.psk.unwrap()).await.err();
    assert_eq!(refused, Some(Some(close::LINK)));
}

#[actix_web::test]
async fn a_frame_that_was_sent_before_ends_the_link() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let (mut socket, _) = TestSocket::connect(alice.client()).await;
    let frame = socket.sealed(b"{\"t\":\"ping\"}");
    socket
        .send_unsealed(Message::binary(frame.clone()))
        .await
        .unwrap();
    socket.text_of("pong").await;
    socket.send_unsealed(Message::binary(frame)).await.unwrap();
    assert_eq!(socket.closed().await, Some(close::LINK));
}

#[actix_web::test]
async fn what_is_not_sealed_ends_the_link() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    for (sent, code) in [
        (Message::text("{\"t\":\"ping\"}"), close::MISUSE),
        (Message::binary(b"{\"t\":\"ping\"}".to_vec()), close::LINK),
        (Message::binary(vec![0; 256]), close::LINK),
    ] {
        let (mut socket, _) = TestSocket::connect(alice.client()).await;
        socket.send_unsealed(sent).await.unwrap();
        assert_eq!(socket.closed().await, Some(code));
    }
}

#[actix_web::test]
async fn a_link_is_renewed_while_messages_are_under_way() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let (mut socket, _) = TestSocket::connect(alice.client()).await;
    for _ in 0..25 {
        for _ in 0..100 {
            socket.say(json!({"t": "ping"})).await;
        }
        for _ in 0..100 {
            socket.text_of("pong").await;
        }
    }
}

#[actix_web::test]
async fn a_client_that_renews_its_link_again_and_again_is_cut_off() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let (mut socket, _) = TestSocket::connect(alice.client()).await;
    app.advance(60).await;
    socket.renew().await;
    app.advance(59).await;
    socket.renew().await;
    assert_eq!(socket.closed().await, Some(close::MISUSE));
}

#[actix_web::test]
async fn a_link_that_is_not_renewed_for_ten_minutes_ends() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let (mut socket, _) = TestSocket::connect(alice.client()).await;
    app.advance(599).await;
    socket.say(json!({"t": "ping"})).await;
    socket.text_of("pong").await;
    app.advance(1).await;
    socket.say(json!({"t": "ping"})).await;
    assert_eq!(socket.closed().await, Some(close::LINK));
}

#[actix_web::test]
async fn hellos_change_with_the_bucket_and_old_ones_open_nothing() {
    let app = TestApp::start().await;
    let alice = alice(&app).await;
    let first = Unlinked::open(alice.client(), random_id())
        .await
        .unwrap()
        .hear()
        .await;
    app.advance(299).await;
    let same = Unlinked::open(alice.client(), random_id())
        .await
        .unwrap()
        .hear()
        .await;
    assert!(first == same);
    app.advance(1).await;
    let other = Unlinked::open(alice.client(), random_id())
        .await
        .unwrap()
        .hear()
        .await;
    assert!(first != other);
    // A socket that was greeted with the first opens its link no more.
    let old = Hello::decode(&first.unwrap()).unwrap();
    let old = old.verify(&alice.server, START).unwrap();
    let live = random_id();
    let mut socket = Unlinked::open(alice.client(), live).await.unwrap();
    socket.hear().await.unwrap();
    let (live, base) = (LiveId::from_bytes(live), alice.client().base());
    let (_, open) = Opening::for_account(&mut rng(), &old, base, alice.session, live).unwrap();
    socket.say(open).await;
    assert_eq!(socket.hear().await.err(), Some(Some(close::LINK)));
}

/// Asks for leave to send so many bytes.
async fn ticket(socket: &mut TestSocket, len: usize) -> Ticket {
    socket.say(json!({"t": "ticket", "len": len})).await;
    Ticket::decode(&socket.binary().await).unwrap()
}

#[actix_web::test]
async fn a_ticket_is_good_once_for_its_session_for_a_minute_and_while_its_socket_is_open() {
    let app = TestApp::start().await;
    let alice = alice(&app).await.account;
    let bob = app.account("bob").await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    let message = || {
        let slots = vec![waiting_slot(bob.id(), b"slot")];
        submission(random_id(), false, slots, &[7; 40_000])
    };
    let len = message().len();
    let post = async |by: &Account, ticket: Ticket| {
        let path = sealed_path(&ticket);
        let body = sealed(ticket, &message());
        (by.client.post_octets(&path, body.clone()).await, path, body)
    };
    let (sent, path, body) = post(&alice, ticket(&mut socket, len).await).await;
    sent.expect(204);
    socket.text_of("sent").await;
    let again = alice.client.post_octets(&path, body).await;
    assert_eq!(again.expect(404).code(), "gone");
    let (others, ..) = post(&bob, ticket(&mut socket, len).await).await;
    assert_eq!(others.expect(404).code(), "gone");
    let late = ticket(&mut socket, len).await;
    let later = ticket(&mut socket, len).await;
    app.advance(59).await;
    post(&alice, late).await.0.expect(204);
    socket.text_of("sent").await;
    app.advance(1).await;
    assert_eq!(post(&alice, later).await.0.expect(404).code(), "gone");
    // A socket holds sixteen, and is asked to wait for more.
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(ticket(&mut socket, len).await);
    }
    socket.say(json!({"t": "ticket", "len": len})).await;
    let refused = socket.text_of("refused").await;
    assert_eq!(
        (&refused["re"], &refused["code"], &refused["retry_after"]),
        (&json!("ticket"), &json!("too-many-requests"), &json!(1))
    );
    post(&alice, held.remove(0)).await.0.expect(204);
    socket.text_of("sent").await;
    let last = ticket(&mut socket, len).await;
    socket.close().await;
    assert_eq!(post(&alice, last).await.0.expect(404).code(), "gone");
}

#[actix_web::test]
async fn a_body_that_does_not_open_is_refused_and_nothing_of_it_is_taken() {
    let app = TestApp::start().await;
    let alice = alice(&app).await.account;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    let slots = vec![waiting_slot(alice.id(), b"slot")];
    let message = submission(random_id(), false, slots, &[7; 40_000]);
    for wrong in [
        "a bit",
        "a chunk less",
        "a byte more",
        "chunks in another order",
    ] {
        let ticket = ticket(&mut socket, message.len()).await;
        let path = sealed_path(&ticket);
        let mut body = sealed(ticket, &message);
        match wrong {
            "a bit" => body[20_000] ^= 1,
            "a chunk less" => body.truncate(16_400),
            "a byte more" => body.push(0),
            _ => body[..2 * 16_400].rotate_left(16_400),
        }
        let refused = alice.client.post_octets(&path, body).await.expect(400);
        assert_eq!(refused.code(), "malformed-request", "{wrong}");
    }
    assert_eq!(app.app.vault().stats().await.unwrap().messages, 0);
    let most = message.len() as u64 + (64 << 20);
    socket.say(json!({"t": "ticket", "len": most})).await;
    let refused = socket.text_of("refused").await;
    assert_eq!(
        (&refused["re"], &refused["code"]),
        (&json!("ticket"), &json!("too-large"))
    );
}

#[actix_web::test]
async fn content_that_cannot_be_read_is_refused_by_the_answer_to_its_request() {
    let app = TestApp::start().await;
    let alice = alice(&app).await.account;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    let slots = vec![waiting_slot(alice.id(), b"slot")];
    let message = submission(random_id(), false, slots, &[7; 40_000]);
    for wrong in ["kind", "version", "less than it says", "more than it says"] {
        let mut message = message.clone();
        match wrong {
            "kind" => message[0] = 0xff,
            "version" => message[1] = 0xff,
            "less than it says" => message.truncate(30_000),
            _ => message.push(7),
        }
        let ticket = ticket(&mut socket, message.len()).await;
        let path = sealed_path(&ticket);
        let body = sealed(ticket, &message);
        let refused = alice.client.post_octets(&path, body).await.expect(400);
        assert_eq!(refused.code(), "malformed-request", "{wrong}");
        assert_eq!(refused.json()["retry_after"], Value::Null, "{wrong}");
    }
    // Nothing was told on the socket, where it would name no message.
    socket.say(json!({"t": "ping"})).await;
    assert_eq!(socket.text().await["t"], "pong");
    assert_eq!(app.app.vault().stats().await.unwrap().messages, 0);
}
