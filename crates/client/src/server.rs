//! The server's state, and how far its clock is from this device's.

use crate::clock::TOLERANCE_SECS;
use crate::core::Core;
use crate::event::{Event, ServerView};
use crate::failure::Failure;
use crate::id::BootId;
use crate::purpose::Purpose;
use crate::wire::{RegistrationChoice, Restored, Server};
use api::{Own, RegistrationMode};

/// The server as last heard of.
#[derive(Debug, Default)]
pub(crate) struct ServerState {
    pub(crate) view: Option<ServerView>,
    /// The backup that it came out of, as it says.
    pub(crate) restored: Option<Restored>,
    warned: bool,
}

impl Core {
    /// Asks the server for its state.
    pub(crate) fn ask_server(&mut self) {
        self.io.get("/server", Purpose::Server);
    }

    /// Takes the server's state and checks its clock and boot id.
    pub(crate) fn server_answered(&mut self, info: Server) {
        self.set_clock(info.now);
        self.server.restored = info.restored;
        self.server.view = Some(ServerView {
            version: info.version,
            registration: info.registration,
            setup_done: info.setup_done,
            bundle_hash: info.bundle_hash,
            boot_id: info.boot.id,
            restored_at: info.restored.map(|restored| restored.at),
            clock_skew_secs: self.io.clock.skew_secs(),
        });
        self.emit_server();
        self.check_boot(info.boot.id, &info.boot.signed);
        self.boot_came();
    }

    /// Follows the server's clock; warns once when ours is far off.
    pub(crate) fn set_clock(&mut self, server_secs: u64) {
        let apart_secs = self.io.clock.told(server_secs, self.io.now_ms);
        if apart_secs > TOLERANCE_SECS && !self.server.warned {
            self.server.warned = true;
            self.io.notice(
                "clock-skew",
                "The clock of this device and the server's differ by more than an hour. Check the clock.",
                None,
            );
        }
        self.check_clock();
    }

    /// A boot id was heard; a new one means that what waited is gone.
    pub(crate) fn check_boot(&mut self, boot: BootId, signed: &[u8]) {
        if let Some(open) = self.unlocked.as_mut() {
            open.boot_heard(&mut self.io, boot, signed);
        }
    }

    pub(crate) fn emit_server(&mut self) {
        if let Some(view) = self.server.view.clone() {
            self.io.event(Event::Server(view));
        }
    }

    /// The administrator chooses who may register.
    pub(crate) fn set_registration(&mut self, mode: &str) {
        let Some(mode) = RegistrationMode::named(mode) else {
            self.io
                .failed("set_registration", Failure::new(Own::BadSettings));
            return;
        };
        let body = RegistrationChoice { mode };
        self.io
            .put("/admin/registration", &body, Purpose::Registration);
    }
}
