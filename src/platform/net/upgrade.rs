//! Connections whose request asks for another protocol.
//!
//! The dispatcher hands them over with the request, and its buffers end. What the response's body gives is
//! written as it is; what comes in is read when the request's payload is asked for it. An idle connection has no
//! buffer.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use actix_codec::{Encoder as _, Framed};
use actix_http::h1::{Codec, Message};
use actix_http::{BoxedPayloadStream, Payload, Request, Response, StatusCode};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut};
use ambient::alloc::wipe;
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are read at once.
const PIECE: usize = 4 * 1024;

/// A connection that the dispatcher has handed over.
pub(super) struct HandedOver<S> {
    line: Rc<RefCell<Line<S>>>,
    codec: Box<Codec>,
    /// What the socket has to take before anything else.
    out: Bytes,
}

/// The stream, which the connection writes and the request reads.
struct Line<S> {
    stream: S,
    /// Whether the request gets no more.
    over: bool,
    /// The task that reads the request's payload.
    reader: Option<Waker>,
}

impl<S> Line<S> {
    fn end(&mut self) {
        self.over = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// What comes in.
struct Incoming<S> {
    line: Weak<RefCell<Line<S>>>,
    /// What the dispatcher has read already.
    read: Bytes,
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> HandedOver<S> {
    /// Takes a connection, and lets its request read on.
    pub(super) fn new(framed: Framed<S, Codec>, request: Request) -> (Self, Request) {
        let parts = framed.into_parts();
        let line = Rc::new(RefCell::new(Line {
            stream: parts.io,
            over: false,
            reader: None,
        }));
        let incoming: BoxedPayloadStream = Box::pin(Incoming {
            line: Rc::downgrade(&line),
            read: Bytes::copy_from_slice(&parts.read_buf),
        });
        let (request, _) = request.replace_payload(Payload::Stream { payload: incoming });
        let connection = Self {
            line,
            codec: Box::new(parts.codec),
            out: Bytes::copy_from_slice(&parts.write_buf),
        };
        (connection, request)
    }

    /// Sends the response, then its body until that ends, and closes the connection within a time.
    pub(super) async fn answer(
        mut self,
        response: Response<BoxBody>,
        disconnect: Duration,
    ) -> io::Result<()> {
        let (head, body) = response.into_parts();
        let switches = head.status() == StatusCode::SWITCHING_PROTOCOLS;
        let mut front = BytesMut::from(&self.out[..]);
        self.codec
            .encode(Message::Item((head, body.size())), &mut front)?;
        self.out = front.freeze();
        // The protocol that follows has no use for what frames responses.
        self.send(body, !switches).await?;
        self.line.borrow_mut().end();
        let close = std::future::poll_fn(|cx| self.poll_close(cx));
        let close = Box::pin(tokio::time::timeout(disconnect, close));
        close.await.unwrap_or(Ok(()))
    }

    async fn send(&mut self, mut body: BoxBody, framed: bool) -> io::Result<()> {
        std::future::poll_fn(|cx| {
            loop {
                ready!(self.poll_written(cx))?;
                let piece = ready!(Pin::new(&mut body).poll_next(cx)).transpose();
                let piece = piece.map_err(|_| io::ErrorKind::BrokenPipe)?;
                let ended = piece.is_none();
                self.out = if framed {
                    let mut bytes = BytesMut::new();
                    self.codec.encode(Message::Chunk(piece), &mut bytes)?;
                    bytes.freeze()
                } else {
                    piece.unwrap_or_default()
                };
                if ended {
                    return self.poll_written(cx);
                }
            }
        })
        .await
    }

    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = &mut self.line.borrow_mut().stream;
        while !self.out.is_empty() {
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, &self.out))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out = self.out.split_off(count);
        }
        Pin::new(stream).poll_flush(cx)
    }

    /// Says goodbye and waits for the client to close: closing with unread bytes would reset the
    /// connection, and the client might not get the end of what was sent.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_written(cx))?;
        let stream = &mut self.line.borrow_mut().stream;
        ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        while ready!(poll_piece(stream, cx))?.is_some() {}
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> Stream for Incoming<S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if !this.read.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut this.read))));
        }
        let Some(line) = this.line.upgrade() else {
            return Poll::Ready(None);
        };
        let line = &mut *line.borrow_mut();
        if line.over {
            return Poll::Ready(None);
        }
        line.reader = Some(cx.waker().clone());
        let piece = ready!(poll_piece(&mut line.stream, cx));
        Poll::Ready(piece.map_err(PayloadError::Io).transpose())
    }
}

impl<S> Drop for HandedOver<S> {
    fn drop(&mut self) {
        self.line.borrow_mut().end();
    }
}

/// Reads once, into room on the stack.
fn poll_piece<S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Option<Bytes>>> {
    let mut room = [0; PIECE];
    let mut buffer = ReadBuf::new(&mut room);
    ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
    let piece = Bytes::copy_from_slice(buffer.filled());
    wipe(buffer.filled_mut());
    Poll::Ready(Ok((!piece.is_empty()).then_some(piece)))
}
