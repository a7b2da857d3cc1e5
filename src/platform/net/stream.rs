//! The stream between socket and dispatcher.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_rt::net::{ActixStream, Ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Connection;
use super::give_back::Open;
use super::held::Held;
use super::intake::Awaits;
use super::limits::Waits;
use super::outlet::Write;
use super::patience::{Patience, Wait};
use super::places::Place;

/// What a client is told whose request did not come to the end of its head.
const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A stream that keeps bodies out of the buffers of whoever reads and writes it, and that ends when
/// the other side is waited for too long.
pub(super) struct Guarded<S> {
    inner: S,
    connection: Connection,
    held: Held,
    patience: Patience,
    reading: Wait,
    writing: Wait,
    /// Time limit of a write.
    longest_write: Duration,
    /// Whether the client was waited for too long; nothing is read any more.
    ended: bool,
    /// Written before the stream is shut down.
    farewell: &'static [u8],
    _place: Option<(Place, Open)>,
}

impl<S> Guarded<S> {
    pub(super) fn new(inner: S, waits: Waits) -> io::Result<Self> {
        Ok(Self {
            inner,
            connection: Connection::new()?,
            held: Held::default(),
            patience: Patience::new(waits),
            reading: Wait::default(),
            writing: Wait::default(),
            longest_write: waits.write,
            ended: false,
            farewell: &[],
            _place: None,
        })
    }

    /// Holds the connection's place until it is over.
    pub(super) fn in_place(self, place: Place, open: Open) -> Self {
        Self {
            _place: Some((place, open)),
            ..self
        }
    }

    /// Returns what the handlers of this connection need.
    pub(super) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// Waits for the client, or for the response that has to come first. When it took too long,
    /// whoever reads is told that nothing more comes.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let awaits = self.connection.with(|passing| {
            passing.reader = (!passing.intake.may_read()).then(|| cx.waker().clone());
            passing.intake.awaits()
        });
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
        if written.is_ready() {
            self.writing.end();
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
        // Whatever an earlier request left behind goes first: heads carry cookies, and a buffer that
        // moves its content to the front leaves a copy behind.
        buffer.initialize_unfilled().fill(0);
        if this.ended {
            return Poll::Ready(Ok(()));
        }
        let connection = this.connection.clone();
        let pass = |bytes: &mut [u8]| connection.with(|passing| passing.intake.pass(bytes));
        let may_read = connection.with(|passing| passing.intake.may_read());
        if !this.held.is_empty() {
            if !may_read {
                return this.poll_patience(cx);
            }
            this.held.give_to(buffer, pass);
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
        if !may_read {
            this.held.take_from(buffer, before);
            return this.poll_patience(cx);
        }
        let seen = pass(&mut buffer.filled_mut()[before..]);
        this.held.take_from(buffer, before + seen);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let inner = Pin::new(&mut this.inner);
        let written = match this.connection.with(|passing| passing.outlet.next(buffer)) {
            Write::AsIs(count) => inner.poll_write(cx, &buffer[..count]),
            Write::Instead(body) => {
                let written = inner.poll_write(cx, &body);
                if let Poll::Ready(Ok(count)) = written {
                    this.connection
                        .with(|passing| passing.outlet.written(count));
                }
                written
            }
        };
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

impl<S: ActixStream> ActixStream for Guarded<S> {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.inner.poll_read_ready(cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.inner.poll_write_ready(cx)
    }
}
