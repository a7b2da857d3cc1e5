//! Submissions that are too large for a frame: each goes over HTTP under a ticket of the link.
//!
//! Specification: `docs/protocol/link.md#tickets`.

use protocol::link::{Direction, LinkError, Ticket, TicketSealer, sealed_len};

use super::Stage;
use crate::id::MessageId;
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::refusal::Refusal;
use crate::state::outbox::Outbox;
use crate::wire::ClientFrame;

impl Outbox {
    /// Asks for a ticket for a message's submission.
    pub(super) fn ask_ticket(&mut self, io: &mut Io, id: MessageId, len: u64) {
        self.tickets.push_back((id, len));
        io.frame(&ClientFrame::Ticket { len });
    }

    /// A ticket came: what waits for it goes. One that nothing waits for is refused.
    pub(crate) fn ticket_came(&mut self, io: &mut Io, bytes: &[u8]) {
        let ticket = Ticket::decode(bytes);
        if !ticket.is_ok_and(|ticket| self.use_ticket(io, ticket)) {
            io.refused(Refusal::Malformed, None, None);
        }
    }

    fn use_ticket(&mut self, io: &mut Io, ticket: Ticket) -> bool {
        let len = ticket.body_len();
        let mut waiting = self.tickets.iter();
        let found = waiting.position(|(_, wanted)| *wanted == len);
        let up = ticket.direction() == Direction::Up;
        let Some((id, _)) = found.filter(|_| up).and_then(|at| self.tickets.remove(at)) else {
            return false;
        };
        if self.let_go(io, id) {
            // It was taken back before any of it was sent.
            return true;
        }
        let item = self
            .items
            .get(&id)
            .filter(|it| it.stage == Stage::Submitted);
        let Some(sealed) = item.and_then(|item| item.sealed.as_ref()) else {
            return true;
        };
        let path = path_of(&ticket);
        if let Ok(body) = sealed_body(ticket.into_sealer(), &sealed.submission) {
            io.post_octets(&path, body, Purpose::Open(Open::Posted(id)));
        }
        true
    }

    /// The server refused a ticket: gives the message that has waited longest for one.
    pub(crate) fn ticket_refused(&mut self) -> Option<MessageId> {
        self.tickets.pop_front().map(|(id, _)| id)
    }
}

/// The path at which the body of a ticket is posted or fetched.
pub(crate) fn path_of(ticket: &Ticket) -> String {
    format!("/messages/sealed/{}", hex::encode(ticket.id()))
}

/// A whole body in sealed chunks.
fn sealed_body(mut sealer: TicketSealer, body: &[u8]) -> Result<Vec<u8>, LinkError> {
    let len = usize::try_from(sealed_len(body.len() as u64)).unwrap_or_default();
    let (mut sealed, mut rest) = (Vec::with_capacity(len), body);
    while let Some(len) = sealer.next_len() {
        let (chunk, more) = rest.split_at_checked(len).ok_or(LinkError::TooLong)?;
        sealed.extend(sealer.seal(chunk)?);
        rest = more;
    }
    Ok(sealed)
}
