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
    /// The dispatcher's payload; `None` if the dispatcher has handed the connection over.
    stand_in: Option<Payload<BoxedPayloadStream>>,
    connection: Connection,
    request: u64,
}

impl GuardedPayload {
    /// Puts itself in place of the dispatcher's payload.
    pub(super) fn replace(
        stand_in: Payload<BoxedPayloadStream>,
        connection: Connection,
        request: u64,
    ) -> Payload<BoxedPayloadStream> {
        let handed_over = connection.with(|passing| passing.handed_over);
        let payload: BoxedPayloadStream = Box::pin(Self {
            stand_in: (!handed_over).then_some(stand_in),
            connection,
            request,
        });
        Payload::Stream { payload }
    }
}

impl Stream for GuardedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let piece = this
                .connection
                .with(|passing| passing.intake.take(this.request));
            if let Some(piece) = piece {
                return Poll::Ready(Some(Ok(piece)));
            }
            let Some(stand_in) = &mut this.stand_in else {
                return this.connection.with(|passing| passing.poll_over(cx));
            };
            match Pin::new(stand_in).poll_next(cx) {
                Poll::Ready(Some(Ok(_zeros))) => {}
                other => return other,
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
