//! Follows the requests on a connection and takes their bodies out.

mod head;

use std::collections::VecDeque;

use actix_web::web::Bytes;

use head::{Framing, Head};

/// Bytes of a body that are kept for a handler which does not come for them yet.
const KEPT_BYTES: usize = 64 * 1024;

/// Follows one connection's requests, in the order in which the dispatcher will see them.
///
/// It judges nothing: the dispatcher alone frames and judges requests. Should the two ever
/// disagree, a handler gets zeros or a body stays in a buffer, and the connection is closed.
///
/// It says what has to wait. The dispatcher sees one request at a time: the next one's head when
/// the response before it is complete, because the dispatcher frames a response by the last head
/// that it has seen. And of a body no more is read than what one read brought, until the request
/// has reached the application; what nobody will ask for is never kept.
pub(super) struct Intake {
    state: State,
    /// Heads that have ended.
    heads: u64,
    /// Requests that have reached the application.
    served: u64,
    /// Requests whose responses are complete.
    answered: u64,
    /// Whether the connection has become one of another protocol.
    switched: bool,
    bodies: VecDeque<Body>,
}

enum State {
    Head(Head),
    /// `None` for an upgraded connection: all that follows is body.
    Body(Option<u64>),
    /// Framed in a way that is not followed; everything passes as it is.
    Lost,
}

/// A body that was taken out and not yet been read by its handler.
struct Body {
    /// Which request of the connection it belongs to, from 1.
    request: u64,
    pieces: VecDeque<Vec<u8>>,
    /// Bytes in all pieces.
    kept: usize,
    /// Whether a handler will still come for it.
    wanted: bool,
    complete: bool,
}

/// What the application is told about a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It has none.
    Nothing,
    /// It is taken with [`Intake::take`] under this number.
    Body(u64),
    /// It was not followed; the payload holds it, and the connection must close afterwards.
    Unfollowed,
}

/// What the connection waits for its client to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    /// Nothing: it is idle, or it is the server's turn.
    Nothing,
    /// The rest of a request's head, by its number from 1.
    Head(u64),
    /// More of a request's body.
    Body(u64),
}

impl Intake {
    pub(super) fn new() -> Self {
        Self {
            state: State::Head(Head::default()),
            heads: 0,
            served: 0,
            answered: 0,
            switched: false,
            bodies: VecDeque::new(),
        }
    }

    /// Looks through newly read bytes, and replaces those that are part of a body by zeros. Returns
    /// how many the dispatcher may see now; it has to see the rest later.
    pub(super) fn pass(&mut self, mut bytes: &mut [u8]) -> usize {
        let all = bytes.len();
        while !bytes.is_empty() && !self.has_a_response_to_come() {
            match &mut self.state {
                State::Lost => return all,
                State::Head(head) => {
                    let (used, framing) = head.feed(bytes);
                    bytes = &mut bytes[used..];
                    if let Some(framing) = framing {
                        self.head_ended(framing);
                    }
                }
                State::Body(left) => {
                    let limit = left.unwrap_or(u64::MAX).min(bytes.len() as u64) as usize;
                    let (body, rest) = bytes.split_at_mut(limit);
                    if let Some(left) = left {
                        *left -= limit as u64;
                    }
                    let ended = *left == Some(0);
                    self.keep(body, ended);
                    body.fill(0);
                    bytes = rest;
                    if ended {
                        self.state = State::Head(Head::default());
                    }
                }
            }
        }
        all - bytes.len()
    }

    /// Says whether what follows is another request, for which it is too early.
    fn has_a_response_to_come(&self) -> bool {
        match &self.state {
            State::Head(head) => !head.has_begun() && self.answered < self.heads,
            State::Body(_) | State::Lost => false,
        }
    }

    /// Says whether the dispatcher may see more.
    pub(super) fn may_read(&self) -> bool {
        match &self.state {
            State::Head(_) => !self.has_a_response_to_come(),
            State::Body(_) => {
                let kept = self.bodies.back().map_or(0, |body| body.kept);
                self.served >= self.heads && kept < KEPT_BYTES
            }
            State::Lost => true,
        }
    }

    /// Tells what the client owes.
    pub(super) fn awaits(&self) -> Awaits {
        match &self.state {
            _ if self.switched => Awaits::Nothing,
            State::Lost => Awaits::Body(self.heads),
            // The dispatcher does not see the end of a head where this does.
            _ if self.served < self.heads => Awaits::Head(self.heads),
            State::Body(_) => Awaits::Body(self.heads),
            State::Head(head) if head.has_begun() || self.heads == 0 => {
                Awaits::Head(self.heads + 1)
            }
            State::Head(_) => Awaits::Nothing,
        }
    }

    fn head_ended(&mut self, framing: Framing) {
        self.heads += 1;
        let length = match framing {
            Framing::Nothing => {
                self.state = State::Head(Head::default());
                return;
            }
            Framing::Unknown => {
                self.state = State::Lost;
                return;
            }
            Framing::Length(length) => Some(length),
            Framing::Upgrade => None,
        };
        self.state = State::Body(length);
        self.bodies.push_back(Body {
            request: self.heads,
            pieces: VecDeque::new(),
            kept: 0,
            wanted: true,
            complete: false,
        });
    }

    fn keep(&mut self, piece: &[u8], ended: bool) {
        let Some(body) = self.bodies.back_mut() else {
            return;
        };
        body.complete = ended;
        if body.wanted {
            body.kept += piece.len();
            body.pieces.push_back(piece.to_vec());
        } else if ended {
            self.bodies.pop_back();
        }
    }

    /// Tells what belongs to the request that reaches the application now.
    pub(super) fn serve_next(&mut self) -> Found {
        self.served += 1;
        // Left by requests that never reached the application.
        while self
            .bodies
            .front()
            .is_some_and(|body| body.complete && body.request < self.served)
        {
            self.bodies.pop_front();
        }
        let request = self.served;
        if self.heads < request {
            self.state = State::Lost;
        }
        if self.bodies.iter().any(|body| body.request == request) {
            Found::Body(request)
        } else if self.heads < request || (self.heads == request && self.is_lost()) {
            Found::Unfollowed
        } else {
            Found::Nothing
        }
    }

    /// Counts a response that is complete.
    pub(super) fn answered(&mut self) {
        self.answered += 1;
    }

    /// Says whether the request that reached the application last has no end but the connection's,
    /// because it asks for another protocol.
    pub(super) fn is_asked_to_switch(&self) -> bool {
        matches!(self.state, State::Body(None))
    }

    /// Takes the connection for one of another protocol, which has a time of its own.
    pub(super) fn switch(&mut self) {
        self.switched = true;
    }

    /// Says whether bodies are no longer followed.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost)
    }

    /// Takes the next piece of a request's body, if one has come.
    pub(super) fn take(&mut self, request: u64) -> Option<Bytes> {
        let body = self
            .bodies
            .iter_mut()
            .find(|body| body.request == request)?;
        let piece = body.pieces.pop_front()?;
        body.kept -= piece.len();
        Some(Bytes::from(piece))
    }

    /// Drops what is left of a request's body, and what of it may still come.
    pub(super) fn abandon(&mut self, request: u64) {
        if let Some(index) = self.bodies.iter().position(|body| body.request == request) {
            let body = &mut self.bodies[index];
            body.wanted = false;
            body.pieces = VecDeque::new();
            body.kept = 0;
            if body.complete {
                self.bodies.remove(index);
            }
        }
    }
}
