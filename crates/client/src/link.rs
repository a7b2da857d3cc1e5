//! The socket: opening it, greeting, closing, and trying again.
//!
//! Specification: `docs/protocol.md#websocket`.

use api::close;

use crate::core::Core;
use crate::event::{Event, Phase};
use crate::output::Output;
use crate::purpose::Purpose;
use crate::refusal::Refusal;
use crate::timers::Timer;
use crate::wire::{ClientFrame, ServerFrame};

/// How often the connection is tried, milliseconds.
const PING_MS: u64 = 25_000;
/// First and longest pause between tries, milliseconds.
const FIRST_RETRY_MS: u64 = 500;
const LONGEST_RETRY_MS: u64 = 30_000;

/// So many sockets in a row that did not open, while the server answers, are no accident.
const BARRED_AFTER: u32 = 2;

/// The socket's state.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Opening, or open and not greeted yet, or greeted.
    open: bool,
    /// This try has reached the server.
    opened: bool,
    tries: u32,
    /// Sockets in a row that did not open.
    unopened: u32,
    retry_at_ms: Option<u64>,
    /// A ping was sent and nothing has come since.
    unanswered: bool,
    /// The server answers requests while sockets never open: something on the way holds them up.
    barred: bool,
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
        self.link.opened = false;
        self.link.unanswered = false;
        self.link.retry_at_ms = None;
        self.io.online = false;
        self.io.out.push(Output::SocketConnect { live_id });
        // A socket that opens but never greets must not hang.
        self.io.timers.set(Timer::Ping, self.io.now_ms + PING_MS);
    }

    /// Closes it without a word from the other side.
    pub(crate) fn disconnect(&mut self) {
        if self.link.open {
            self.io.out.push(Output::SocketDisconnect);
        }
        self.link = Link::default();
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

    pub(crate) fn socket_open(&mut self) {
        self.link.opened = true;
        self.link.unopened = 0;
        self.link.unanswered = false;
    }

    /// Greets back once the server's `hello` came.
    fn greeted(&mut self) {
        self.link.tries = 0;
        self.link.barred = false;
        self.io.online = true;
        self.io.timers.set(Timer::Ping, self.io.now_ms + PING_MS);
        self.emit_connection();
    }

    pub(crate) fn ping(&mut self) {
        if !self.link.open {
            return;
        }
        if self.link.unanswered || !self.io.online {
            self.io.out.push(Output::SocketDisconnect);
            self.lost();
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

    fn lost(&mut self) {
        self.link.open = false;
        self.link.unanswered = false;
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

    pub(crate) fn socket_text(&mut self, text: &str) {
        self.link.unanswered = false;
        if self.phase != Phase::Unlocked {
            return;
        }
        let Ok(frame) = serde_json::from_str::<ServerFrame>(text) else {
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

    pub(crate) fn socket_binary(&mut self, bytes: &[u8]) {
        self.link.unanswered = false;
        if let Some(open) = self.unlocked.as_mut() {
            open.parcel(&mut self.io, bytes);
        }
    }
}
