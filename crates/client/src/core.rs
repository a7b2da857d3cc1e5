//! The core: takes inputs and gives outputs.

use crate::activity::Activity;
use crate::command::Command;
use crate::config::{Config, CoreRng};
use crate::effects::Effect;
use crate::event::{Event, Me, Phase, StateView};
use crate::failure::Failure;
use crate::flows::{Flow, Unheard};
use crate::input::Input;
use crate::io::Io;
use crate::link::Link;
use crate::output::Output;
use crate::server::ServerState;
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::unsent::Unsent;
use api::Own;
use api::ids::SessionId;

/// Steps back of the device's clock up to this one move no deadline, milliseconds.
const SMALL_STEP_MS: u64 = 5_000;
/// A longer time between two inputs is a leap of the clock, milliseconds: while connected they come every 25 s.
const LEAP_MS: u64 = 60_000;

/// The client core of one browser, or of one native program.
pub struct Core {
    pub(crate) config: Config,
    pub(crate) io: Io,
    pub(crate) server: ServerState,
    pub(crate) phase: Phase,
    pub(crate) reason: &'static str,
    pub(crate) me: Option<Me>,
    /// Whether the server is believed to know our cookie.
    pub(crate) session: bool,
    /// The session that the account was unlocked in.
    pub(crate) session_id: Option<SessionId>,
    pub(crate) flow: Option<Flow>,
    /// A change that the server was asked for, until its answer is heard.
    pub(crate) unheard: Option<Unheard>,
    pub(crate) link: Link,
    pub(crate) activity: Activity,
    pub(crate) unlocked: Option<Box<Unlocked>>,
    /// What was not sent when the account locked.
    pub(crate) unsent: Option<Unsent>,
    /// The person is being asked which clock is right.
    pub(crate) asked_about_clock: bool,
    wake: Option<u64>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

impl Core {
    /// A core that knows nothing yet; the first command is [`Command::Start`].
    #[must_use]
    pub fn new(config: Config, rng: CoreRng) -> Self {
        Self {
            config,
            io: Io::new(rng),
            server: ServerState::default(),
            phase: Phase::Starting,
            reason: "started",
            me: None,
            session: false,
            session_id: None,
            flow: None,
            unheard: None,
            link: Link::default(),
            activity: Activity::default(),
            unlocked: None,
            unsent: None,
            asked_about_clock: false,
            wake: None,
        }
    }

    /// Takes one input at the device's time `now_ms` (unix milliseconds) and says what to do.
    #[must_use]
    pub fn handle(&mut self, input: Input, now_ms: u64) -> Vec<Output> {
        self.follow_clock(now_ms);
        self.run_timers();
        match input {
            Input::Command(command) => self.command(command),
            Input::Http { id, status, body } => {
                if let Some(purpose) = self.io.answered(id) {
                    self.answered(purpose, Some((status, body)));
                }
            }
            Input::HttpFailed { id } => {
                if let Some(purpose) = self.io.answered(id) {
                    self.answered(purpose, None);
                }
            }
            Input::SocketFrame(bytes) => self.socket_frame(bytes),
            Input::SocketRefused { status, body } => self.socket_refused(status, &body),
            Input::SocketClosed { code } => self.socket_closed(code),
            // The shim's timer has fired, perhaps a moment early: it is always set anew.
            Input::Tick => self.wake = None,
            Input::Stored { key, value } => self.stored(&key, value),
            Input::Unsent(sealed) => self.unsent = Unsent::from_bytes(sealed).ok(),
        }
        self.settle();
        if self.is_link_over() {
            self.link_over();
            self.settle();
        }
        let mut out = std::mem::take(&mut self.io.out);
        let next = self.io.timers.next();
        if let Some(at) = next.filter(|_| next != self.wake) {
            out.push(Output::WakeAt(at));
        }
        self.wake = next;
        out
    }

