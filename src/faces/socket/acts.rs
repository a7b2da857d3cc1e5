//! Handles the frames of a socket.

use api::frames::{Asked, ClientFrame, ServerFrame};
use bytes::Bytes;
use ephemeral::{Ciphertext, MessageId};
use protocol::envelope::{SlotSet, SubmissionHeader};
use protocol::suite::ObjectType;
use zeroize::Zeroizing;

use crate::app::Problem;
use crate::app::links::Errand;
use crate::app::sessions::Deed;

use crate::app::messages::frames::status_entry;
use crate::app::messages::{Outgoing, service};

use super::connection::Connection;

impl Connection {
    /// Handles a text frame.
    pub(super) async fn said(&self, said: ClientFrame) {
        let (app, who) = (&self.app, &self.who);
        match said {
            ClientFrame::Bundle { bundle } => {
                if let Err(problem) = self.member.publish(bundle.into_vec()).await {
                    self.refuse(Asked::Bundle, None, &problem).await;
                }
            }
            ClientFrame::Withdraw {} => {
                if let Err(problem) = self.member.withdraw().await {
                    self.refuse(Asked::Bundle, None, &problem).await;
                }
            }
            ClientFrame::Claim { id } => {
                if let Err(problem) = self.claim(id).await {
                    self.refuse(Asked::Claim, Some(id), &problem).await;
                }
            }
            ClientFrame::Ack { id, token } => {
                match service::acknowledge(app, who, id, &token).await {
                    Ok(()) => self.member.socket().tell(&ServerFrame::Acked { id }),
                    Err(problem) => self.refuse(Asked::Ack, Some(id), &problem).await,
                }
            }
            ClientFrame::Extend { id, token } => {
                match service::extend(app, who, id, &token).await {
                    Ok(lease_ms) => self
                        .member
                        .socket()
                        .tell(&ServerFrame::Extended { id, lease_ms }),
                    Err(problem) => self.refuse(Asked::Extend, Some(id), &problem).await,
                }
            }
            ClientFrame::CannotOpen { id, token } => {
                if let Err(problem) = service::cannot_open(app, who, id, &token).await {
                    self.refuse(Asked::CannotOpen, Some(id), &problem).await;
                }
            }
            ClientFrame::Active {} => app.sessions().note(who.session(), Deed::Input),
            ClientFrame::Ticket { len } => {
                if let Err(problem) = self.ticket(len) {
                    self.refuse(Asked::Ticket, None, &problem).await;
                }
            }
            ClientFrame::List {} => {
                if let Err(problem) = self.member.list().await {
                    self.refuse(Asked::List, None, &problem).await;
                }
            }
            ClientFrame::Status { ids } => {
                if let Err(problem) = self.status(&ids).await {
                    self.refuse(Asked::Status, None, &problem).await;
                }
            }
            ClientFrame::Ping {} => self.member.socket().tell(&ServerFrame::Pong {}),
        }
    }

    async fn claim(&self, id: MessageId) -> Result<(), Problem> {
        let live = self.member.socket().live();
        let claim = service::claim(&self.app, &self.who, id, Some(live)).await?;
        self.hand_over(id, &claim)
    }

    /// Gives leave to send what is too large for a frame.
    fn ticket(&self, len: u64) -> Result<(), Problem> {
        let max = self.app.config().max_message_bytes + service::max_header(&self.app);
        if len > max as u64 {
            return Err(Problem::too_large(max));
        }
        let ticket = Bytes::from(self.issue(Errand::Send, len)?.to_vec());
        self.member.socket().send(Outgoing::Binary(ticket));
        Ok(())
    }

    pub(super) fn issue(&self, errand: Errand, len: u64) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let (links, socket) = (self.app.links(), self.member.socket());
        links.tickets.issue(self.app.ambient(), socket, errand, len)
    }

    async fn status(&self, ids: &[MessageId]) -> Result<(), Problem> {
        let states = service::status(&self.app, &self.who, ids).await?;
        // Each entry takes about a hundred bytes: several frames keep each under the limit.
        for part in states.chunks(100) {
            self.member.socket().tell(&ServerFrame::Status {
                states: part.iter().map(status_entry).collect(),
            });
        }
        Ok(())
    }

    /// Handles a binary frame; `Err` closes the connection with a code.
    pub(super) async fn binary(&mut self, bytes: &[u8]) -> Result<(), Option<u16>> {
        match bytes.first() {
            Some(&kind) if kind == ObjectType::Submission as u8 => {
                let parsed = SubmissionHeader::parse_prefix(bytes);
                let Ok(Some((header, consumed))) = parsed else {
                    return self.unfit("The frame is no whole submission.").await;
                };
                let id = header.message_id;
                let body = bytes.get(consumed..).unwrap_or_default();
                let outcome = self.submit(header, body).await;
                self.caller().sent(id, outcome).await;
                Ok(())
            }
            Some(&kind) if kind == ObjectType::SlotSet as u8 => {
                let Ok(set) = SlotSet::decode(bytes) else {
                    return self.unfit("The frame is no set of slots.").await;
                };
                let id = set.message_id;
                let outcome = service::add_slots(&self.app, &self.who, set).await;
                self.caller().slots_added(id, outcome).await;
                Ok(())
            }
            _ => self.unfit("The frame is of no known kind.").await,
        }
    }

    async fn submit(&self, header: SubmissionHeader, body: &[u8]) -> Result<u64, Problem> {
        if body.len() != header.body_len {
            return Err(Problem::malformed(
                "The body is not as long as the header says.",
            ));
        }
        let reservation = service::reserve(&self.app, &self.who, &header).await?;
        let body = Ciphertext::copy_of(body);
        let put = service::put(&self.app, reservation, header, body);
        Ok(put.await?.expires_at)
    }
}
