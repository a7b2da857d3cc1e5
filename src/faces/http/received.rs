//! Counts the received bytes of a request's body.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

use crate::platform::net::{Networks, Part};

use super::crowd::SMALL_BYTES;

/// Counts what comes of a body, and takes room for it as it comes.
pub(super) struct Received {
    room: Networks,
    from: Option<IpAddr>,
    bytes: Cell<u64>,
    part: RefCell<Option<Part>>,
    refused: Cell<bool>,
}

impl Received {
    /// Nothing has come yet.
    pub(super) fn new(room: Networks, from: Option<IpAddr>) -> Self {
        Self {
            room,
            from,
            bytes: Cell::new(0),
            part: RefCell::new(None),
            refused: Cell::new(false),
        }
    }

    /// Reserves room for more; `false` if there is none. The first bytes need no room.
    pub(super) fn came(&self, more: u64) -> bool {
        let bytes = self.bytes.get().saturating_add(more);
        self.bytes.set(bytes);
        let mut part = self.part.borrow_mut();
        let fits = match &mut *part {
            Some(part) => part.grow(more),
            None if bytes <= SMALL_BYTES => true,
            None => {
                *part = self.room.take(self.from, bytes);
                part.is_some()
            }
        };
        if !fits {
            self.refused.set(true);
        }
        fits
    }

    /// Returns whether there was no room for all of it.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.get()
    }
}

/// A body that ends with an error if there is no room for more of it.
pub(super) struct Counted {
    inner: Payload,
    received: Rc<Received>,
}

impl Counted {
    /// Counts what comes out of a payload.
    pub(super) fn new(inner: Payload, received: Rc<Received>) -> Self {
        Self { inner, received }
    }
}

impl Stream for Counted {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.received.is_refused() {
            return Poll::Ready(None);
        }
        let piece = ready!(Pin::new(&mut this.inner).poll_next(cx));
        Poll::Ready(match piece {
            Some(Ok(bytes)) if !this.received.came(bytes.len() as u64) => {
                Some(Err(PayloadError::Incomplete(None)))
            }
            other => other,
        })
    }
}
