//! A request's body, as its handler reads it.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_http::{BoxedPayloadStream, Payload};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

use super::connection::Connection;

/// Gives the pieces that were taken out of the stream for the zeros that the dispatcher gives.
pub(super) struct GuardedPayload {
    stand_in: Payload<BoxedPayloadStream>,
    connection: Connection,
    request: u64,
    gave: bool,
    rested: bool,
}

impl GuardedPayload {
    /// Puts itself in place of the dispatcher's payload.
    pub(super) fn replace(
        stand_in: Payload<BoxedPayloadStream>,
        connection: Connection,
        request: u64,
    ) -> Payload<BoxedPayloadStream> {
        let payload: BoxedPayloadStream = Box::pin(Self {
            stand_in,
            connection,
            request,
            gave: false,
            rested: false,
        });
        Payload::Stream { payload }
    }
}

impl Stream for GuardedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        // The WebSocket reader holds the last frame's buffer until it is given another, even an
        // empty one: so it gets an empty one when it comes back.
        if std::mem::take(&mut this.rested) {
            return Poll::Ready(Some(Ok(Bytes::new())));
        }
        loop {
            let piece = this
                .connection
                .with(|passing| passing.intake.take(this.request));
            if let Some(piece) = piece {
                this.gave = true;
                return Poll::Ready(Some(Ok(piece)));
            }
            match Pin::new(&mut this.stand_in).poll_next(cx) {
                Poll::Ready(Some(Ok(_zeros))) => {}
                Poll::Ready(end) => return Poll::Ready(end),
                Poll::Pending => {
                    this.rested = std::mem::take(&mut this.gave);
                    return Poll::Pending;
                }
            }
        }
    }
}

impl Drop for GuardedPayload {
    fn drop(&mut self) {
        self.connection
            .with(|passing| passing.intake.abandon(self.request));
    }
}
