//! Follows the requests on a connection and takes their bodies out.

mod head;

use std::collections::VecDeque;

use actix_web::web::Bytes;

use head::{Framing, Head};

/// Follows one connection's requests, in the order in which the dispatcher will see them.
///
/// It decides nothing: the dispatcher alone frames and judges requests. Should the two ever
/// disagree, a handler gets zeros or a body stays in a buffer, and the connection is closed.
pub(super) struct Intake {
    state: State,
    /// Heads that have ended.
    heads: u64,
    /// Requests that have reached the application.
    served: u64,
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

impl Intake {
    pub(super) fn new() -> Self {
        Self {
            state: State::Head(Head::default()),
            heads: 0,
            served: 0,
            bodies: VecDeque::new(),
        }
    }

    /// Looks through newly read bytes, and replaces those that are part of a body by zeros.
    pub(super) fn pass(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Lost => return,
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
        if self.bodies.iter().any(|body| body.request == request) {
            Found::Body(request)
        } else if self.heads < request || (self.heads == request && self.is_lost()) {
            Found::Unfollowed
        } else {
            Found::Nothing
        }
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
        body.pieces.pop_front().map(Bytes::from)
    }

    /// Drops what is left of a request's body, and what of it may still come.
    pub(super) fn abandon(&mut self, request: u64) {
        if let Some(index) = self.bodies.iter().position(|body| body.request == request) {
            let body = &mut self.bodies[index];
            body.wanted = false;
            body.pieces = VecDeque::new();
            if body.complete {
                self.bodies.remove(index);
            }
        }
    }
}
