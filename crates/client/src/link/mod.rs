//! The socket and its link: opening both, greeting, closing, and trying again.
//!
//! Specification: `docs/protocol.md#websocket`, `docs/protocol/link.md`.

mod frames;
mod handshake;

use api::{Code, Own, close};
use protocol::link::{InstanceId, Psk};

use crate::core::Core;
use crate::event::{Event, Phase};
use crate::failure::Failure;
use crate::output::Output;
use crate::purpose::Purpose;
use crate::refusal::Refusal;
use crate::timers::Timer;
use crate::wire::ClientFrame;
use handshake::Step;

/// The time between two pings, milliseconds.
const PING_MS: u64 = 25_000;
/// First and longest pause between tries, milliseconds.
const FIRST_RETRY_MS: u64 = 500;
const LONGEST_RETRY_MS: u64 = 30_000;

/// Sockets in a row that do not open while the server answers, before the person is told.
const BARRED_AFTER: u32 = 2;
/// Close codes that only an application gives: nothing on the way.
const OF_THE_SERVER: std::ops::RangeInclusive<u16> = 4_000..=4_999;

/// The socket's state. Dropping it overwrites the keys of a handshake and of the next one; those of the
/// link itself are where frames are sealed.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Opening, or open and not greeted yet, or greeted.
    open: bool,
    /// How far the handshake is.
    step: Step,
    /// This try has reached the server: its hello was verified, it closed the socket, or the link was
    /// refused here.
    opened: bool,
    tries: u32,
    /// Sockets in a row that did not open and were not refused by the server.
    unopened: u32,
    retry_at_ms: Option<u64>,
    /// A ping was sent and nothing has come since.
    unanswered: bool,
    /// The server answers requests while sockets never open: something on the way holds them up.
    barred: bool,
    /// What the next link begins with, and the instance that knows it.
    psk: Option<(InstanceId, Psk)>,
    /// What was refused last, and told, since a link was greeted.
    told: Option<Refusal>,
    /// The person was told that the server takes no socket, since a link was greeted.
    told_not_taken: bool,
}

impl Core {
    /// Opens the socket of the unlocked account.
    pub(crate) fn connect(&mut self) {
        let Some(open) = self.unlocked.as_ref() else {
            return;
        };
        let live_id = open.presence.live().to_string();
        self.io.timers.cancel(Timer::Reconnect);
        self.link.open = true;
        self.link.step = Step::default();
        self.link.opened = false;
        self.link.unanswered = false;
        self.link.retry_at_ms = None;
        self.io.online = false;
        self.io.link = None;
        self.io.out.push(Output::SocketConnect { live_id });
        // A socket that opens but never greets must not hang.
        self.io.timers.set(Timer::Ping, self.io.now_ms + PING_MS);
    }

    /// Closes the socket for good and overwrites the keys of the link.
    pub(crate) fn disconnect(&mut self) {
        if self.link.open {
            self.io.out.push(Output::SocketDisconnect);
        }
        self.link = Link::default();
        self.io.link = None;
        self.io.online = false;
        self.io.timers.cancel(Timer::Reconnect);
        self.io.timers.cancel(Timer::Ping);
    }

    pub(crate) fn emit_connection(&mut self) {
        self.io.event(Event::Connection {
            online: self.io.online,
            retry_at_ms: self.link.retry_at_ms,
            barred: self.link.barred,
        });
    }

    /// The server refused the handshake of the socket, and says why.
    pub(crate) fn socket_refused(&mut self, status: u16, body: &[u8]) {
        if self.link.open {
            self.closed();
            self.socket_answered(status, body);
        }
    }

    /// What the address of the socket answers. A server that would open it calls a request without a handshake
    /// malformed; what has no code, or another server's, comes from something on the way.
    pub(crate) fn socket_answered(&mut self, status: u16, body: &[u8]) {
        if self.phase != Phase::Unlocked || self.io.link.is_some() {
            return;
        }
        let failure = Failure::from_answer(status, body);
        let of_the_way = [
            Code::MalformedRequest.name(),
            Code::NotFound.name(),
            Own::HeldUp.words().code,
        ];
        match failure.code.as_str() {
            _ if status == 401 => self.session_over("expired"),
            code if status < 300 || of_the_way.contains(&code) => self.socket_held_up(),
            code if code == Own::ServerError.words().code => {}
            _ => self.socket_not_taken(&failure),
        }
    }

