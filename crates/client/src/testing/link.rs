//! The server's side of the links: handshakes, and the frames of the sockets.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Code;
use api::ids::SessionId;
use protocol::epoch::bucket_of;
use protocol::identity::AccountKeys;
use protocol::ids::{LiveId, MessageId, UserId};
use protocol::link::server::{
    Activated, Answered, Open, Place, Read, Received, ServerLink, answer,
};
use protocol::link::{Direction, InstanceId, LinkError, LinkPair, Psks, Ticket};

use super::accounts::session_of;
use super::messages::problem_bytes;
use super::rng::SeededRng;
use super::server::FakeServer;

/// Where clients find the server.
pub(super) const ORIGIN: &str = "http://127.0.0.1:8080";

/// What an enemy on the way does with a message of a linked socket: any number of messages instead of one.
pub type TamperLink = Box<dyn FnMut(usize, Vec<u8>) -> Vec<Vec<u8>>>;

/// What a message of a tab's socket came to.
pub(super) enum Heard {
    /// Nothing that anybody has to know.
    Nothing,
    /// The next message of a handshake or of a renewal.
    Answer(Vec<u8>),
    /// What a frame brought.
    Payload(Vec<u8>),
    /// The link is over.
    Refused,
}

/// The links of a run of the server.
pub(super) struct Links {
    rng: SeededRng,
    instance: InstanceId,
    pair: Option<(u64, Rc<LinkPair>)>,
    psks: Psks,
    lines: BTreeMap<usize, Line>,
    tickets: Vec<Errand>,
}

/// What a ticket is leave for: to send something, or to fetch what was claimed.
struct Errand {
    tab: usize,
    ticket: Ticket,
    claim: Option<(MessageId, [u8; 16])>,
}

/// A tab's socket and its link.
struct Line {
    pair: Rc<LinkPair>,
    session: SessionId,
    user: UserId,
    live: LiveId,
    side: Side,
}

enum Side {
    Open,
    Proof(Box<Answered>),
    Linked(Box<ServerLink>),
    Over,
}

impl Links {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: SeededRng::new(seed),
            instance: InstanceId([1; 16]),
            pair: None,
            psks: Psks::default(),
            lines: BTreeMap::new(),
            tickets: Vec::new(),
        }
    }

    /// Another run of the server: pairs, links and keys are gone.
    pub(super) fn restart(&mut self) {
        let byte = self.instance.0[0].wrapping_add(1);
        self.instance = InstanceId([byte; 16]);
        self.pair = None;
        self.psks = Psks::default();
        self.lines.clear();
        self.tickets.clear();
    }

    /// A tab's socket is gone.
    pub(super) fn close(&mut self, tab: usize) {
        self.lines.remove(&tab);
        self.tickets.retain(|errand| errand.tab != tab);
    }
}

impl FakeServer {
    /// The hello of the present link pair.
    pub fn link_hello(&mut self) -> Vec<u8> {
        self.link_pair().hello().to_vec()
    }

    /// The server forgets the keys that links left for the next ones.
    pub fn forget_links(&mut self) {
        self.links.psks = Psks::default();
    }

    /// The server forgets the tickets that it gave.
    pub fn forget_tickets(&mut self) {
        self.links.tickets.clear();
    }

    fn link_pair(&mut self) -> Rc<LinkPair> {
        let bucket = bucket_of(self.now());
        match &self.links.pair {
            Some((of, pair)) if *of == bucket => Rc::clone(pair),
            _ => {
                let Links { rng, instance, .. } = &mut self.links;
                let pair = LinkPair::generate(rng, &self.boot_key, self.boot.0, *instance, bucket);
                let pair = Rc::new(pair);
                self.links.pair = Some((bucket, Rc::clone(&pair)));
                pair
            }
        }
    }

    /// A tab opens its socket; gives the hello, unless nobody is signed in or sockets are refused.
    pub(super) fn connect(
        &mut self,
        tab: usize,
        live: LiveId,
        cookie: Option<u64>,
    ) -> Option<Vec<u8>> {
        let cookie = cookie.filter(|_| self.refuse_sockets.is_none())?;
        let user = *self.cookies.get(&cookie)?;
        let pair = self.link_pair();
        let hello = pair.hello().to_vec();
        let line = Line {
            pair,
            session: session_of(cookie),
            user,
            live,
            side: Side::Open,
        };
        self.links.lines.insert(tab, line);
        Some(hello)
    }

    /// A message of a tab's socket.
    pub(super) fn hears(&mut self, tab: usize, mut message: Vec<u8>) -> Heard {
        let Some(mut line) = self.links.lines.remove(&tab) else {
            return Heard::Nothing;
        };
        let heard = self.hears_on(tab, &mut line, &mut message);
        if heard.is_ok() {
            self.links.lines.insert(tab, line);
        }
        heard.unwrap_or(Heard::Refused)
    }