    /// Where the person stands.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Follows the device's clock: small steps back are waited out, large ones move all deadlines, and
    /// after a leap (sleep, or a clock that was put right) the server is asked for the time.
    fn follow_clock(&mut self, now_ms: u64) {
        let before = self.io.now_ms;
        if before > now_ms.saturating_add(SMALL_STEP_MS) {
            let back = before - now_ms;
            self.io.timers.shift_back(back);
            self.activity.shift_back(back);
            self.io.clock.put_back(back);
            self.wake = None;
        } else {
            self.io.now_ms = before.max(now_ms);
            if before != 0 {
                self.io.clock.went_on(self.io.now_ms - before);
            }
            let leapt = before != 0 && now_ms > before.saturating_add(LEAP_MS);
            if leapt && self.phase == Phase::Unlocked {
                self.ask_server();
            }
            return;
        }
        self.io.now_ms = now_ms;
        if self.phase == Phase::Unlocked {
            self.ask_server();
        }
        self.check_clock();
    }

    fn run_timers(&mut self) {
        while let Some(timer) = self.io.timers.due(self.io.now_ms) {
            match timer {
                Timer::Reconnect => self.connect(),
                Timer::Ping => self.ping(),
                Timer::IdleLock => self.idle_check(),
                Timer::Confirmation => self.confirmation_expired(),
                other => {
                    if let Some(open) = self.unlocked.as_mut() {
                        open.timer(&mut self.io, other);
                    }
                }
            }
        }
    }

    /// Lets the unlocked account finish the input; locks or sets the idle timer if it asks for that.
    fn settle(&mut self) {
        let Some(open) = self.unlocked.as_mut() else {
            return;
        };
        let settings_changed = self.io.effects.is_asked(Effect::TellSettings);
        if let Some(reason) = open.settle(&mut self.io) {
            self.lock(reason);
        } else if settings_changed {
            self.idle_check();
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Start => self.start(),
            Command::Snapshot => self.snapshot(),
            Command::UserActive => self.user_active(),
            Command::OfferPassphrase => self.offer_passphrase(),
            Command::CheckRegistration {
                handle,
                alias,
                setup,
                invite,
            } => self.check_registration(&handle, &alias, setup.as_ref(), invite.as_deref()),
            Command::Register {
                handle,
                alias,
                passphrase,
                setup,
                invite,
            } => self.register(handle, alias, passphrase, setup, invite),
            Command::ConfirmRecoveryKey { typed } => self.confirm_recovery_key(&typed),
            Command::Cancel => self.cancel(),
            Command::SignIn {
                handle,
                passphrase,
                device_name,
            } => self.sign_in(handle, passphrase, device_name),
            Command::Recover {
                handle,
                recovery_key,
                passphrase,
            } => self.recover(handle, &recovery_key, passphrase),
            Command::ChangePassphrase { current, new } => self.change_passphrase(current, new),
            Command::AcceptRestored => self.accept_restored(),
            Command::AcceptClock => self.accept_clock(),
            Command::SignOut => self.sign_out(),
            Command::Lock => self.lock("user"),
            Command::Unlock { passphrase } => self.unlock(passphrase),
            Command::SetAlias { alias } => self.set_alias(&alias),
            Command::ListSessions => self.list_sessions(),
            Command::RevokeSession { id } => self.revoke_session(&id),
            Command::RevokeOtherSessions { passphrase } => self.revoke_other_sessions(passphrase),
            Command::NewIdentity { passphrase } => self.new_identity(passphrase),
            Command::DeleteAccount { passphrase } => self.delete_account(passphrase),
            Command::SetRegistration { mode } => self.set_registration(&mode),
            Command::OpenInvite { fragment } => self.open_invite(&fragment),
            Command::CreateInvite { life_secs } => self.create_invite(life_secs),
            Command::ListInvites => self.list_invites(),
            Command::RevokeInvite { id } => self.revoke_invite(&id),
            other => {
                let during = crate::command::tag_of(&other);
                match self.unlocked.as_mut() {
                    Some(open) => open.command(&mut self.io, other),
                    None => self.io.failed(during, Failure::new(Own::NotUnlocked)),
                }
            }
        }
    }

    pub(crate) fn emit_state(&mut self) {
        let view = StateView {
            state: self.phase,
            reason: self.reason.to_owned(),
            me: self.me.clone(),
            unsent: self.unsent_views(),
        };
        self.io.event(Event::State(view));
    }

    pub(crate) fn enter(&mut self, phase: Phase, reason: &'static str) {
        self.phase = phase;
        self.reason = reason;
        self.emit_state();
    }
}
