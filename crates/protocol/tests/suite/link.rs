//! The link's handshake, from hello to active.

use api::ids::{BootId, SessionId};
use insta::assert_snapshot;
use protocol::boot::{BootSigningKey, ServerKey};
use protocol::epoch::bucket_of;
use protocol::link::client::{self, Account, ClientLink, Known, Nobody, Opening};
use protocol::link::server::{self, Activated, Open, Place, Read, ServerLink};
use protocol::link::{Hello, InstanceId, LinkError, LinkPair, Psk, PskId, Psks, VerifiedHello};

use crate::support::{ALICE, NOW, SeededRng};

pub(crate) const ORIGIN: &str = "https://messages.example";
pub(crate) const SESSION: SessionId = SessionId::from_bytes([0x51; 32]);

/// A server's instance with the pair of this bucket.
pub(crate) struct Instance {
    pub server: ServerKey,
    pub pair: LinkPair,
    pub psks: Psks,
    /// The name of the key that was kept last.
    pub kept: Option<PskId>,
    pub now: u64,
}

impl Instance {
    pub(crate) fn new(rng: &mut SeededRng) -> Self {
        let key = BootSigningKey::generate(rng);
        let server = key.sign(rng, [1; 16], NOW).server_key(None).unwrap();
        Self::with_key(rng, &key, server)
    }

    pub(crate) fn with_key(rng: &mut SeededRng, key: &BootSigningKey, server: ServerKey) -> Self {
        let boot_id = BootId::from_bytes([1; 16]);
        let pair = LinkPair::generate(rng, key, boot_id, InstanceId([2; 16]), bucket_of(NOW));
        let (public, private) = pair.split();
        let pair = LinkPair::join(public, &private);
        Self {
            server,
            pair,
            psks: Psks::default(),
            kept: None,
            now: NOW,
        }
    }

    pub(crate) fn hello(&self) -> VerifiedHello {
        let hello = Hello::decode(self.pair.hello()).unwrap();
        hello.verify(&self.server, NOW).unwrap()
    }

    pub(crate) fn place<'a>(&'a self, session: &'a SessionId) -> Place<'a> {
        Place {
            pair: &self.pair,
            origin: ORIGIN,
            session: Some(session),
            now: self.now,
        }
    }

    /// Answers an open of the session's own socket.
    pub(crate) fn answer(
        &mut self,
        rng: &mut SeededRng,
        open: &[u8],
    ) -> Result<(server::Answered, Vec<u8>), LinkError> {
        let open = Open::decode(open)?;
        open.check(&self.place(&SESSION))?;
        let known = match open.psk() {
            Some((session, live, id)) => self.psks.take(session, live, id),
            None => None,
        };
        server::answer(rng, &self.place(&SESSION), &open, known)
    }
}

pub(crate) fn open_account(rng: &mut SeededRng, at: &Instance) -> (Opening<Account>, Vec<u8>) {
    Opening::for_account(rng, &at.hello(), ORIGIN, SESSION, ALICE.live_id).unwrap()
}

/// Alice opens a link with her signature.
pub(crate) fn linked(rng: &mut SeededRng, at: &mut Instance) -> (client::Active, ServerLink) {
    let (opening, open) = open_account(rng, at);
    let (answered, opened) = at.answer(rng, &open).unwrap();
    let (proving, proof) = opening.prove(rng, &opened, &ALICE.party()).unwrap();
    let Read::Account(claimed) = answered.read(&proof).unwrap() else {
        panic!("the proof names an account");
    };
    assert_eq!(*claimed.user_id(), ALICE.user_id);
    let ready = claimed.verify(&ALICE.user_id, &ALICE.keys).unwrap();
    let activated = ready.activate(NOW);
    finish(at, proving, activated)
}

fn finish(
    at: &mut Instance,
    proving: client::Proving,
    activated: Activated,
) -> (client::Active, ServerLink) {
    let active = proving.active(NOW, &activated.active).unwrap();
    assert_eq!(active.link_id, activated.link_id);
    assert_eq!(active.user_id, activated.user_id);
    if let Some(known) = activated.known {
        at.kept = Some(at.psks.keep(known));
    }
    (active, activated.link)
}

/// Alice opens a link with the key that the link before left.
pub(crate) fn linked_again(
    rng: &mut SeededRng,
    at: &mut Instance,
    psk: Psk,
) -> Result<(client::Active, ServerLink), LinkError> {
    let (opening, open) =
        Opening::<Known>::with_psk(rng, &at.hello(), ORIGIN, SESSION, ALICE.live_id, psk)?;
    let (answered, opened) = at.answer(rng, &open)?;
    let (proving, proof) = opening.confirm(&opened)?;
    let Read::Ready(ready) = answered.read(&proof)? else {
        panic!("a pre-shared key needs no signature");
    };
    Ok(finish(at, proving, ready.activate(NOW)))
}

