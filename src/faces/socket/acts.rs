//! Handles the frames of a socket.

use api::Blob;
use api::frames::{Asked, ClientFrame, ServerFrame};
use bytes::Bytes;
use protocol::envelope::{SlotSet, SubmissionHeader};
use protocol::suite::ObjectType;
use vault::{Ciphertext, MessageId};

use crate::app::Problem;
use crate::app::sessions::Deed;

use crate::app::messages::frames::status_entry;
use crate::app::messages::{Outgoing, service};

use super::connection::Connection;
use super::wire::MAX_FRAME;

impl Connection {
    /// Handles a text frame.
    pub(super) fn said(&self, said: ClientFrame) {
        let (app, who) = (&self.app, &self.who);
        match said {
            ClientFrame::Bundle { bundle } => {
                if let Err(problem) = self.member.publish(bundle.into_vec()) {
                    self.refuse(Asked::Bundle, None, &problem);
                }
            }
            ClientFrame::Withdraw {} => self.member.withdraw(),
            ClientFrame::Claim { id } => {
                if let Err(problem) = self.claim(id) {
                    self.refuse(Asked::Claim, Some(id), &problem);
                }
            }
            ClientFrame::Ack { id, token } => match service::acknowledge(app, who, id, &token) {
                Ok(()) => self.member.socket().tell(&ServerFrame::Acked { id }),
                Err(problem) => self.refuse(Asked::Ack, Some(id), &problem),
            },
            ClientFrame::Extend { id, token } => match service::extend(app, who, id, &token) {
                Ok(lease_ms) => self
                    .member
                    .socket()
                    .tell(&ServerFrame::Extended { id, lease_ms }),
                Err(problem) => self.refuse(Asked::Extend, Some(id), &problem),
            },
            ClientFrame::CannotOpen { id, token } => {
                if let Err(problem) = service::cannot_open(app, who, id, &token) {
                    self.refuse(Asked::CannotOpen, Some(id), &problem);
                }
            }
            ClientFrame::Active {} => app.sessions().note(who.session(), Deed::Input),
            ClientFrame::Status { ids } => {
                if let Err(problem) = self.status(&ids) {
                    self.refuse(Asked::Status, None, &problem);
                }
            }
            ClientFrame::Ping {} => self.member.socket().tell(&ServerFrame::Pong {}),
        }
    }

    fn claim(&self, id: MessageId) -> Result<(), Problem> {
        let live = self.member.socket().live();
        let claim = service::claim(&self.app, &self.who, id, Some(live))?;
        if service::parcel_len(&claim) <= MAX_FRAME {
            let parcel = service::parcel(id, &claim);
            self.member
                .socket()
                .send(Outgoing::Binary(Bytes::from(parcel)));
        } else {
            self.member.socket().tell(&ServerFrame::ClaimedLarge {
                id,
                token: Blob::new(claim.token.as_bytes().to_vec()),
                lease_ms: claim.lease.as_millis() as u64,
            });
        }
        Ok(())
    }

    fn status(&self, ids: &[MessageId]) -> Result<(), Problem> {
        let states = service::status(&self.app, &self.who, ids)?;
        // Each entry takes about a hundred bytes: several frames keep each under the limit.
        for part in states.chunks(100) {
            self.member.socket().tell(&ServerFrame::Status {
                states: part.iter().map(status_entry).collect(),
            });
        }
        Ok(())
    }

    /// Handles a binary frame; `Err` closes the connection with a code.
    pub(super) fn binary(&mut self, bytes: &[u8]) -> Result<(), Option<u16>> {
        match bytes.first() {
            Some(&kind) if kind == ObjectType::Submission as u8 => {
                let parsed = SubmissionHeader::parse_prefix(bytes);
                let Ok(Some((header, consumed))) = parsed else {
                    return self.unfit("The frame is no whole submission.");
                };
                let id = header.message_id;
                match self.submit(header, bytes.get(consumed..).unwrap_or_default()) {
                    Ok(expires_at) => self
                        .member
                        .socket()
                        .tell(&ServerFrame::Sent { id, expires_at }),
                    Err(problem) => self.refuse(Asked::Send, Some(id), &problem),
                }
                Ok(())
            }
            Some(&kind) if kind == ObjectType::SlotSet as u8 => {
                let Ok(set) = SlotSet::decode(bytes) else {
                    return self.unfit("The frame is no set of slots.");
                };
                let id = set.message_id;
                match service::add_slots(&self.app, &self.who, set) {
                    Ok(()) => self.member.socket().tell(&ServerFrame::SlotsAdded { id }),
                    Err(problem) => self.refuse(Asked::Slots, Some(id), &problem),
                }
                Ok(())
            }
            _ => self.unfit("The frame is of no known kind."),
        }
    }

    fn submit(&self, header: SubmissionHeader, body: &[u8]) -> Result<u64, Problem> {
        if body.len() != header.body_len {
            return Err(Problem::malformed(
                "The body is not as long as the header says.",
            ));
        }
        let reservation = service::reserve(&self.app, &self.who, &header)?;
        let body = Ciphertext::copy_of(body);
        Ok(service::put(&self.app, reservation, header, body)?.expires_at)
    }
}
