//! Messages, frames and tickets of the link, begun from a real handshake.

use api::ids::{BootId, SessionId};
use client::testing::SeededRng;
use fuzz::Target;
use protocol::boot::BootSigningKey;
use protocol::ids::LiveId;
use protocol::link::client::{Account, Nobody, Opening};
use protocol::link::server::{Open, Place, Read, ServerLink, answer};
use protocol::link::{Direction, Hello, InstanceId, LinkPair, Ticket, VerifiedHello};

use crate::AGAIN;

const NOW: u64 = 1_800_000_000;
const ORIGIN: &str = "https://messages.example";
const SESSION: SessionId = SessionId::from_bytes([3; 32]);

fn instance(rng: &mut SeededRng) -> (LinkPair, VerifiedHello) {
    let key = BootSigningKey::generate(rng);
    let server = key.sign(rng, [1; 16], NOW).server_key(None).unwrap();
    let boot_id = BootId::from_bytes([1; 16]);
    let pair = LinkPair::generate(rng, &key, boot_id, InstanceId([2; 16]), NOW / 300);
    let hello = Hello::decode(pair.hello()).unwrap();
    let hello = hello.verify(&server, NOW).unwrap();
    (pair, hello)
}

fn place(pair: &LinkPair) -> Place<'_> {
    Place {
        pair,
        origin: ORIGIN,
        session: Some(&SESSION),
        now: NOW,
    }
}

#[test]
fn hostile_hellos_break_nothing() {
    let (pair, _) = instance(&mut SeededRng::new(1));
    Target::new("hellos of a link", AGAIN)
        .seeds([pair.hello().to_vec()])
        .run(|bytes| {
            let hello = Hello::decode(bytes)?;
            assert!(hello.encode() == bytes);
            Ok::<_, protocol::codec::DecodeError>(())
        });
}

#[test]
fn hostile_opens_break_nothing() {
    let rng = &mut SeededRng::new(2);
    let (pair, hello) = instance(rng);
    let live = LiveId::from_bytes([4; 16]);
    let (_, account) = Opening::<Account>::for_account(rng, &hello, ORIGIN, SESSION, live).unwrap();
    let (_, nobody) = Opening::<Nobody>::for_nobody(rng, &hello, ORIGIN).unwrap();
    let read = |bytes: &[u8]| {
        let open = Open::decode(bytes)?;
        answer(&mut SeededRng::new(3), &place(&pair), &open, None).map(drop)
    };
    assert!(
        read(&account).is_ok() && read(&nobody).is_ok(),
        "the control"
    );
    Target::new("opens of a link", AGAIN)
        .seeds([account, nobody])
        .run(read);
}

/// A link of a page without an account.
fn link() -> (protocol::link::client::ClientLink, ServerLink) {
    let rng = &mut SeededRng::new(4);
    let (pair, hello) = instance(rng);
    let (opening, open) = Opening::<Nobody>::for_nobody(rng, &hello, ORIGIN).unwrap();
    let open = Open::decode(&open).unwrap();
    let (answered, opened) = answer(rng, &place(&pair), &open, None).unwrap();
    let (proving, proof) = opening.confirm(&opened).unwrap();
    let Read::Ready(ready) = answered.read(&proof).unwrap() else {
        panic!("nobody needs no signature");
    };
    let activated = ready.activate(NOW);
    let active = proving.active(NOW, &activated.active).unwrap();
    (active.link, activated.link)
}

/// What a hostile client seals in frames of a link of its own.
#[test]
fn hostile_payloads_and_frames_break_nothing() {
    let rng = &mut SeededRng::new(5);
    let seeds = [
        link().0.renew(rng, NOW).unwrap(),
        link().0.seal(NOW, b"data").unwrap(),
    ];
    let (_, mut server) = link();
    assert!(
        server.receive(rng, NOW, &mut seeds[1].clone()).is_ok(),
        "the control"
    );
    Target::new("frames of a link", AGAIN)
        .seeds(seeds)
        .run(|bytes| {
            let (mut client, mut server) = link();
            let rng = &mut SeededRng::new(6);
            let sent = client.seal(NOW, bytes.get(..200).unwrap_or(bytes));
            let mut sent = sent.unwrap();
            assert!(server.receive(rng, NOW, &mut sent).is_ok());
            server.receive(rng, NOW, &mut bytes.to_vec()).map(drop)
        });
}

#[test]
fn hostile_tickets_break_nothing() {
    let rng = &mut SeededRng::new(7);
    let seeds = [Direction::Up, Direction::Down]
        .map(|direction| Ticket::issue(rng, direction, 40_000).encode().to_vec());
    assert!(Ticket::decode(&seeds[0]).is_ok(), "the control");
    Target::new("tickets", AGAIN).seeds(seeds).run(|bytes| {
        let ticket = Ticket::decode(bytes)?;
        assert!(*ticket.encode() == bytes);
        let mut opener = ticket.into_opener();
        let mut chunk = vec![0; opener.next_len().unwrap_or(0)];
        assert!(opener.open(&mut chunk).is_err());
        Ok::<_, protocol::codec::DecodeError>(())
    });
}
