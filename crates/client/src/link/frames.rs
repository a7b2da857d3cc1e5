//! Messages of the socket and payloads of the link's frames.
//!
//! Specification: `docs/protocol/link.md#frames`.

use protocol::link::LinkError;
use protocol::link::client::Received;
use protocol::suite::ObjectType;
use zeroize::Zeroizing;

use super::handshake::Step;
use crate::core::Core;
use crate::event::Phase;
use crate::output::Output;
use crate::refusal::Refusal;
use crate::wire::ServerFrame;

impl Core {
    /// A message came: a step of the handshake, or a frame of the link.
    pub(crate) fn socket_frame(&mut self, bytes: Vec<u8>) {
        let mut bytes = Zeroizing::new(bytes);
        if !self.link.open {
            return;
        }
        match std::mem::take(&mut self.link.step) {
            Step::Linked => {
                self.link.step = Step::Linked;
                self.linked_frame(&mut bytes);
            }
            step => self.handshake(step, &bytes),
        }
    }

    /// Opens a frame of the link. One that does not open ends the link.
    fn linked_frame(&mut self, frame: &mut [u8]) {
        let at = self.io.link_secs();
        let Some(mut link) = self.io.link.take() else {
            return;
        };
        match link.receive(at, frame) {
            Ok(received) => {
                self.io.link = Some(link);
                self.link.unanswered = false;
                match received {
                    Received::Data(payload) => self.payload_came(payload),
                    Received::Renewal(answer) => {
                        self.io.out.extend(answer.map(Output::SocketFrame));
                    }
                }
                self.io.renew_link();
            }
            Err(error) => self.link_refused(&error),
        }
    }

    /// Whether the link ended because it was not renewed in time.
    pub(crate) fn is_link_over(&self) -> bool {
        matches!(self.link.step, Step::Linked) && self.link.open && self.io.link.is_none()
    }

    /// Closes the socket of a link that is over, to open another one.
    pub(crate) fn link_over(&mut self) {
        self.link_refused(&LinkError::Ended);
    }

    /// Takes a payload: JSON if it begins with a brace, otherwise an object of the protocol.
    fn payload_came(&mut self, payload: &[u8]) {
        if payload.first() == Some(&b'{') {
            self.frame_came(payload);
        } else if let Some(open) = self.unlocked.as_mut() {
            if payload.first() == Some(&(ObjectType::LinkTicket as u8)) {
                open.outbox.ticket_came(&mut self.io, payload);
            } else {
                open.parcel(&mut self.io, payload);
            }
        }
    }

    fn frame_came(&mut self, json: &[u8]) {
        if self.phase != Phase::Unlocked {
            return;
        }
        let Ok(frame) = serde_json::from_slice::<ServerFrame>(json) else {
            self.io.refused(Refusal::Malformed, None, None);
            return;
        };
        if let ServerFrame::Hello { boot_id, now, .. } = &frame {
            let (boot, now) = (*boot_id, *now);
            self.set_clock(now);
            self.greeted();
            if self
                .unlocked
                .as_ref()
                .is_some_and(|open| open.boot.is(boot))
            {
                self.check_boot(boot, &[]);
            } else {
                // The signed form comes with the server's state.
                self.ask_server();
            }
        }
        if let Some(open) = self.unlocked.as_mut() {
            open.frame(&mut self.io, frame);
        }
    }
}
