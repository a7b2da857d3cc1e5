//! A response's body, as the dispatcher sees it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use super::connection::Connection;
use super::outlet::NONCE_BYTES;

/// What stands in the dispatcher's buffer for a body, after the nonce.
static ZEROS: [u8; 16 * 1024] = [0; 16 * 1024];

/// A request's turn, which ends when its response has been given to the dispatcher. Until then the
/// dispatcher sees nothing of the next request.
pub(super) struct Turn(Connection);

impl Turn {
    pub(super) fn of(connection: Connection) -> Self {
        Self(connection)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.with(|passing| passing.intake.answered());
    }
}

/// How a body reaches the dispatcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As it is.
    Open,
    /// To the stream, and as many other bytes to the dispatcher.
    Guarded,
    /// Not at all: the answer to a `HEAD` has a length and no body.
    Silent,
}

/// A body on its way, and the turn that it ends.
pub(super) struct Answer<B> {
    body: Pin<Box<B>>,
    way: Way,
    connection: Connection,
    /// Zeros that the dispatcher is still owed for the last piece.
    owed: usize,
    /// Bytes that the response's head still allows.
    left: u64,
    _turn: Turn,
}

impl<B: MessageBody> Answer<B> {
    pub(super) fn new(body: B, way: Way, connection: Connection, turn: Turn) -> Self {
        let left = match body.size() {
            BodySize::None => 0,
            BodySize::Sized(length) => length,
            BodySize::Stream => u64::MAX,
        };
        Self {
            body: Box::pin(body),
            way,
            connection,
            owed: 0,
            left,
            _turn: turn,
        }
    }
}

impl<B: MessageBody> MessageBody for Answer<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        if this.way == Way::Silent {
            return Poll::Ready(None);
        }
        if this.owed > 0 {
            let count = this.owed.min(ZEROS.len());
            this.owed -= count;
            return Poll::Ready(Some(Ok(Bytes::from_static(&ZEROS[..count]))));
        }
        let Some(mut piece) = ready!(this.body.as_mut().poll_next(cx)).transpose()? else {
            return Poll::Ready(None);
        };
        // The dispatcher cuts off what is more than the head says: so must its stand-in be.
        piece.truncate(usize::try_from(this.left).unwrap_or(usize::MAX));
        this.left -= piece.len() as u64;
        if this.way == Way::Open || piece.len() < NONCE_BYTES {
            return Poll::Ready(Some(Ok(piece)));
        }
        this.owed = piece.len() - NONCE_BYTES;
        let nonce = this.connection.with(|passing| passing.outlet.accept(piece));
        Poll::Ready(Some(Ok(Bytes::copy_from_slice(&nonce))))
    }
}
