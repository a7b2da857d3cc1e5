//! Puts bodies into the outgoing stream, in place of what stood for them in the dispatcher.

use std::collections::VecDeque;

use actix_web::web::Bytes;

/// Length of what marks the beginning of a body's stand-in.
pub(super) const NONCE_BYTES: usize = 16;

/// The bodies whose stand-ins are on their way to the stream, in order.
pub(super) struct Outlet {
    /// Random, and never written to the socket: nobody can put it into a stream on purpose.
    nonce: [u8; NONCE_BYTES],
    waiting: VecDeque<Bytes>,
    /// The body that is being written; its nonce has been met.
    current: Option<Bytes>,
}

/// What to write in place of a buffer's beginning.
pub(super) enum Write {
    /// Its first bytes, as they are.
    AsIs(usize),
    /// This instead of as many bytes.
    Instead(Bytes),
}

impl Outlet {
    pub(super) fn new(nonce: [u8; NONCE_BYTES]) -> Self {
        Self {
            nonce,
            waiting: VecDeque::new(),
            current: None,
        }
    }

    /// Remembers a body, and returns how its stand-in begins. The stand-in is as long as the body,
    /// which must not be shorter than a nonce.
    pub(super) fn accept(&mut self, body: Bytes) -> [u8; NONCE_BYTES] {
        self.waiting.push_back(body);
        self.nonce
    }

    /// Says what to write for `buffer`, which is not empty.
    pub(super) fn next(&mut self, buffer: &[u8]) -> Write {
        if self.current.is_none() {
            if self.waiting.is_empty() {
                return Write::AsIs(buffer.len());
            }
            let nonce = |window: &[u8]| window == self.nonce;
            match buffer.windows(NONCE_BYTES).position(nonce) {
                None => return Write::AsIs(buffer.len()),
                Some(0) => self.current = self.waiting.pop_front(),
                Some(before) => return Write::AsIs(before),
            }
        }
        match &self.current {
            Some(body) => Write::Instead(body.slice(..body.len().min(buffer.len()))),
            None => Write::AsIs(buffer.len()),
        }
    }

    /// Counts bytes that the socket took of what stood in [`Write::Instead`].
    pub(super) fn written(&mut self, count: usize) {
        if let Some(body) = &mut self.current {
            *body = body.slice(count.min(body.len())..);
            if body.is_empty() {
                self.current = None;
            }
        }
    }
}
