//! A light WebSocket client: little memory while it is idle, and one write for each frame.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use actix_http::ws::{OpCode, Parser};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// How long a connection or a frame is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

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
                "GET {path} HTTP/1.1\r\nhost: {address}\r\nx-secure-messaging: 1\r\ncookie: {cookies}\r\n\
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

    /// Waits for the next frame without end; a ping is answered before it is given.
    pub(crate) async fn frame(&mut self) -> io::Result<(OpCode, BytesMut)> {
        loop {
            let parsed = Parser::parse(&mut self.received, false, LONGEST);
            match parsed.map_err(io::Error::other)? {
                Some((_, OpCode::Close, payload)) => {
                    let code = payload.as_deref().and_then(|payload| payload.first_chunk());
                    let code = code.map(|code| u16::from_be_bytes(*code));
                    return Err(io::Error::other(format!("the server closed: {code:?}")));
                }
                Some((_, kind, payload)) => {
                    let payload = payload.unwrap_or_default();
                    if kind == OpCode::Ping {
                        self.send(OpCode::Pong, &payload).await?;
                    }
                    return Ok((kind, payload));
                }
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

    /// Waits for the next frame that is no ping.
    pub(crate) async fn next(&mut self) -> io::Result<BytesMut> {
        let next = async {
            loop {
                match self.frame().await? {
                    (OpCode::Ping, _) => {}
                    (_, payload) => return Ok(payload),
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await?
    }

    /// Sends bytes and waits for what comes back.
    pub(crate) async fn exchange(&mut self, payload: &[u8]) -> io::Result<BytesMut> {
        self.send(OpCode::Binary, payload).await?;
        self.next().await
    }
}
