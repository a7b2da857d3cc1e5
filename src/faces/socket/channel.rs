//! What goes out on a socket, sealed by its link, and what came in, opened.
//!
//! Specification: `docs/protocol/link.md#frames`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use ambient::Ambient;
use bytes::{Bytes, BytesMut};
use protocol::link::LinkError;
use protocol::link::server::{Received, ServerLink};

use crate::app::Problem;
use crate::app::messages::{Outgoing, Socket};
use api::close;

use super::wire::{self, MAX_FRAME};

/// A socket with its link, once that is open.
pub(super) struct Channel {
    socket: Arc<Socket>,
    ambient: Ambient,
    link: Mutex<Option<Box<Linked>>>,
}

struct Linked {
    link: ServerLink,
    /// Frames that go out before any other is sealed.
    first: VecDeque<Vec<u8>>,
}

impl Channel {
    /// A channel whose link is not open.
    pub(super) fn new(socket: Arc<Socket>, ambient: Ambient) -> Arc<Self> {
        Arc::new(Self {
            socket,
            ambient,
            link: Mutex::default(),
        })
    }

    /// The socket.
    pub(super) fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// Sends a message of the handshake.
    pub(super) fn greet(&self, message: &[u8]) {
        self.socket.send(wire::binary(message));
    }

    /// From now on every message is sealed.
    pub(super) fn start(&self, link: ServerLink) {
        *self.linked() = Some(Box::new(Linked {
            link,
            first: VecDeque::new(),
        }));
    }

    /// Erases the link's keys; what waits besides is dropped.
    pub(super) fn end(&self) {
        self.socket.outbox().end(None);
        *self.linked() = None;
    }

    /// Opens a frame in place; `None` where it was a step of a renewal. An error ends the link.
    pub(super) fn open<'a>(&self, frame: &'a mut [u8]) -> Result<Option<&'a [u8]>, LinkError> {
        let mut linked = self.linked();
        let linked = linked.as_deref_mut().ok_or(LinkError::Ended)?;
        let now = self.ambient.now();
        match linked.link.receive(&mut self.ambient.rng(), now, frame)? {
            Received::Data(payload) => Ok(Some(payload)),
            Received::Renewal(answer) => {
                linked.first.extend(answer);
                self.socket.send(Outgoing::Encoded(Bytes::new()));
                Ok(None)
            }
        }
    }

    /// Takes the frames that wait, up to the length of a large one, as bytes for one write.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Problem>>> {
        let mut out = BytesMut::new();
        while out.len() < MAX_FRAME {
            match self.socket.outbox().poll_next(cx) {
                Poll::Ready(Some(frame)) => self.encode(&frame, &mut out),
                Poll::Ready(None) if out.is_empty() => return Poll::Ready(None),
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        Poll::Ready(Some(Ok(out.freeze())))
    }

    /// Encodes a frame behind others; what has no link to seal it is dropped.
    fn encode(&self, frame: &Outgoing, out: &mut BytesMut) {
        let mut linked = self.linked();
        let mut linked = linked.as_deref_mut();
        for first in linked.iter_mut().flat_map(|linked| linked.first.drain(..)) {
            wire::write_binary(&first, out);
        }
        let payload = match frame {
            Outgoing::Text(text) => text.as_bytes(),
            Outgoing::Binary(bytes) => bytes,
            Outgoing::Encoded(frame) => return out.extend_from_slice(frame),
        };
        let Some(linked) = linked else {
            return;
        };
        match linked.link.seal(self.ambient.now(), payload) {
            Ok(sealed) => wire::write_binary(&sealed, out),
            Err(error) => {
                tracing::debug!(%error, "a link ended");
                self.socket.close(close::LINK);
            }
        }
    }

    fn linked(&self) -> MutexGuard<'_, Option<Box<Linked>>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
