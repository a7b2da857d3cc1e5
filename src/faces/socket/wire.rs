//! The WebSocket's bytes: reads and writes frames, and keeps nothing longer than needed.
//!
//! Specification: `docs/protocol.md#websocket`.

use std::time::Duration;

use actix_http::ws::{CloseCode, CloseReason, OpCode, Parser, ProtocolError};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

use crate::app::messages::Outgoing;

/// Largest frame in bytes, in both directions.
pub(super) const MAX_FRAME: usize = 16 << 10;

/// Time limit of a frame from its first byte to its last; 1 KiB per second suffices for the largest.
const FRAME_TIME: Duration = Duration::from_secs(30);

/// One frame from a client.
pub(super) enum Incoming {
    Text,
    Binary(BytesMut),
    Ping(Bytes),
    Pong,
    Close,
    /// Another frame, or a fragment: every message is one frame.
    Unfit,
}

/// Collects bytes into frames.
///
/// actix-ws keeps one buffer, and in it the last frames, for the life of the connection. This one frees its
/// buffer as soon as it is empty, and the allocator wipes freed memory.
pub(super) struct Frames {
    buffer: BytesMut,
    /// Time limit of a frame.
    time: Duration,
    /// Deadline of the frame in progress.
    due: Option<Instant>,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            buffer: BytesMut::new(),
            time: FRAME_TIME,
            due: None,
        }
    }
}

impl Frames {
    /// Waits for more bytes of the client and stores them; returns `false` if the connection has ended or the
    /// frame in progress took too long.
    pub(super) async fn receive<B: AsRef<[u8]>, E>(
        &mut self,
        bytes: &mut (impl Stream<Item = Result<B, E>> + Unpin),
    ) -> bool {
        let piece = match self.due {
            None => bytes.next().await,
            Some(due) => tokio::time::timeout_at(due, bytes.next())
                .await
                .unwrap_or(None),
        };
        let Some(Ok(piece)) = piece else {
            return false;
        };
        self.push(piece.as_ref());
        true
    }

    fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// Takes the next whole frame.
    pub(super) fn next(&mut self) -> Result<Option<Incoming>, ProtocolError> {
        // The parser looks at the length only when the whole frame is there.
        if declared(&self.buffer).is_some_and(|length| length > MAX_FRAME as u64) {
            return Err(ProtocolError::Overflow);
        }
        let Some((finished, kind, payload)) = Parser::parse(&mut self.buffer, true, MAX_FRAME)?
        else {
            if self.due.is_none() && !self.buffer.is_empty() {
                self.due = Some(Instant::now() + self.time);
            }
            return Ok(None);
        };
        self.due = None;
        // The buffer still shares its memory with the frame: what is left of it moves away.
        self.buffer = BytesMut::from(&self.buffer[..]);
        let payload = payload.unwrap_or_default();
        Ok(Some(match kind {
            _ if !finished => Incoming::Unfit,
            OpCode::Text => Incoming::Text,
            OpCode::Binary => Incoming::Binary(payload),
            OpCode::Ping => Incoming::Ping(payload.freeze()),
            OpCode::Pong => Incoming::Pong,
            OpCode::Close => Incoming::Close,
            OpCode::Continue | OpCode::Bad => Incoming::Unfit,
        }))
    }
}

