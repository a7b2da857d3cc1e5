//! The keys of a link: gone from the server's memory as soon as their frames were handled.

use std::collections::BTreeSet;

use protocol::envelope::Parcel;
use protocol::link::Ticket;
use protocol::primitives::aead;
use serde_json::json;
use store::{KeySource, Store, StoreConfig};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;
use zeroize::Zeroizing;

use crate::support::memory_scan::{Keys, private_halves_in_process};
use crate::support::{
    Account, Spawned, TestSocket, Unlinked, b64, fetch, random_id, sealed, sealed_path, submission,
    unb64, waiting_slot,
};

/// Frames that go each way, more than a link has before it is renewed.
const FRAMES: usize = 1_100;

async fn alice(server: &Spawned) -> Account {
    let secret = server.setup_secret();
    let right = Some(("setup", secret.as_str()));
    let alice = Account::register(server.client(), "alice", right);
    alice.await.unwrap()
}

/// Says something that is answered; gives the link's keys before, between and after.
async fn pinged(socket: &mut TestSocket) -> Vec<[u8; 32]> {
    let mut keys = socket.keys();
    socket.say(json!({"t": "ping"})).await;
    keys.extend(socket.keys());
    socket.text_of("pong").await;
    keys.extend(socket.keys());
    keys
}

/// Fails unless of these keys a server has the link's present ones alone: both chains' and the root. Those of
/// the next frames are not made yet.
#[track_caller]
fn assert_gone(server: &Spawned, socket: &TestSocket, mut gone: Vec<[u8; 32]>) {
    let present = socket.keys();
    let found = Keys::new(&present).in_process(server.pid());
    assert_eq!(found.len(), 3, "the control: {found:?}");
    gone.retain(|key| !present.contains(key));
    let found = Keys::new(&gone).in_process(server.pid());
    assert!(
        found.is_empty(),
        "{} of {}: {found:?}",
        found.len(),
        gone.len()
    );
    let found = private_halves_in_process(server.pid(), &socket.origins.publics);
    let pair = BTreeSet::from([0]);
    assert_eq!(found, pair, "the pair's half alone, which is the control");
}

#[actix_web::test]
async fn of_a_links_keys_a_server_has_the_present_ones_alone() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let alice = alice(&server).await;
    let unlinked = Unlinked::open(&alice.client, random_id()).await.unwrap();
    let answered = unlinked.answered(&alice.client).await;
    let found = Keys::new(&answered.origins.handshake).in_process(server.pid());
    assert_eq!(found.len(), 5, "the control: {found:?}");
    let mut socket = answered.link().await;
    let mut gone = socket.origins.all();
    for _ in 0..FRAMES {
        gone.extend(pinged(&mut socket).await);
    }
    // Submissions are opened in place, and what is told of them is sealed.
    for index in 0..50 {
        let slots = vec![waiting_slot(alice.id(), b"slot")];
        let message = submission(random_id(), false, slots, &vec![7; 1_000 + 200 * index]);
        socket.send_binary(message).await;
        socket.text_of("sent").await;
        gone.extend(pinged(&mut socket).await);
    }
    gone.extend(pinged(&mut socket).await);
    assert!(gone.len() > 4 * FRAMES, "{}", gone.len());
    assert_gone(&server, &socket, gone);
}

/// The key of a ticket, behind what its chunks are bound to.
fn key_of(ticket: &Ticket) -> [u8; 32] {
    *ticket.encode().last_chunk().unwrap()
}

#[actix_web::test]
async fn recorded_traffic_a_servers_memory_and_its_long_term_keys_open_nothing_that_burned() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let alice = alice(&server).await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    let mut opening = socket.origins.all();
    let message = |id, len| {
        let slots = vec![waiting_slot(alice.id(), b"slot")];
        submission(id, true, slots, &vec![7; len])
    };
    let (small, large) = (random_id(), random_id());

    // What somebody records: a frame, and bodies under tickets both ways. The keys are there just before.
    let before = socket.keys();
    let found = Keys::new(&before).in_process(server.pid());
    assert_eq!(found.len(), 3, "the control: {found:?}");
    let frame = socket.sealed(&message(small, 1_000));
    let (first, mut recorded) = ([1, 0, 0, 0, 0, 0, 0, 0, 0], frame.clone());
    let opened = aead::open(&before[1], &[0; 12], &first, &mut recorded);
    assert!(opened.is_ok(), "the control: the second of them opens it");
    opening.extend(before);
    socket.send_unsealed(Message::binary(frame)).await.unwrap();
    socket.text_of("sent").await;
    let body = message(large, 40_000);
    socket.say(json!({"t": "ticket", "len": body.len()})).await;
    let ticket = Ticket::decode(&socket.binary().await).unwrap();
    let up = key_of(&ticket);
    let path = sealed_path(&ticket);
    let body = sealed(ticket, &body);
    let found = Keys::new(&[up]).in_process(server.pid());
    assert_eq!(found.len(), 1, "the control: the ticket is not used yet");
    alice.client.post_octets(&path, body).await.expect(204);
    socket.text_of("sent").await;
    opening.push(up);

    // It burns.
    for id in [small, large] {
        let said = hex::encode(id);
        opening.extend(socket.keys());
        socket.say(json!({"t": "claim", "id": said})).await;
        let parcel = match id == large {
            false => socket.binary().await,
            true => {
                let claimed = socket.text_of("claimed_large").await;
                opening.push(key_of(&Ticket::decode(&unb64(&claimed["ticket"])).unwrap()));
                let parcel = fetch(&alice.client, &claimed).await.expect(200);
                parcel.body.to_vec()
            }
        };
        let token = b64(&Parcel::decode(&parcel).unwrap().token);
        opening.extend(socket.keys());
        socket
            .say(json!({"t": "ack", "id": said, "token": token}))
            .await;
        socket.text_of("acked").await;
    }
    // The link is renewed, so that the root is another one.
    for _ in 0..FRAMES {
        opening.extend(pinged(&mut socket).await);
    }
    assert_gone(&server, &socket, opening.clone());

    // Nor does what the server keeps open anything: its secrets, and every file.
    drop(socket);
    server.stop();
    let opening = Keys::new(&opening);
    let path = data.path().join("secure_messaging.db");
    let key = KeySource::beside(Some("a key of the tests".to_owned()), &path);
    let store = Store::open(&StoreConfig::new(&path, key)).unwrap();
    for name in ["opaque", "boot", "cookie", "device"] {
        let absent = || -> Zeroizing<Vec<u8>> { panic!("it was made at the start") };
        let secret = store.get_or_create_secret(name, Box::new(absent), 0);
        let secret = secret.await.unwrap();
        assert!(secret.expose().len() >= 32, "{name}");
        assert!(opening.in_bytes(secret.expose()).is_empty(), "{name}");
    }
    store.close().unwrap();
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(opening.in_bytes(&bytes).is_empty(), "{}", path.display());
    }
}