    fn hears_on(
        &mut self,
        tab: usize,
        line: &mut Line,
        message: &mut [u8],
    ) -> Result<Heard, LinkError> {
        let now = self.now();
        match std::mem::replace(&mut line.side, Side::Over) {
            Side::Open => {
                let open = Open::decode(message)?;
                let place = Place {
                    pair: &line.pair,
                    origin: ORIGIN,
                    session: Some(&line.session),
                    now,
                };
                open.check(&place)?;
                let Links { rng, psks, .. } = &mut self.links;
                self.opens.push(open.psk().is_some());
                let known = open
                    .psk()
                    .and_then(|(session, live, id)| psks.take(session, live, id));
                let (answered, opened) = answer(rng, &place, &open, known)?;
                line.side = Side::Proof(Box::new(answered));
                Ok(Heard::Answer(opened))
            }
            Side::Proof(answered) => {
                let ready = match answered.read(message)? {
                    Read::Ready(ready) => *ready,
                    Read::Account(claimed) => {
                        let keys = self.accounts.get(claimed.user_id());
                        let keys = keys.ok_or(LinkError::OtherAccount)?;
                        let keys = AccountKeys::decode(&keys.own_keys).expect("public keys");
                        claimed.verify(&line.user, &keys)?
                    }
                };
                let Activated {
                    link,
                    active,
                    known,
                    ..
                } = ready.activate(now);
                line.side = Side::Linked(Box::new(link));
                self.links.psks.keep(known.expect("a session"));
                self.linked(tab, line.user, line.live);
                Ok(Heard::Answer(active))
            }
            Side::Linked(mut link) => {
                let heard = match link.receive(&mut self.links.rng, now, message)? {
                    Received::Data(payload) => Heard::Payload(payload.to_vec()),
                    Received::Renewal(None) => Heard::Nothing,
                    Received::Renewal(Some(frame)) => Heard::Answer(frame),
                };
                line.side = Side::Linked(link);
                Ok(heard)
            }
            Side::Over => Err(LinkError::Ended),
        }
    }

    /// Leave for a tab to send so many bytes, or to fetch as many that it has claimed.
    pub(super) fn ticket(
        &mut self,
        tab: usize,
        len: u64,
        claim: Option<(MessageId, [u8; 16])>,
    ) -> Vec<u8> {
        let direction = match claim {
            Some(_) => Direction::Down,
            None => Direction::Up,
        };
        let ticket = Ticket::issue(&mut self.links.rng, direction, len);
        let told = ticket.encode().to_vec();
        self.links.tickets.push(Errand { tab, ticket, claim });
        told
    }

    fn take_ticket(&mut self, tab: usize, id: &str, up: bool) -> Option<Errand> {
        let tickets = &mut self.links.tickets;
        let at = tickets.iter().position(|errand| {
            let same = hex::encode(errand.ticket.id()) == id;
            errand.tab == tab && same && errand.claim.is_none() == up
        });
        at.map(|at| tickets.remove(at))
    }

    /// Opens a body that came under a ticket.
    pub(super) fn unsealed(&mut self, tab: usize, id: &str, mut body: &[u8]) -> Option<Vec<u8>> {
        let mut opener = self.take_ticket(tab, id, true)?.ticket.into_opener();
        let mut opened = Vec::new();
        while let Some(len) = opener.next_len() {
            let (chunk, rest) = body.split_at_checked(len)?;
            opened.extend_from_slice(opener.open(&mut chunk.to_vec()).ok()?);
            body = rest;
        }
        (opener.is_whole() && body.is_empty()).then_some(opened)
    }

    /// A parcel that was claimed, sealed under its ticket.
    pub(super) fn fetch_sealed(&mut self, tab: usize, id: &str) -> (u16, Vec<u8>) {
        let Some(errand) = self.take_ticket(tab, id, false) else {
            return problem_bytes(Code::Gone);
        };
        let (message, token) = errand.claim.expect("a claim");
        let (status, parcel) = self.fetch(message, &token);
        if status != 200 {
            return (status, parcel);
        }
        let (mut sealer, mut rest) = (errand.ticket.into_sealer(), parcel.as_slice());
        let mut body = Vec::new();
        while let Some(len) = sealer.next_len() {
            let (chunk, more) = rest.split_at(len);
            body.extend(sealer.seal(chunk).expect("a chunk"));
            rest = more;
        }
        self.traffic.push(parcel);
        (200, body)
    }

    /// Seals a payload for a tab; nothing without a link.
    pub(super) fn seal(&mut self, tab: usize, payload: &[u8]) -> Option<Vec<u8>> {
        let now = self.now();
        let Side::Linked(link) = &mut self.links.lines.get_mut(&tab)?.side else {
            return None;
        };
        match link.seal(now, payload) {
            Ok(frame) => Some(frame),
            Err(LinkError::TooLong) => panic!("{} bytes do not fit a frame", payload.len()),
            Err(_) => None,
        }
    }
}

/// A client's end of a link, to nobody in particular.
#[cfg(test)]
pub(crate) fn client_link() -> protocol::link::client::ClientLink {
    use protocol::link::client::Opening;

    let mut server = FakeServer::new(1_767_225_650_000, 1);
    let now = server.now();
    let pair = server.link_pair();
    let place = Place {
        pair: &pair,
        origin: ORIGIN,
        session: None,
        now,
    };
    let rng = &mut server.links.rng;
    let key = server.boot.1.server_key(None).unwrap();
    let hello = protocol::link::Hello::decode(pair.hello()).unwrap();
    let hello = hello.verify(&key, now).unwrap();
    let (opening, open) = Opening::for_nobody(rng, &hello, ORIGIN).unwrap();
    let open = Open::decode(&open).unwrap();
    let (answered, opened) = answer(rng, &place, &open, None).unwrap();
    let (proving, proof) = opening.confirm(&opened).unwrap();
    let Read::Ready(ready) = answered.read(&proof).unwrap() else {
        panic!("nobody signs");
    };
    let activated = ready.activate(0);
    proving.active(0, &activated.active).unwrap().link
}
