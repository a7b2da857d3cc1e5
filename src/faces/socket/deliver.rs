//! Pushes messages to a socket that asked for delivery.
//!
//! Specification: `docs/protocol/messages.md#pushed-messages`.

use api::frames::{Asked, ServerFrame};
use api::{Blob, Code};
use bytes::Bytes;
use ephemeral::{Claim, MessageId, WaitingItem};
use protocol::link::MAX_PAYLOAD;

use crate::app::Problem;
use crate::app::links::Errand;
use crate::app::messages::frames::waiting;
use crate::app::messages::{Due, Outgoing, service};

use super::connection::Connection;

impl Connection {
    /// Tells the client of the next message that became claimable for its live session.
    ///
    /// One at a time: nothing more is claimed for a socket that was asked to close.
    pub(super) async fn deliver(&self) {
        let socket = self.member.socket();
        match socket.deliveries().and_then(|it| it.next()) {
            Some(Due::Push(item)) => self.push(&item).await,
            Some(Due::Announce(item)) => socket.tell(&ServerFrame::Waiting(waiting(&item))),
            None => {}
        }
    }

    /// Claims a message for the client and hands it over.
    async fn push(&self, item: &WaitingItem) {
        let socket = self.member.socket();
        match service::claim_unasked(&self.app, &self.who, item.id, socket.live()).await {
            Ok(claim) => {
                socket.tell(&ServerFrame::Pushed(waiting(item)));
                if let Err(problem) = self.hand_over(item.id, &claim) {
                    self.refuse(Asked::Claim, Some(item.id), &problem).await;
                }
            }
            Err(problem) => {
                if let Some(deliveries) = socket.deliveries() {
                    deliveries.settle(item.id);
                }
                if !is_lost(&problem) {
                    socket.tell(&ServerFrame::Waiting(waiting(item)));
                }
            }
        }
    }

    /// Sends what was claimed: its parcel, or where that is.
    pub(super) fn hand_over(&self, id: MessageId, claim: &Claim) -> Result<(), Problem> {
        let (socket, len) = (self.member.socket(), service::parcel_len(claim));
        if len <= MAX_PAYLOAD {
            let parcel = service::parcel(id, claim);
            socket.send(Outgoing::Binary(Bytes::from(parcel)));
        } else {
            let errand = Errand::Fetch(id, claim.token.clone());
            let ticket = self.issue(errand, len as u64)?;
            socket.tell(&ServerFrame::ClaimedLarge {
                id,
                token: Blob::new(claim.token.as_bytes().to_vec()),
                lease_ms: claim.lease.as_millis() as u64,
                ticket: Blob::new(ticket.to_vec()),
            });
        }
        Ok(())
    }
}

/// Whether the message is somebody else's or gone, so that there is nothing to tell.
fn is_lost(problem: &Problem) -> bool {
    matches!(problem.code(), Code::Taken | Code::Gone)
}

#[cfg(test)]
mod tests {
    use ephemeral::{ClaimError, Unreachable};

    use super::*;

    #[test]
    fn a_claim_that_nobody_answered_is_not_lost() {
        for error in [ClaimError::Gone, ClaimError::NotForYou, ClaimError::Taken] {
            assert!(is_lost(&error.into()), "{error}");
        }
        assert!(!is_lost(&ClaimError::NoEntropy.into()));
        assert!(!is_lost(&Unreachable.into()));
    }
}
