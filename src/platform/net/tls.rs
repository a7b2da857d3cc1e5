//! TLS whose buffers forget.
//!
//! rustls decrypts in place, and its buffered interface keeps the last four kilobytes of what came
//! in for as long as the connection lives. Over the unbuffered interface the buffers are ours: what
//! was decrypted is wiped as soon as it has been passed on, and an idle connection has no buffer.

mod records;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_rt::net::{ActixStream, Ready, TcpStream};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use records::{Ask, Records};

/// Plaintext encrypted at once: one record.
const RECORD: usize = 16 * 1024;

/// A TLS connection, as the server.
pub(super) struct TlsStream {
    socket: TcpStream,
    records: Records,
    closing: bool,
}

impl TlsStream {
    /// Agrees with the client on keys.
    pub(super) async fn accept(socket: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        let mut stream = Self {
            socket,
            records: Records::new(config)?,
            closing: false,
        };
        std::future::poll_fn(|cx| stream.poll_handshake(cx)).await?;
        Ok(stream)
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.records.is_established() {
            ready!(self.poll_drain(cx))?;
            if self.records.has_ended() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            if let Err(refused) = ready!(self.poll_receive(cx)) {
                // The client learns why, if it can be told at once.
                let _told = self.poll_drain(cx);
                return Poll::Ready(Err(refused));
            }
        }
        self.poll_drain(cx)
    }

    /// Receives once, and works off what came.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // No buffer is made before there is something for it.
            ready!(self.socket.poll_read_ready(cx))?;
            match self.socket.try_read(self.records.room()?) {
                Ok(count) => {
                    self.records.received(count);
                    return Poll::Ready(self.records.advance(Ask::Nothing).map(|_| ()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Sends everything that is encrypted.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(bytes) = self.records.to_send() {
            let count = ready!(Pin::new(&mut self.socket).poll_write(cx, bytes))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.records.sent(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.records.give(buffer) {
            if this.records.has_ended() {
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_receive(cx))?;
            // Answers of the protocol's own go out when they can; the waker is set if they cannot.
            if let Poll::Ready(Err(error)) = this.poll_drain(cx) {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        let piece = &buffer[..buffer.len().min(RECORD)];
        if !this.records.advance(Ask::Encrypt(piece))? {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        match this.poll_drain(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(piece.len())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_drain(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.closing {
            this.closing = true;
            this.records.advance(Ask::Close)?;
        }
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.socket).poll_shutdown(cx)
    }
}

impl ActixStream for TlsStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.socket, cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.socket, cx)
    }
}