pub(crate) fn exchange(rng: &mut SeededRng, client: &mut ClientLink, server: &mut ServerLink) {
    let mut up = client.seal(NOW, b"up").unwrap();
    let received = server.receive(rng, NOW, &mut up).unwrap();
    assert_eq!(received, server::Received::Data(b"up"));
    let mut down = server.seal(NOW, b"down").unwrap();
    let received = client.receive(NOW, &mut down).unwrap();
    assert_eq!(received, client::Received::Data(b"down"));
}

#[test]
fn a_link_is_opened_by_signature_and_again_by_the_key_that_it_left() {
    let rng = &mut SeededRng::new(1);
    let at = &mut Instance::new(rng);
    let (mut active, mut server) = linked(rng, at);
    assert_eq!(active.user_id, Some(ALICE.user_id));
    exchange(rng, &mut active.link, &mut server);
    for _ in 0..3 {
        let psk = active.psk.take().unwrap();
        (active, server) = linked_again(rng, at, psk).unwrap();
        assert_eq!(active.user_id, Some(ALICE.user_id));
        exchange(rng, &mut active.link, &mut server);
    }
}

#[test]
fn a_page_without_an_account_has_a_link_and_leaves_no_key() {
    let rng = &mut SeededRng::new(2);
    let at = &mut Instance::new(rng);
    let (opening, open) = Opening::<Nobody>::for_nobody(rng, &at.hello(), ORIGIN).unwrap();
    let (answered, opened) = at.answer(rng, &open).unwrap();
    let (proving, proof) = opening.confirm(&opened).unwrap();
    let Read::Ready(ready) = answered.read(&proof).unwrap() else {
        panic!("nobody needs no signature");
    };
    let activated = ready.activate(NOW);
    assert!(activated.known.is_none() && activated.user_id.is_none());
    let (mut active, mut server) = finish(at, proving, activated);
    assert!(active.psk.is_none() && active.user_id.is_none());
    exchange(rng, &mut active.link, &mut server);
}

#[test]
fn a_pair_is_over_after_two_buckets_and_its_hello_too() {
    let rng = &mut SeededRng::new(3);
    let at = &mut Instance::new(rng);
    let hello = Hello::decode(at.pair.hello()).unwrap();
    let begin = bucket_of(NOW) * 300;
    for (now, over) in [(begin, false), (begin + 599, false), (begin + 600, true)] {
        assert_eq!(at.pair.is_over(now), over);
        let expected = over.then_some(LinkError::OtherTime);
        assert_eq!(hello.verify(&at.server, now).err(), expected);
    }
    let ahead = begin - 13 * 300;
    assert_eq!(
        hello.verify(&at.server, ahead).err(),
        Some(LinkError::OtherTime)
    );
    assert!(hello.verify(&at.server, ahead + 300).is_ok());
}

#[test]
fn nothing_of_a_link_prints_its_keys() {
    let rng = &mut SeededRng::new(4);
    let at = &mut Instance::new(rng);
    assert_snapshot!(
        format!("{:?}", at.pair),
        @"LinkPair { agreement: AgreementSecret(..), kem: KemExpanded(..), expiry: 1800000600, .. }"
    );
    let (active, server) = linked(rng, at);
    assert_snapshot!(
        format!("{server:?}"),
        @"ServerLink { out: Chain { key: Some(ChainKey(..)), side: Server, frames: 0, since: 1800000000 }, into: Chain { key: Some(ChainKey(..)), side: Client, frames: 0, since: 1800000000 }, root: Root(..), next: None }"
    );
    let psk = format!("{:?}", active.psk.unwrap());
    assert!(psk.ends_with("key: PskKey(..) }"), "{psk}");
    let link = format!("{:?}", active.link);
    assert!(link.contains("root: Root(..), renewing: None"), "{link}");
    let (opening, _) = open_account(rng, at);
    let opening = format!("{opening:?}");
    let secret = "agreement: AgreementSecret(..), kem: KemSecret(..), pair: SharedSecret(..), kem_server: KemShared(..), psk: None";
    assert!(opening.contains(secret), "{opening}");
}

#[test]
fn the_server_keeps_less_than_three_hundred_bytes_of_a_link() {
    let keys = 3 * 32;
    let held = size_of::<ServerLink>() + keys;
    assert!(held < 300, "{held}");
}
