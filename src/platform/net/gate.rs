//! One request at a time.
//!
//! The dispatcher frames a response by the last head that it has read: a `HEAD` sent behind a `POST` would take
//! the body out of the answer to the `POST`. So the next head waits until the response before it is complete.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Waker;

use actix_http::Request;
use actix_web::http::header;

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
    Head(Line),
    /// A whole head; the application has not seen the request.
    Asked,
    /// A request at the application, and the bytes of its body that have not come.
    Served(u64),
    /// The rest of a body that nobody reads; the dispatcher closes the connection.
    Unread(u64),
    /// The last request of its connection; whatever comes passes.
    Last,
    /// Another protocol, which has time limits of its own.
    Switched,
}

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
}

/// A request at the application; dropped when its response has been given to the dispatcher.
pub(super) struct Turn(Gate);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.turn(|inner| {
            inner.state = match inner.state {
                State::Served(0) => State::Idle,
                State::Served(left) => State::Unread(left),
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
            State::Head(_) | State::Asked => Awaits::Head(inner.requests),
            State::Served(0) | State::Idle | State::Switched => Awaits::Nothing,
            State::Served(_) | State::Unread(_) | State::Last => Awaits::Body(inner.requests),
        }
    }

    /// Takes a request that reaches the application; `is_last` if the connection ends with it.
    pub(super) fn serve(&self, request: &Request, is_last: bool) -> Turn {
        let length = request.head().headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|it| it.to_str().ok()?.trim().parse().ok());
        self.turn(|inner| {
            inner.state = match inner.state {
                State::Asked if !is_last => State::Served(length.unwrap_or(0)),
                _ => State::Last,
            };
        });
        Turn(self.clone())
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
        !matches!(
            self.state,
            State::Asked | State::Served(0) | State::Unread(0)
        )
    }

    fn pass(&mut self, bytes: &[u8]) -> usize {
        match &mut self.state {
            _ if bytes.is_empty() => 0,
            State::Fresh | State::Idle => {
                self.requests += 1;
                self.head(Line::Before, bytes)
            }
            State::Head(line) => {
                let line = *line;
                self.head(line, bytes)
            }
            State::Served(left) | State::Unread(left) => {
                let passed = bytes
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= passed as u64;
                passed
            }
            State::Asked => 0,
            State::Last | State::Switched => bytes.len(),
        }
    }

    /// Reads on, up to the empty line that ends a head.
    fn head(&mut self, mut line: Line, bytes: &[u8]) -> usize {
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
        self.state = State::Head(line);
        bytes.len()
    }
}
