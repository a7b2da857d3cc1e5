//! Tickets that a socket holds: leave to send or to fetch one body that is too large for a frame.
//!
//! Specification: `docs/protocol/link.md#tickets`.

use std::sync::Arc;

use api::Code;
use dashmap::DashMap;
use ephemeral::{ClaimToken, MessageId};
use protocol::link::{Direction, Ticket};
use zeroize::Zeroizing;

use ambient::Ambient;

use crate::app::Problem;
use crate::app::messages::Socket;

/// The most tickets of one socket, to send with and to fetch with.
const OF_SOCKET: usize = 16;

/// Seconds for which a ticket is good.
const TICKET_SECS: u64 = 60;

/// What a ticket is leave for.
pub(crate) enum Errand {
    /// To send a submission or a set of slots.
    Send,
    /// To fetch what was claimed.
    Fetch(MessageId, ClaimToken),
}

/// A ticket that was taken, and the socket that it was announced on.
pub(crate) struct Taken {
    /// The ticket.
    pub(crate) ticket: Ticket,
    /// What it is leave for.
    pub(crate) errand: Errand,
    /// Where the outcome is told.
    pub(crate) socket: Arc<Socket>,
}

struct Held {
    taken: Taken,
    until: u64,
}

/// The tickets of every socket of this instance, by the number of its connection.
#[derive(Default)]
pub(crate) struct Tickets(DashMap<u64, Vec<Held>>);

impl Tickets {
    /// Draws a ticket for a body of `len` bytes; gives what the client is told. Of too many to fetch with the
    /// oldest goes; there are no more to send with than a client has bodies under way.
    pub(crate) fn issue(
        &self,
        ambient: &Ambient,
        socket: &Arc<Socket>,
        errand: Errand,
        len: u64,
    ) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let direction = match &errand {
            Errand::Send => Direction::Up,
            Errand::Fetch(..) => Direction::Down,
        };
        let mut held = self.0.entry(socket.connection().number).or_default();
        let is_alike = |held: &Held| held.taken.ticket.direction() == direction;
        if held.iter().filter(|held| is_alike(held)).count() >= OF_SOCKET {
            match (&errand, held.iter().position(is_alike)) {
                (Errand::Fetch(..), Some(oldest)) => drop(held.remove(oldest)),
                _ => return Err(too_many()),
            }
        }
        let ticket = Ticket::issue(&mut ambient.rng(), direction, len);
        let told = ticket.encode();
        let taken = Taken {
            ticket,
            errand,
            socket: Arc::clone(socket),
        };
        held.push(Held {
            taken,
            until: ambient.now().saturating_add(TICKET_SECS),
        });
        Ok(told)
    }

    /// Takes a ticket of one of these sockets out, so that nobody takes it again.
    pub(super) fn take(
        &self,
        sockets: &[Arc<Socket>],
        id: [u8; 16],
        direction: Direction,
        now: u64,
    ) -> Result<Taken, Problem> {
        let mut of_sockets = sockets.iter();
        let taken = of_sockets.find_map(|socket| {
            let mut held = self.0.get_mut(&socket.connection().number)?;
            let at = held.iter().position(|held| {
                let ticket = &held.taken.ticket;
                *ticket.id() == id && ticket.direction() == direction && now < held.until
            })?;
            Some(held.remove(at).taken)
        });
        taken.ok_or_else(Problem::gone)
    }

    /// Forgets tickets whose time is over.
    pub(super) fn sweep(&self, now: u64) {
        self.0.retain(|_, held| {
            held.retain(|held| now < held.until);
            !held.is_empty()
        });
    }

    /// Forgets the tickets of a socket that ended.
    pub(super) fn end(&self, socket: &Socket) {
        self.0.remove(&socket.connection().number);
    }
}

/// As many bodies of a client are under way as may be.
fn too_many() -> Problem {
    let words = Code::TooManyRequests.words().told(Some(1));
    Problem::new(Code::TooManyRequests, words).retry_after(1)
}
