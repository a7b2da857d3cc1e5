//! Puts bodies into the outgoing stream, in place of what stood for them in the dispatcher.

use std::collections::VecDeque;

use actix_web::web::Bytes;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Length of what marks the beginning of a body's stand-in.
pub(super) const NONCE_BYTES: usize = 16;

/// Length of what a connection's nonces are made from.
pub(super) const KEY_BYTES: usize = 32;

type Nonce = [u8; NONCE_BYTES];

/// The bodies whose stand-ins are on their way to the stream, in order.
pub(super) struct Outlet {
    /// Random: nobody can make a nonce, and so nobody can put one into a stream on purpose.
    key: Zeroizing<[u8; KEY_BYTES]>,
    accepted: u64,
    waiting: VecDeque<(Nonce, Bytes)>,
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
    pub(super) fn new(key: [u8; KEY_BYTES]) -> Self {
        Self {
            key: Zeroizing::new(key),
            accepted: 0,
            waiting: VecDeque::new(),
            current: None,
        }
    }

    /// Remembers a body, and returns how its stand-in begins, which is how no other does. The
    /// stand-in is as long as the body, which must not be shorter than a nonce.
    pub(super) fn accept(&mut self, body: Bytes) -> Nonce {
        self.accepted += 1;
        let digest = Sha256::new()
            .chain_update(self.key.as_slice())
            .chain_update(self.accepted.to_be_bytes())
            .finalize();
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&digest[..NONCE_BYTES]);
        self.waiting.push_back((nonce, body));
        nonce
    }

    /// Says what to write for `buffer`, which is not empty.
    pub(super) fn next(&mut self, buffer: &[u8]) -> Write {
        if self.current.is_none() {
            match self.find(buffer) {
                None => return Write::AsIs(buffer.len()),
                Some((0, index)) => {
                    // The stand-ins of those before it were never written, and never will be.
                    self.waiting.drain(..index);
                    self.current = self.waiting.pop_front().map(|(_, body)| body);
                }
                Some((before, _)) => return Write::AsIs(before),
            }
        }
        match &self.current {
            Some(body) => Write::Instead(body.slice(..body.len().min(buffer.len()))),
            None => Write::AsIs(buffer.len()),
        }
    }

    /// Finds the first nonce in a buffer: where it stands, and which waiting body it is of.
    fn find(&self, buffer: &[u8]) -> Option<(usize, usize)> {
        if self.waiting.is_empty() {
            return None;
        }
        let mut windows = buffer.windows(NONCE_BYTES).enumerate();
        windows.find_map(|(position, window)| {
            let of = |(nonce, _): &(Nonce, Bytes)| window == nonce;
            Some((position, self.waiting.iter().position(of)?))
        })
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
