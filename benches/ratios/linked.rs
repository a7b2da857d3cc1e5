//! A socket with a link over it, as a client holds one.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use actix_http::ws::OpCode;
use ambient::Ambient;
use api::bodies::Server;
use protocol::boot::{ServerKey, SignedBoot};
use protocol::ids::LiveId;
use protocol::link::client::{ClientLink, Opening, Proving, Received};
use protocol::link::{Hello, Psk};

use crate::load::call;
use crate::people::Person;
use crate::websocket::{PATIENCE, WebSocket};

/// A server as its clients know it.
pub(crate) struct Door {
    /// Where it listens.
    pub address: SocketAddr,
    origin: String,
    key: ServerKey,
}

impl Door {
    /// Asks the server for the boot id that it signed.
    pub(crate) async fn ask(address: SocketAddr) -> io::Result<Self> {
        let answer = call(address, "GET", "/api/v1/server", "", b"").await?;
        let server: Server = serde_json::from_slice(&answer)?;
        let boot = SignedBoot::decode(&server.boot.signed).map_err(io::Error::other)?;
        Ok(Self {
            address,
            origin: format!("http://{address}"),
            key: boot.server_key(None).map_err(io::Error::other)?,
        })
    }
}

/// Whose socket is opened, and how.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The account.
    pub person: &'a Person,
    /// The live session.
    pub live_id: [u8; 16],
    /// Whether messages for it are pushed.
    pub deliver: bool,
    /// The last byte of the loopback address that it comes from.
    pub from: u8,
}

/// A link that was opened, and what that took.
pub(crate) struct Opened {
    /// The socket.
    pub socket: Linked,
    /// What the next link of this live session may begin with.
    pub psk: Option<Psk>,
    /// The time from the server's hello to the active link.
    pub took: Duration,
    /// The part of it in which the client computed.
    pub computed: Duration,
}

/// A socket whose frames are sealed; it renews its link when that is due.
pub(crate) struct Linked {
    socket: WebSocket,
    link: ClientLink,
}

impl Linked {
    /// Opens a socket and its link; the account signs.
    pub(crate) async fn open(door: &Door, place: Place<'_>) -> io::Result<Self> {
        Ok(Self::open_with(door, place, None).await?.socket)
    }

    /// Opens a socket and its link with the key of the link before, or else by signature.
    pub(crate) async fn open_with(
        door: &Door,
        place: Place<'_>,
        psk: Option<Psk>,
    ) -> io::Result<Opened> {
        let (person, live) = (place.person, LiveId::from_bytes(place.live_id));
        let deliver = if place.deliver { "&deliver=1" } else { "" };
        let path = format!("/api/v1/ws?live_id={}{deliver}", hex::encode(place.live_id));
        let mut socket = WebSocket::open(door.address, &path, &person.cookies, place.from).await?;
        let hello = socket.next().await?;
        let begun = Instant::now();
        let mut asked = Asked {
            socket,
            waited: Duration::ZERO,
        };
        let (mut rng, now) = (Ambient::system().rng(), Ambient::system().now());
        let hello = Hello::decode(&hello).map_err(io::Error::other)?;
        let hello = hello.verify(&door.key, now).map_err(io::Error::other)?;
        let (origin, session) = (&door.origin, person.session);
        let (proving, proof): (Proving, _) = match psk {
            None => {
                let (opening, open) = Opening::for_account(&mut rng, &hello, origin, session, live)
                    .map_err(io::Error::other)?;
                let opened = asked.ask(&open).await?;
                opening.prove(&mut rng, &opened, &person.party())
            }
            Some(psk) => {
                let (opening, open) =
                    Opening::with_psk(&mut rng, &hello, origin, session, live, psk)
                        .map_err(io::Error::other)?;
                let opened = asked.ask(&open).await?;
                opening.confirm(&opened)
            }
        }
        .map_err(io::Error::other)?;
        let active = asked.ask(&proof).await?;
        let active = proving.active(now, &active).map_err(io::Error::other)?;
        let took = begun.elapsed();
        Ok(Opened {
            socket: Self {
                socket: asked.socket,
                link: active.link,
            },
            psk: active.psk,
            took,
            computed: took.saturating_sub(asked.waited),
        })
    }

    /// Sends a payload.
    pub(crate) async fn say(&mut self, payload: &[u8]) -> io::Result<()> {
        self.renew_when_due().await?;
        let frame = self.link.seal(Ambient::system().now(), payload);
        self.socket
            .send(OpCode::Binary, &frame.map_err(io::Error::other)?)
            .await
    }

    /// Waits for the next payload without end.
    pub(crate) async fn hear(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let (kind, mut frame) = self.socket.frame().await?;
            if kind != OpCode::Binary {
                self.renew_when_due().await?;
                continue;
            }
            let received = self.link.receive(Ambient::system().now(), &mut frame);
            match received.map_err(io::Error::other)? {
                Received::Data(payload) => return Ok(payload.to_vec()),
                Received::Renewal(None) => {}
                Received::Renewal(Some(switched)) => {
                    self.socket.send(OpCode::Binary, &switched).await?;
                }
            }
        }
    }

    /// Waits for the payload that is wanted and passes over others; another that is refused is an error.
    pub(crate) async fn hear_of(&mut self, wanted: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
        let searched = async {
            loop {
                let payload = self.hear().await?;
                if wanted(&payload) {
                    return Ok(payload);
                }
                if is(&payload, "refused") {
                    let refused = String::from_utf8_lossy(&payload).into_owned();
                    return Err(io::Error::other(refused));
                }
            }
        };
        tokio::time::timeout(PATIENCE, searched).await?
    }

    /// Sends a payload and waits for what is wanted.
    pub(crate) async fn exchange(
        &mut self,
        payload: &[u8],
        wanted: impl Fn(&[u8]) -> bool,
    ) -> io::Result<Vec<u8>> {
        self.say(payload).await?;
        self.hear_of(wanted).await
    }

    /// Renews the link after as much as a client does; every ping of the server is an occasion.
    async fn renew_when_due(&mut self) -> io::Result<()> {
        let now = Ambient::system().now();
        if self.link.wants_renewal(now) {
            let renewal = self.link.renew(&mut Ambient::system().rng(), now);
            let renewal = renewal.map_err(io::Error::other)?;
            self.socket.send(OpCode::Binary, &renewal).await?;
        }
        Ok(())
    }
}

/// Whether a payload is text of this kind.
pub(crate) fn is(payload: &[u8], kind: &str) -> bool {
    let rest = payload.strip_prefix(b"{\"t\":\"");
    let rest = rest.and_then(|rest| rest.strip_prefix(kind.as_bytes()));
    rest.is_some_and(|rest| rest.starts_with(b"\""))
}

/// Whether a payload is an object and no text.
pub(crate) fn is_object(payload: &[u8]) -> bool {
    payload.first() != Some(&b'{')
}

/// A socket whose link is being opened.
struct Asked {
    socket: WebSocket,
    /// How long answers took.
    waited: Duration,
}

impl Asked {
    async fn ask(&mut self, message: &[u8]) -> io::Result<bytes::BytesMut> {
        let begun = Instant::now();
        let answer = self.socket.exchange(message).await;
        self.waited += begun.elapsed();
        answer
    }
}
