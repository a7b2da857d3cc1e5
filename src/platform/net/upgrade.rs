//! Connections whose request asks for another protocol.
//!
//! The dispatcher hands them over with the request, and its buffers end. What the response's body gives is
//! written as it is, and what comes in reaches the request's payload piece by piece; an idle connection has
//! no buffer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_codec::Encoder as _;
use actix_http::h1::{Codec, Message};
use actix_http::{Response, StatusCode};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::web::{Bytes, BytesMut};
use ambient::alloc::wipe;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Connection;
use super::stream::Guarded;

/// Bytes that are read at once.
const PIECE: usize = 4 * 1024;

/// A connection that the dispatcher has handed over.
pub(super) struct HandedOver<S> {
    stream: Guarded<S>,
    connection: Connection,
    /// Nothing more comes in.
    over: bool,
    /// What the socket has to take before anything else.
    out: Bytes,
}

impl<S: AsyncRead + AsyncWrite + Unpin> HandedOver<S> {
    /// Takes a connection with what the dispatcher has not yet written.
    pub(super) fn new(stream: Guarded<S>, unwritten: &[u8]) -> Box<Self> {
        let connection = stream.connection();
        connection.with(|passing| passing.handed_over = true);
        Box::new(Self {
            stream,
            connection,
            over: false,
            out: Bytes::copy_from_slice(unwritten),
        })
    }

    /// Sends the response, then its body until that ends, and closes the connection within a time.
    pub(super) async fn serve(
        mut self: Box<Self>,
        mut codec: Box<Codec>,
        response: Pin<Box<impl Future<Output = Response<BoxBody>>>>,
        disconnect: Duration,
    ) -> io::Result<()> {
        let (head, body) = self.respond(response).await.into_parts();
        let switches = head.status() == StatusCode::SWITCHING_PROTOCOLS;
        let mut front = BytesMut::from(&self.out[..]);
        codec.encode(Message::Item((head, body.size())), &mut front)?;
        self.out = front.freeze();
        // The protocol that follows has no use for what frames responses.
        self.send(body, (!switches).then_some(codec)).await?;
        let close = std::future::poll_fn(|cx| self.poll_close(cx));
        let close = Box::pin(tokio::time::timeout(disconnect, close));
        close.await.unwrap_or(Ok(()))
    }

    async fn respond<R>(&mut self, mut response: Pin<Box<impl Future<Output = R>>>) -> R {
        std::future::poll_fn(|cx| {
            self.receive(cx);
            response.as_mut().poll(cx)
        })
        .await
    }

    async fn send(&mut self, mut body: BoxBody, mut codec: Option<Box<Codec>>) -> io::Result<()> {
        std::future::poll_fn(|cx| {
            self.receive(cx);
            loop {
                ready!(self.poll_written(cx))?;
                let piece = ready!(Pin::new(&mut body).poll_next(cx)).transpose();
                let piece = piece.map_err(|_| io::ErrorKind::BrokenPipe)?;
                let ended = piece.is_none();
                self.out = match &mut codec {
                    None => piece.unwrap_or_default(),
                    Some(codec) => {
                        let mut framed = BytesMut::new();
                        codec.encode(Message::Chunk(piece), &mut framed)?;
                        framed.freeze()
                    }
                };
                if ended {
                    return self.poll_written(cx);
                }
            }
        })
        .await
    }

    /// Reads what has come, for the payload.
    fn receive(&mut self, cx: &mut Context<'_>) {
        while !self.over {
            let mut room = [0; PIECE];
            let mut buffer = ReadBuf::new(&mut room);
            let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, &mut buffer) else {
                return;
            };
            self.over = read.is_err() || buffer.filled().is_empty();
            // The stream took the body out; what it did not follow must not stay on the stack either.
            wipe(buffer.filled_mut());
            self.connection.with(|passing| passing.came(self.over));
        }
    }

    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out = self.out.split_off(count);
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says goodbye and waits for the client to close: closing with unread bytes would reset the
    /// connection, and the client might not get the end of what was sent.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_written(cx))?;
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        self.receive(cx);
        if self.over {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}

impl<S> Drop for HandedOver<S> {
    fn drop(&mut self) {
        self.connection.with(|passing| passing.came(true));
    }
}
