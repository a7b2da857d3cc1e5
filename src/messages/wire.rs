//! The WebSocket's bytes: frames in, frames out, nothing kept longer than it is used.

use actix_http::ws::{CloseCode, CloseReason, OpCode, Parser, ProtocolError};
use bytes::{Bytes, BytesMut};

use super::Outgoing;

/// Largest frame in bytes, both ways.
pub(super) const MAX_FRAME: usize = 16 << 10;

/// Longest head of a frame in bytes: two, eight of the length and four of the mask.
const MAX_HEAD: usize = 14;

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
            // The parser looks at a frame's length only when all of it is there.
            if self.0.len() > MAX_HEAD + MAX_FRAME {
                return Err(ProtocolError::Overflow);
            }
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

#[cfg(test)]
mod tests {
    use fuzz::Target;

    use super::*;
    use crate::messages::frames::Said;

    const AGAIN: &str = "cargo test --package secure-messaging --lib -- --exact --nocapture";

    /// A frame as a client sends it.
    fn masked(payload: &[u8], kind: OpCode) -> Vec<u8> {
        let mut out = BytesMut::new();
        Parser::write_message(&mut out, payload, kind, true, true);
        out.to_vec()
    }

    #[test]
    fn of_a_frame_that_is_too_long_no_more_is_kept_than_of_one_that_fits() {
        for declared in [(MAX_FRAME as u64) + 1, 1_000_000, i64::MAX as u64] {
            let mut frames = Frames::default();
            frames.push(&[0x82, 0xff]);
            frames.push(&declared.to_be_bytes());
            frames.push(&[1, 2, 3, 4]);
            let mut kept = 14;
            while frames.next().is_ok_and(|frame| frame.is_none()) {
                frames.push(&[0; 1_024]);
                kept += 1_024;
                assert!(kept <= MAX_HEAD + MAX_FRAME + 1_024, "{declared}: {kept}");
            }
        }
        let mut frames = Frames::default();
        let longest = masked(&vec![7; MAX_FRAME], OpCode::Binary);
        let (last, front) = longest.split_last().unwrap();
        frames.push(front);
        assert!(frames.next().unwrap().is_none());
        frames.push(&[*last]);
        let Ok(Some(Incoming::Binary(bytes))) = frames.next() else {
            panic!("the longest frame is no frame");
        };
        assert_eq!(bytes.len(), MAX_FRAME);
    }

    #[test]
    fn hostile_frames_break_nothing() {
        let id = "00112233445566778899aabbccddeeff";
        let texts = [
            format!(r#"{{"t":"claim","id":"{id}"}}"#),
            format!(r#"{{"t":"ack","id":"{id}","token":"AAAAAAAAAAAAAAAAAAAAAA"}}"#),
            format!(r#"{{"t":"status","ids":["{id}"]}}"#),
            r#"{"t":"ping"}"#.to_owned(),
        ];
        let texts = texts
            .iter()
            .map(|text| masked(text.as_bytes(), OpCode::Text));
        let others = [
            masked(&[7; 200], OpCode::Binary),
            masked(&[7; 70_000], OpCode::Binary),
            masked(b"ping", OpCode::Ping),
            [masked(b"a", OpCode::Pong), masked(b"{}", OpCode::Text)].concat(),
        ];
        let target = Target::new("frames of a client", AGAIN)
            .seeds(texts)
            .seeds(others);
        target.run(|bytes| {
            let mut frames = Frames::default();
            let (mut whole, mut understood) = (0, 0);
            for piece in bytes.chunks(113) {
                frames.push(piece);
                loop {
                    match frames.next() {
                        Ok(None) => break,
                        Ok(Some(Incoming::Text(text))) => {
                            assert!(text.len() <= MAX_FRAME, "longer than a frame may be");
                            understood +=
                                usize::from(serde_json::from_slice::<Said>(&text).is_ok());
                        }
                        Ok(Some(_)) => {}
                        Err(_) => return (whole, understood, true),
                    }
                    whole += 1;
                }
            }
            (whole, understood, false)
        });
    }
}
