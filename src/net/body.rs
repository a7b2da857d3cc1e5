//! A response's body, as the dispatcher sees it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use super::connection::Connection;
use super::outlet::NONCE_BYTES;

/// What stands in the dispatcher's buffer for a body, after the nonce.
static ZEROS: [u8; 16 * 1024] = [0; 16 * 1024];

/// Hands a body's pieces to the stream, and as many other bytes to the dispatcher.
pub(super) struct GuardedBody<B> {
    body: Pin<Box<B>>,
    connection: Connection,
    /// Zeros that the dispatcher is still owed for the last piece.
    owed: usize,
}

impl<B> GuardedBody<B> {
    pub(super) fn new(body: B, connection: Connection) -> Self {
        Self {
            body: Box::pin(body),
            connection,
            owed: 0,
        }
    }
}

impl<B: MessageBody> MessageBody for GuardedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        if this.owed > 0 {
            let count = this.owed.min(ZEROS.len());
            this.owed -= count;
            return Poll::Ready(Some(Ok(Bytes::from_static(&ZEROS[..count]))));
        }
        match ready!(this.body.as_mut().poll_next(cx)) {
            Some(Ok(piece)) if piece.len() >= NONCE_BYTES => {
                this.owed = piece.len() - NONCE_BYTES;
                let nonce = this.connection.with(|passing| passing.outlet.accept(piece));
                Poll::Ready(Some(Ok(Bytes::copy_from_slice(&nonce))))
            }
            piece => Poll::Ready(piece),
        }
    }
}
