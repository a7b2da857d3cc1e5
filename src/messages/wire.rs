//! The WebSocket's bytes: frames in, frames out, nothing kept longer than it is used.

use actix_http::ws::{CloseCode, CloseReason, OpCode, Parser, ProtocolError};
use bytes::{Bytes, BytesMut};

use super::Outgoing;

/// Largest frame in bytes, both ways.
pub(super) const MAX_FRAME: usize = 16 << 10;

/// One frame from a client.
pub(super) enum Incoming {
    Text(BytesMut),
    Binary(BytesMut),
    Ping(Bytes),
    Pong,
    Close,
    /// A frame that is none of the above, or a fragment: messages are one frame here.
    Unfit,
}

/// Collects bytes into frames.
///
/// actix-ws keeps one buffer for the connection's life, and with it the last frames. Ours is given
/// back as soon as nothing is left in it, and the allocator wipes what is given back.
#[derive(Default)]
pub(super) struct Frames(BytesMut);

impl Frames {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.0.extend_from_slice(chunk);
    }

    /// Takes the next whole frame.
    pub(super) fn next(&mut self) -> Result<Option<Incoming>, ProtocolError> {
        let parsed = Parser::parse(&mut self.0, true, MAX_FRAME);
        if self.0.is_empty() {
            self.0 = BytesMut::new();
        }
        let Some((finished, kind, payload)) = parsed? else {
            // What is left is the front of a frame: move it away from what was read before it.
            if !self.0.is_empty() {
                let rest = BytesMut::from(&self.0[..]);
                self.0 = rest;
            }
            return Ok(None);
        };
        let payload = payload.unwrap_or_default();
        Ok(Some(match kind {
            _ if !finished => Incoming::Unfit,
            OpCode::Text => Incoming::Text(payload),
            OpCode::Binary => Incoming::Binary(payload),
            OpCode::Ping => Incoming::Ping(payload.freeze()),
            OpCode::Pong => Incoming::Pong,
            OpCode::Close => Incoming::Close,
            OpCode::Continue | OpCode::Bad => Incoming::Unfit,
        }))
    }
}

/// Encodes a frame for a client.
pub(super) fn encode(frame: &Outgoing) -> Bytes {
    let (kind, payload) = match frame {
        Outgoing::Text(text) => (OpCode::Text, text.as_bytes()),
        Outgoing::Binary(bytes) => (OpCode::Binary, bytes.as_ref()),
    };
    message(kind, payload)
}

/// Encodes the answer to a ping.
pub(super) fn pong(payload: &[u8]) -> Bytes {
    message(OpCode::Pong, payload)
}

/// Encodes a ping.
pub(super) fn ping() -> Bytes {
    message(OpCode::Ping, &[])
}

/// Encodes a close frame.
pub(super) fn close(code: u16) -> Bytes {
    let mut out = BytesMut::with_capacity(8);
    let reason = CloseReason {
        code: CloseCode::from(code),
        description: None,
    };
    Parser::write_close(&mut out, Some(reason), false);
    out.freeze()
}

fn message(kind: OpCode, payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(payload.len() + 10);
    Parser::write_message(&mut out, payload, kind, true, false);
    out.freeze()
}