    /// The server takes no socket now. It is tried again no sooner than the server asks.
    fn socket_not_taken(&mut self, failure: &Failure) {
        self.link.unopened = 0;
        if failure.is_passing()
            && let Some(planned_ms) = self.link.retry_at_ms
        {
            let wait_ms = failure.wait_ms();
            // Clients that were refused together must not come back together.
            let spread_ms = u64::from(self.io.rng.next_u32()) % (wait_ms / 8 + 1);
            let at_ms = self.io.after_ms(wait_ms + spread_ms);
            self.try_at(planned_ms.max(at_ms));
        }
        if !std::mem::replace(&mut self.link.told_not_taken, true) {
            let text = match failure.is_passing() {
                true => {
                    "The server takes no more connections from here for now. It is tried again by itself: \
                     messages come as soon as it does."
                }
                false => &failure.text,
            };
            self.io.notice(&failure.code, text, None);
        }
    }

    /// The server answers requests, and the socket does not open.
    fn socket_held_up(&mut self) {
        if self.link.barred || self.link.opened || self.link.unopened < BARRED_AFTER {
            return;
        }
        self.link.barred = true;
        self.emit_connection();
        self.io.notice(
            "socket-barred",
            "The server answers, but messages cannot come through: something between here and the \
             server blocks WebSocket connections. Try another network, or tell whoever runs this server.",
            None,
        );
    }

    /// The server's `hello` came: the connection is up.
    fn greeted(&mut self) {
        self.link.tries = 0;
        self.link.barred = false;
        self.link.told = None;
        self.link.told_not_taken = false;
        self.io.online = true;
        self.io.timers.set(Timer::Ping, self.io.now_ms + PING_MS);
        self.emit_connection();
    }

    pub(crate) fn ping(&mut self) {
        if !self.link.open {
            return;
        }
        if self.link.unanswered || !self.io.online {
            self.give_up();
            return;
        }
        self.link.unanswered = true;
        self.io.frame(&ClientFrame::Ping {});
        self.io.timers.set(Timer::Ping, self.io.now_ms + PING_MS);
    }

    pub(crate) fn socket_closed(&mut self, code: u16) {
        if !self.link.open {
            return;
        }
        match close::session_over(code) {
            Some(reason) => {
                self.link.open = false;
                self.session_over(reason);
            }
            None => {
                self.link.opened |= OF_THE_SERVER.contains(&code);
                let refused = code == close::TOO_MUCH && !self.io.online;
                self.lost();
                if refused {
                    let code = Code::TooManyRequests;
                    let usual = code.words().wait;
                    self.socket_not_taken(&Failure::refused(code.name(), String::new(), usual));
                }
            }
        }
    }

    /// Closes the socket, to try again.
    fn give_up(&mut self) {
        self.io.out.push(Output::SocketDisconnect);
        self.lost();
    }

    /// The socket is gone. If it never opened its address is asked why, because a browser does not tell.
    fn lost(&mut self) {
        self.closed();
        if let Some(open) = self.unlocked.as_ref().filter(|_| !self.link.opened) {
            let path = format!("/ws?live_id={}", open.presence.live());
            self.io.get(&path, Purpose::Unopened);
        }
    }

    /// The socket is gone: the link's keys go, and it is tried again.
    fn closed(&mut self) {
        self.link.open = false;
        self.link.step = Step::default();
        self.link.unanswered = false;
        self.io.link = None;
        self.io.online = false;
        self.io.timers.cancel(Timer::Ping);
        let Some(open) = self.unlocked.as_mut() else {
            return;
        };
        open.offline(&mut self.io);
        self.link.unopened += u32::from(!self.link.opened);
        let pause = FIRST_RETRY_MS
            .saturating_mul(1 << self.link.tries.min(8))
            .min(LONGEST_RETRY_MS);
        // Many clients must not come back in step after a restart.
        let jitter = u64::from(self.io.rng.next_u32()) % (pause / 2);
        self.link.tries += 1;
        self.try_at(self.io.after_ms(pause / 2 + jitter));
    }

    fn try_at(&mut self, at_ms: u64) {
        self.link.retry_at_ms = Some(at_ms);
        self.io.timers.set(Timer::Reconnect, at_ms);
        self.emit_connection();
    }
}
