//! The stream between a socket and the dispatcher.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::gate::{Awaits, Gate};
use super::give_back::Open;
use super::held::Held;
use super::limits::Waits;
use super::patience::{Patience, Wait};
use super::places::Place;

/// What a client is told whose request did not come to the end of its head.
const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// What a client is told whose head is longer than it may be.
const TOO_LONG: &[u8] =
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A stream that lets one request at a time through, and that ends when the client is waited for too long.
pub(super) struct Guarded<S> {
    inner: S,
    gate: Gate,
    held: Held,
    patience: Patience,
    reading: Wait,
    writing: Wait,
    /// Time limit of a write.
    longest_write: Duration,
    /// Whether the client has to read before anything more of it is read.
    blocked: bool,
    /// The task that waits for that.
    reader: Option<Waker>,
    /// Whether the client was waited for too long; nothing is read any more.
    ended: bool,
    /// Written before the stream is shut down.
    farewell: &'static [u8],
    _place: (Place, Open),
}

impl<S> Guarded<S> {
    /// Guards a socket, and holds the connection's place until it is over.
    pub(super) fn new(inner: S, waits: Waits, place: Place, open: Open) -> Self {
        Self {
            inner,
            gate: Gate::default(),
            held: Held::default(),
            patience: Patience::new(waits),
            reading: Wait::default(),
            writing: Wait::default(),
            longest_write: waits.write,
            blocked: false,
            reader: None,
            ended: false,
            farewell: &[],
            _place: (place, open),
        }
    }

    /// Returns what the requests of this connection need.
    pub(super) fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Waits for the client, or for the response that has to come first. When it took too long, the
    /// dispatcher is told that nothing more comes.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let awaits = self.gate.awaits();
        if self.patience.turn_to(awaits) {
            self.reading.end();
        }
        ready!(self.reading.poll(self.patience.left(), cx));
        self.ended = true;
        if matches!(awaits, Awaits::Head(_)) {
            self.farewell = TOO_SLOW;
        }
        Poll::Ready(Ok(()))
    }

    /// Lets a write wait only so long.
    fn paced<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        self.blocked = written.is_pending();
        if written.is_ready() {
            self.writing.end();
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
            return written;
        }
        ready!(self.writing.poll(Some(self.longest_write), cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(Ok(()));
        }
        if this.blocked {
            this.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let is_open = this.gate.is_open(cx.waker());
        if !this.held.is_empty() {
            if !is_open {
                return this.poll_patience(cx);
            }
            this.held.give_to(buffer, &this.gate);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        // Also while nothing may pass: so the end of the connection is noticed.
        let Poll::Ready(read) = Pin::new(&mut this.inner).poll_read(cx, buffer) else {
            return this.poll_patience(cx);
        };
        read?;
        let count = buffer.filled().len() - before;
        this.patience.came(count, this.reading.end());
        if count == 0 {
            return Poll::Ready(Ok(()));
        }
        let passed = this.gate.pass(&buffer.filled()[before..]);
        this.held.take_from(buffer, before + passed);
        if this.gate.is_too_long() {
            this.ended = true;
            this.farewell = TOO_LONG;
            buffer.set_filled(before);
            return Poll::Ready(Ok(()));
        }
        if is_open {
            Poll::Ready(Ok(()))
        } else {
            this.poll_patience(cx)
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(cx, buffer);
        this.gate.wrote();
        this.paced(written, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        this.paced(flushed, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.farewell.is_empty() {
            let written = Pin::new(&mut this.inner).poll_write(cx, this.farewell);
            let count = ready!(this.paced(written, cx))?;
            this.farewell = match count {
                0 => &[],
                count => &this.farewell[count..],
            };
        }
        let shut = Pin::new(&mut this.inner).poll_shutdown(cx);
        this.paced(shut, cx)
    }
}
