//! One request at a time.
//!
//! The dispatcher frames a response by the last head that it has read: a `HEAD` sent behind a `POST` would take
//! the body out of the answer to the `POST`. So the next head waits until the response before it is complete, and
//! behind the last request of a connection nothing passes.

mod chunks;

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Waker;

use actix_http::Request;
use actix_web::http::header;

use chunks::Chunks;

/// What passes on one connection; its stream and its requests share it.
#[derive(Clone, Default)]
pub(super) struct Gate(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    state: State,
    /// Requests that have begun.
    requests: u64,
    /// The task that waits to read.
    reader: Option<Waker>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the first request has come.
    #[default]
    Fresh,
    /// Nothing of the next request has come.
    Idle,
    /// A head, of which this much has come.
    Head(Line, usize),
    /// A head that is longer than it may be.
    TooLong,
    /// A whole head; the application has not seen the request.
    Asked,
    /// A request at the application, and what has not come of its body.
    Served(Rest),
    /// The last request of its connection was answered; this much of its body may come, and nothing else.
    Over(u64),
    /// The dispatcher has handed the connection over; everything passes.
    HandedOver,
    /// Another protocol, which has time limits of its own.
    Switched,
}

/// What has not come of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// This many bytes.
    Bytes(u64),
    /// Chunks; the connection ends with their request.
    Chunks(Chunks),
}

/// The longest head, in bytes.
const HEAD_BYTES: usize = 16 * 1024;

/// Where in a head its latest byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Before the request line, where empty lines mean nothing.
    Before,
    /// At the beginning of a line.
    Start,
    /// In a line.
    Within,
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
    /// Its end of the connection.
    End,
}

/// A request at the application; dropped when its response has been given to the dispatcher.
pub(super) struct Turn {
    gate: Gate,
    is_last: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.gate.turn(|inner| {
            inner.state = match inner.state {
                State::Served(Rest::Bytes(0)) if !self.is_last => State::Idle,
                // The dispatcher closes the connection, since nobody reads the rest of the body.
                State::Served(Rest::Bytes(left)) => State::Over(left),
                State::Served(Rest::Chunks(_)) => State::Over(0),
                other => other,
            };
        });
    }
}

impl Gate {
    /// Returns how many of the bytes that were read the dispatcher may have now.
    pub(super) fn pass(&self, bytes: &[u8]) -> usize {
        self.0.borrow_mut().pass(bytes)
    }

    /// Returns whether the dispatcher may have more. If not, the reader is woken when it may.
    pub(super) fn is_open(&self, reader: &Waker) -> bool {
        let mut inner = self.0.borrow_mut();
        let open = inner.is_open();
        inner.reader = (!open).then(|| reader.clone());
        open
    }

    /// Tells what the client owes.
    pub(super) fn awaits(&self) -> Awaits {
        let inner = self.0.borrow();
        match inner.state {
            State::Fresh => Awaits::Head(1),
            // The dispatcher does not see the end of a head where this does.
            State::Head(..) | State::TooLong | State::Asked => Awaits::Head(inner.requests),
            State::Served(Rest::Bytes(0)) | State::Idle | State::Switched => Awaits::Nothing,
            State::Served(_) | State::HandedOver => Awaits::Body(inner.requests),
            State::Over(_) => Awaits::End,
        }
    }

    /// Returns whether the client sends a longer head than it may.
    pub(super) fn is_too_long(&self) -> bool {
        self.0.borrow().state == State::TooLong
    }

    /// Notes that something was written: without the application, the dispatcher refuses what was asked, and
    /// closes the connection.
    pub(super) fn wrote(&self) {
        let mut inner = self.0.borrow_mut();
        if inner.state == State::Asked {
            inner.state = State::Over(0);
        }
    }

    /// Takes a request that reaches the application; `is_last` if its connection ends with it.
    pub(super) fn serve(&self, request: &Request, is_last: bool) -> Turn {
        let headers = request.head().headers();
        let rest = if headers.contains_key(header::TRANSFER_ENCODING) {
            Rest::Chunks(Chunks::default())
        } else {
            let length = headers.get(header::CONTENT_LENGTH);
            let length = length.and_then(|it| it.to_str().ok()?.trim().parse().ok());
            Rest::Bytes(length.unwrap_or(0))
        };
        self.turn(|inner| {
            inner.state = match inner.state {
                State::Asked => State::Served(rest),
                State::HandedOver => State::HandedOver,
                // Where the head ended, this and the dispatcher disagree.
                _ => State::Over(0),
            };
        });
        Turn {
            gate: self.clone(),
            is_last,
        }
    }

    /// Lets everything pass: the dispatcher has handed the connection over.
    pub(super) fn hand_over(&self) {
        self.turn(|inner| inner.state = State::HandedOver);
    }

    /// Takes the connection for one of another protocol.
    pub(super) fn switch(&self) {
        self.turn(|inner| inner.state = State::Switched);
    }

    fn turn(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.0.borrow_mut();
        change(&mut inner);
        let woken = if inner.is_open() {
            inner.reader.take()
        } else {
            None
        };
        drop(inner);
        if let Some(waker) = woken {
            waker.wake();
        }
    }
}

impl Inner {
    fn is_open(&self) -> bool {
        match self.state {
            State::Asked | State::TooLong | State::Over(0) => false,
            State::Served(Rest::Bytes(0)) => false,
            State::Served(Rest::Chunks(chunks)) => !chunks.are_over(),
            _ => true,
        }
    }

    fn pass(&mut self, bytes: &[u8]) -> usize {
        match &mut self.state {
            _ if bytes.is_empty() => 0,
            State::Fresh | State::Idle => {
                self.requests += 1;
                self.head(Line::Before, 0, bytes)
            }
            State::Head(line, length) => {
                let (line, length) = (*line, *length);
                self.head(line, length, bytes)
            }
            State::Served(Rest::Bytes(left)) | State::Over(left) => {
                let passed = bytes
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= passed as u64;
                passed
            }
            State::Served(Rest::Chunks(chunks)) => chunks.pass(bytes),
            State::Asked | State::TooLong => 0,
            State::HandedOver | State::Switched => bytes.len(),
        }
    }

    /// Reads on, up to the empty line that ends a head.
    fn head(&mut self, mut line: Line, before: usize, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            line = match (line, byte) {
                (Line::Start, b'\n') => {
                    self.state = State::Asked;
                    return index + 1;
                }
                (Line::Before, b'\r' | b'\n') | (Line::Start, b'\r') => line,
                (_, b'\n') => Line::Start,
                _ => Line::Within,
            };
        }
        let length = before + bytes.len();
        self.state = if length > HEAD_BYTES {
            State::TooLong
        } else {
            State::Head(line, length)
        };
        bytes.len()
    }
}
