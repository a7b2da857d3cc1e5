//! The socket and its link: opening both, greeting, closing, and trying again.
//!
//! Specification: `docs/protocol.md#websocket`, `docs/protocol/link.md`.

mod frames;
mod handshake;

use api::close;
use protocol::link::{InstanceId, Psk};

use crate::core::Core;
use crate::event::Event;
use crate::output::Output;
use crate::purpose::Purpose;
use crate::refusal::Refusal;
use crate::timers::Timer;
use crate::wire::ClientFrame;
use handshake::Step;

/// How often the connection is tried, milliseconds.
const PING_MS: u64 = 25_000;
/// First and longest pause between tries, milliseconds.
const FIRST_RETRY_MS: u64 = 500;
const LONGEST_RETRY_MS: u64 = 30_000;

/// So many sockets in a row that did not open, while the server answers, are no accident.
const BARRED_AFTER: u32 = 2;

/// The socket's state. Dropping it overwrites the keys of a handshake and of the next one; those of the
/// link itself are where frames are sealed.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Opening, or open and not greeted yet, or greeted.
    open: bool,
    /// How far the handshake is.
    step: Step,
    /// This try has reached the server: the link is active, or was refused here.
    opened: bool,
    tries: u32,
    /// Sockets in a row that did not open.
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

    /// Closes it without a word from the other side; its keys are overwritten.
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

    /// The server answered and the session is good, yet the socket did not open.
    pub(crate) fn socket_held_up(&mut self) {
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

    /// Greets back once the server's `hello` came.
    fn greeted(&mut self) {
        self.link.tries = 0;
        self.link.barred = false;
        self.link.told = None;
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
            None => self.lost(),
        }
    }

    /// Closes the socket, to try again.
    fn give_up(&mut self) {
        self.io.out.push(Output::SocketDisconnect);
        self.lost();
    }

    /// The socket is gone: the link's keys go, and it is tried again.
    fn lost(&mut self) {
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
        if !self.link.opened {
            // A browser does not tell why a socket was refused: the session may be over.
            self.link.unopened += 1;
            self.io.get("/session", Purpose::StillSignedIn);
        }
        let pause = FIRST_RETRY_MS
            .saturating_mul(1 << self.link.tries.min(8))
            .min(LONGEST_RETRY_MS);
        // Many clients must not come back in step after a restart.
        let jitter = u64::from(self.io.rng.next_u32()) % (pause / 2);
        self.link.tries += 1;
        let at = self.io.now_ms + pause / 2 + jitter;
        self.link.retry_at_ms = Some(at);
        self.io.timers.set(Timer::Reconnect, at);
        self.emit_connection();
    }
}
