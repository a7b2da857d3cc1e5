//! The client's side of the link's handshake.
//!
//! Specification: `docs/protocol/link.md#handshake`.

use protocol::boot::ServerKey;
use protocol::link::client::{Account, Active, Known, Opening, Proving};
use protocol::link::{Hello, InstanceId, LinkError, VerifiedHello};

use crate::core::Core;
use crate::output::Output;
use crate::refuse::of_link;

/// How far a handshake is. Dropping it overwrites its keys.
#[derive(Debug, Default)]
pub(super) enum Step {
    /// The server's hello is to come.
    #[default]
    Hello,
    /// The server's signed boot id is to come; the hello is verified against it.
    Boot(Box<Hello>),
    /// The server's answer to an open is to come; then the account signs.
    Signs(InstanceId, Box<Opening<Account>>),
    /// The same, if the key of the last link proves the account.
    Knows(InstanceId, Box<Opening<Known>>),
    /// The server's word that the link is active is to come.
    Proves(InstanceId, Box<Proving>),
    /// Frames of the link.
    Linked,
}

/// The next step, or why the link is refused.
type Stepped = Result<Step, LinkError>;

impl Core {
    /// A message of a socket whose link is not active yet.
    pub(super) fn handshake(&mut self, step: Step, bytes: &[u8]) {
        let done = match step {
            Step::Hello => self.hello_came(bytes),
            // Until the client has answered the server has nothing more to say.
            Step::Boot(_) | Step::Linked => Err(LinkError::OutOfOrder),
            Step::Signs(instance, opening) => self.sign(instance, *opening, bytes),
            Step::Knows(instance, opening) => self.confirm(instance, *opening, bytes),
            Step::Proves(instance, proving) => self.activated(instance, *proving, bytes),
        };
        self.stepped(done);
    }

    /// The server's state came, with the signed boot id: a hello that waited for it goes on or is refused.
    pub(crate) fn boot_came(&mut self) {
        match std::mem::take(&mut self.link.step) {
            Step::Boot(hello) => match self.verify(&hello) {
                Some(Ok(verified)) => {
                    let done = self.open_link(&verified);
                    self.stepped(done);
                }
                Some(Err(error)) => self.stepped(Err(error)),
                // It is of another run than the server says, or that was not signed.
                None => self.refuse_link(),
            },
            other => self.link.step = other,
        }
    }

    /// The server's state did not come.
    pub(crate) fn boot_unknown(&mut self) {
        if matches!(self.link.step, Step::Boot(_)) {
            self.refuse_link();
        }
    }

    fn stepped(&mut self, done: Stepped) {
        match done {
            Ok(step) => self.link.step = step,
            Err(error) => self.link_refused(&error),
        }
    }

    fn hello_came(&mut self, bytes: &[u8]) -> Stepped {
        let hello = Hello::decode(bytes)?;
        match self.verify(&hello) {
            Some(verified) => self.open_link(&verified?),
            None => {
                // The signed form of the boot id comes with the server's state.
                self.ask_server();
                Ok(Step::Boot(Box::new(hello)))
            }
        }
    }

    /// Verifies a hello with the server's key; `None` if its run of the server is not known.
    fn verify(&self, hello: &Hello) -> Option<Result<VerifiedHello, LinkError>> {
        let boot = &self.unlocked.as_ref()?.boot;
        let key: &ServerKey = boot.key()?;
        match hello.verify(key, self.io.now_ms / 1_000) {
            Ok(verified) if !boot.is(verified.boot_id()) => None,
            other => Some(other),
        }
    }

    /// Opens the link with the key that the one before left at this instance, or by signature.
    fn open_link(&mut self, hello: &VerifiedHello) -> Stepped {
        let (Some(open), Some(session)) = (self.unlocked.as_ref(), self.session_id) else {
            return Err(LinkError::OtherSession);
        };
        let live = *open.presence.live();
        self.link.opened = true;
        let (rng, origin) = (&mut self.io.rng, &self.config.origin);
        let instance = hello.instance();
        let known = self.link.psk.take().filter(|(at, _)| *at == instance);
        let (step, open) = match known {
            Some((_, psk)) => {
                let (opening, open) = Opening::with_psk(rng, hello, origin, session, live, psk)?;
                (Step::Knows(instance, Box::new(opening)), open)
            }
            None => {
                let (opening, open) = Opening::for_account(rng, hello, origin, session, live)?;
                (Step::Signs(instance, Box::new(opening)), open)
            }
        };
        self.io.out.push(Output::SocketFrame(open));
        Ok(step)
    }

    fn sign(&mut self, at: InstanceId, opening: Opening<Account>, opened: &[u8]) -> Stepped {
        let Some(open) = self.unlocked.as_ref() else {
            return Err(LinkError::OtherAccount);
        };
        let party = open.safe.party(open.user);
        let (proving, proof) = opening.prove(&mut self.io.rng, opened, &party)?;
        self.io.out.push(Output::SocketFrame(proof));
        Ok(Step::Proves(at, Box::new(proving)))
    }

    fn confirm(&mut self, at: InstanceId, opening: Opening<Known>, opened: &[u8]) -> Stepped {
        let (proving, proof) = opening.confirm(opened)?;
        self.io.out.push(Output::SocketFrame(proof));
        Ok(Step::Proves(at, Box::new(proving)))
    }

    fn activated(&mut self, at: InstanceId, proving: Proving, sealed: &[u8]) -> Stepped {
        let active = proving.active(self.io.link_secs(), sealed)?;
        let Active {
            link, psk, user_id, ..
        } = active;
        if user_id != self.unlocked.as_ref().map(|open| open.user) {
            return Err(LinkError::OtherAccount);
        }
        self.link.opened = true;
        self.link.unopened = 0;
        self.link.psk = psk.map(|psk| (at, psk));
        self.io.link = Some(link);
        Ok(Step::Linked)
    }

    /// Tells why the server's link is refused, closes the socket, and tries again later.
    pub(super) fn link_refused(&mut self, error: &LinkError) {
        let refusal = of_link(error);
        if refusal != self.link.told {
            self.link.told = refusal;
            if let Some(refusal) = refusal {
                self.io.refused(refusal, None, None);
            }
        }
        self.refuse_link();
    }

    /// Closes the socket, to open another one later.
    fn refuse_link(&mut self) {
        self.link.opened = true;
        self.give_up();
    }
}
