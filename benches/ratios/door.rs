//! Opens links at a server, as a client does.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ambient::Ambient;
use api::bodies::Server;
use bytes::BytesMut;
use protocol::boot::{ServerKey, SignedBoot};
use protocol::ids::LiveId;
use protocol::link::client::{Opening, Proving};
use protocol::link::{Hello, Psk};

use crate::linked::Linked;
use crate::load::call;
use crate::people::Person;
use crate::websocket::WebSocket;

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

    /// Opens a socket and its link; the account signs.
    pub(crate) async fn open(&self, place: Place<'_>) -> io::Result<Linked> {
        Ok(self.open_with(place, None).await?.socket)
    }

    /// Opens a socket and its link with the key of the link before, or else by signature.
    pub(crate) async fn open_with(&self, place: Place<'_>, psk: Option<Psk>) -> io::Result<Opened> {
        let (person, live) = (place.person, LiveId::from_bytes(place.live_id));
        let deliver = if place.deliver { "&deliver=1" } else { "" };
        let path = format!("/api/v1/ws?live_id={}{deliver}", hex::encode(place.live_id));
        let mut socket = WebSocket::open(self.address, &path, &person.cookies, place.from).await?;
        let hello = socket.next().await?;
        let begun = Instant::now();
        let mut asked = Asked {
            socket,
            waited: Duration::ZERO,
        };
        let (mut rng, now) = (Ambient::system().rng(), Ambient::system().now());
        let hello = Hello::decode(&hello).map_err(io::Error::other)?;
        let hello = hello.verify(&self.key, now).map_err(io::Error::other)?;
        let (origin, session) = (&self.origin, person.session);
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
            socket: Linked::new(asked.socket, active.link),
            psk: active.psk,
            took,
            computed: took.saturating_sub(asked.waited),
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

/// A socket whose link is being opened.
struct Asked {
    socket: WebSocket,
    /// How long answers took.
    waited: Duration,
}

impl Asked {
    async fn ask(&mut self, message: &[u8]) -> io::Result<BytesMut> {
        let begun = Instant::now();
        let answer = self.socket.exchange(message).await;
        self.waited += begun.elapsed();
        answer
    }
}