/// Reads the payload's length from a frame's head ([RFC 6455, 5.2]); `None` while the head is not whole.
///
/// [RFC 6455, 5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
fn declared(frame: &[u8]) -> Option<u64> {
    let (&[_, short], rest) = frame.split_first_chunk()?;
    match short & 0x7f {
        126 => Some(u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => Some(u64::from_be_bytes(*rest.first_chunk()?)),
        short => Some(u64::from(short)),
    }
}

/// Encodes a binary message behind others.
pub(super) fn write_binary(payload: &[u8], out: &mut BytesMut) {
    out.reserve(payload.len() + 10);
    Parser::write_message(out, payload, OpCode::Binary, true, false);
}

/// Encodes a message of the handshake.
pub(super) fn binary(payload: &[u8]) -> Outgoing {
    whole(OpCode::Binary, payload)
}

/// Encodes the answer to a ping.
pub(super) fn pong(payload: &[u8]) -> Outgoing {
    whole(OpCode::Pong, payload)
}

/// Encodes a ping.
pub(super) fn ping() -> Outgoing {
    whole(OpCode::Ping, &[])
}

/// Encodes a close frame.
pub(super) fn close(code: u16) -> Outgoing {
    let mut out = BytesMut::with_capacity(8);
    let reason = CloseReason {
        code: CloseCode::from(code),
        description: None,
    };
    Parser::write_close(&mut out, Some(reason), false);
    Outgoing::Encoded(out.freeze())
}

fn whole(kind: OpCode, payload: &[u8]) -> Outgoing {
    let mut out = BytesMut::with_capacity(payload.len() + 10);
    Parser::write_message(&mut out, payload, kind, true, false);
    Outgoing::Encoded(out.freeze())
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use futures_util::{FutureExt, stream};
    use fuzz::Target;

    use super::*;
    use api::frames::ClientFrame;

    const AGAIN: &str = "cargo test --package secure-messaging --lib -- --exact --nocapture";

    /// A frame as a client sends it.
    fn masked(payload: &[u8], kind: OpCode) -> Vec<u8> {
        let mut out = BytesMut::new();
        Parser::write_message(&mut out, payload, kind, true, true);
        out.to_vec()
    }

    /// The head of a masked binary frame that declares a length.
    fn head(length: u64) -> Vec<u8> {
        match length {
            0..126 => vec![0x82, 0x80 | u8::try_from(length).unwrap()],
            126..65_536 => [&[0x82, 0xfe], &length.to_be_bytes()[6..]].concat(),
            _ => [&[0x82, 0xff], &length.to_be_bytes()[..]].concat(),
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_by_its_head() {
        for length in [
            MAX_FRAME as u64 + 1,
            65_535,
            65_536,
            i64::MAX as u64,
            u64::MAX,
        ] {
            let mut frames = Frames::default();
            let head = head(length);
            let (last, front) = head.split_last().unwrap();
            frames.push(front);
            assert!(frames.next().unwrap().is_none(), "{length}");
            frames.push(&[*last]);
            assert!(frames.next().is_err(), "{length}");
        }
    }

    #[test]
    fn the_longest_frame_is_taken_when_its_last_byte_is_there() {
        let mut frames = Frames::default();
        let longest = masked(&vec![7; MAX_FRAME], OpCode::Binary);
        let (last, front) = longest.split_last().unwrap();
        for piece in front.chunks(113) {
            frames.push(piece);
            assert!(frames.next().unwrap().is_none());
        }
        frames.push(&[*last]);
        let Ok(Some(Incoming::Binary(bytes))) = frames.next() else {
            panic!("the longest frame is no frame");
        };
        assert_eq!(bytes.len(), MAX_FRAME);
        assert!(frames.buffer.is_empty() && frames.buffer.capacity() == 0);
    }

    #[actix_web::test]
    async fn a_frame_that_has_begun_has_its_time_and_silence_between_frames_has_no_end() {
        type Piece = Result<Vec<u8>, ()>;
        let whole = masked(b"{}", OpCode::Text);
        let comes = |piece: &[u8]| {
            let piece: Piece = Ok(piece.to_vec());
            stream::once(ready(piece)).chain(stream::pending())
        };
        let mut frames = Frames {
            time: Duration::ZERO,
            ..Frames::default()
        };
        let mut client = comes(&whole);
        assert!(frames.receive(&mut client).await);
        assert!(frames.next().unwrap().is_some() && frames.next().unwrap().is_none());
        assert!(frames.receive(&mut client).now_or_never().is_none());

        let mut client = comes(&whole[..3]);
        assert!(frames.receive(&mut client).await);
        assert!(frames.next().unwrap().is_none());
        let due = frames.due;
        assert!(!frames.receive(&mut client).await);
        frames.push(&whole[3..4]);
        assert!(frames.next().unwrap().is_none());
        assert_eq!(frames.due, due, "another byte gives it no more time");
        assert_eq!(Frames::default().time, FRAME_TIME);
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
            .map(|text| masked(text.as_bytes(), OpCode::Binary));
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
                        Ok(Some(Incoming::Binary(text))) => {
                            assert!(text.len() <= MAX_FRAME, "longer than a frame may be");
                            understood +=
                                usize::from(serde_json::from_slice::<ClientFrame>(&text).is_ok());
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
