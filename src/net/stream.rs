//! The stream between socket and dispatcher.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_rt::net::{ActixStream, Ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Connection;
use super::outlet::Write;
use super::places::Place;

/// A stream that keeps bodies out of the buffers of whoever reads and writes it.
pub(super) struct Guarded<S> {
    inner: S,
    connection: Connection,
    _place: Option<Place>,
}

impl<S> Guarded<S> {
    pub(super) fn new(inner: S) -> io::Result<Self> {
        Ok(Self {
            inner,
            connection: Connection::new()?,
            _place: None,
        })
    }

    /// Holds the connection's place until it is over.
    pub(super) fn in_place(self, place: Place) -> Self {
        Self {
            _place: Some(place),
            ..self
        }
    }

    /// Returns what the handlers of this connection need.
    pub(super) fn connection(&self) -> Connection {
        self.connection.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Whatever an earlier request left behind goes first: heads carry cookies, and a buffer that
        // moves its content to the front leaves a copy behind.
        buffer.initialize_unfilled().fill(0);
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let read = &mut buffer.filled_mut()[before..];
        self.connection.with(|passing| passing.intake.pass(read));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.connection.with(|passing| passing.outlet.next(buffer)) {
            Write::AsIs(count) => Pin::new(&mut self.inner).poll_write(cx, &buffer[..count]),
            Write::Instead(body) => {
                let count = ready!(Pin::new(&mut self.inner).poll_write(cx, &body))?;
                self.connection
                    .with(|passing| passing.outlet.written(count));
                Poll::Ready(Ok(count))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
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
