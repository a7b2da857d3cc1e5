//! A light WebSocket client: little memory while it is idle, and one write for each frame.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use actix_http::ws::{OpCode, Parser};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// How long a connection or a frame is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest frame that is read.
const LONGEST: usize = 1 << 20;

/// An open socket.
pub(crate) struct WebSocket {
    stream: TcpStream,
    received: BytesMut,
}

impl WebSocket {
    /// Opens a socket at a path; `from` is the last byte of the loopback address that it comes from.
    pub(crate) async fn open(
        address: SocketAddr,
        path: &str,
        cookies: &str,
        from: u8,
    ) -> io::Result<Self> {
        let opening = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((IpAddr::V4(Ipv4Addr::new(127, 0, 0, from)), 0).into())?;
            let mut stream = socket.connect(address).await?;
            stream.set_nodelay(true)?;
            let head = format!(
                "GET {path} HTTP/1.1\r\nhost: localhost\r\nx-secure-messaging: 1\r\ncookie: {cookies}\r\n\
                 connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                 sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            let mut received = BytesMut::new();
            let end = loop {
                if let Some(at) = received.windows(4).position(|part| part == b"\r\n\r\n") {
                    break at + 4;
                }
                if stream.read_buf(&mut received).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            };
            if !received.starts_with(b"HTTP/1.1 101") {
                let head = String::from_utf8_lossy(&received[..end]).into_owned();
                return Err(io::Error::other(format!("no socket was opened: {head}")));
            }
            received.advance(end);
            Ok(Self { stream, received })
        };
        tokio::time::timeout(PATIENCE, opening).await?
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, kind: OpCode, payload: &[u8]) -> io::Result<()> {
        let mut frame = BytesMut::with_capacity(payload.len() + 14);
        Parser::write_message(&mut frame, payload, kind, true, true);
        self.stream.write_all(&frame).await
    }

    /// Waits for the next frame that is no ping, without end; a ping is answered.
    pub(crate) async fn next(&mut self) -> io::Result<(OpCode, BytesMut)> {
        loop {
            let parsed = Parser::parse(&mut self.received, false, LONGEST);
            match parsed.map_err(io::Error::other)? {
                Some((_, OpCode::Ping, payload)) => {
                    let payload = payload.unwrap_or_default();
                    self.send(OpCode::Pong, &payload).await?;
                }
                Some((_, OpCode::Close, _)) => return Err(io::ErrorKind::ConnectionAborted.into()),
                Some((_, kind, payload)) => return Ok((kind, payload.unwrap_or_default())),
                None => {
                    if self.received.is_empty() {
                        self.received = BytesMut::new();
                        self.stream.readable().await?;
                    }
                    if self.stream.read_buf(&mut self.received).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
    }

    /// Waits for the next text frame in which `wanted` stands, or for a binary frame.
    pub(crate) async fn next_with(&mut self, wanted: &str) -> io::Result<(OpCode, BytesMut)> {
        let searched = async {
            loop {
                let (kind, payload) = self.next().await?;
                let found = payload
                    .windows(wanted.len())
                    .any(|part| part == wanted.as_bytes());
                if kind == OpCode::Binary || found {
                    return Ok((kind, payload));
                }
            }
        };
        tokio::time::timeout(PATIENCE, searched).await?
    }
}

/// The path of the product's socket for a live id, to which messages are pushed.
pub(crate) fn path(live_id: [u8; 16]) -> String {
    format!("/api/v1/ws?live_id={}&deliver=1", hex::encode(live_id))
}
