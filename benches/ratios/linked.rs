//! A socket with a link over it, as a client holds one.

use std::io;

use actix_http::ws::OpCode;
use ambient::Ambient;
use protocol::link::client::{ClientLink, Received};

use crate::websocket::{PATIENCE, WebSocket};

/// A socket whose frames are sealed; it renews its link when that is due.
pub(crate) struct Linked {
    socket: WebSocket,
    link: ClientLink,
}

impl Linked {
    /// A socket whose link is open.
    pub(crate) fn new(socket: WebSocket, link: ClientLink) -> Self {
        Self { socket, link }
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
