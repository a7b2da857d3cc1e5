//! Logged-in sessions with one token.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cryptoki::context::Pkcs11;
use cryptoki::error::Error;
use cryptoki::mechanism::MechanismType;
use cryptoki::session::Session;

use crate::pkcs11::error::{Failure, Pkcs11Error, is_lost, unreachable};
use crate::pkcs11::login::{self, close};
use crate::pkcs11::module::{self, Module};
use crate::pkcs11::pin::{Pin, TokenSelector};
use crate::provider::ProviderError;
use ambient::Clock;

/// Sessions at a time; tokens have few.
const MAX_SESSIONS: usize = 8;
/// The module is not initialised anew more often than this.
const PAUSE: Duration = Duration::from_secs(1);

/// One token of one module.
pub(super) struct Token {
    module: Arc<Module>,
    clock: Arc<dyn Clock>,
    /// When the module was last initialised anew for this token.
    begun_anew: Mutex<Option<Duration>>,
    pub selector: TokenSelector,
    pin: Pin,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    /// Counts how often all sessions were given up; handles of objects belong to one count.
    generation: u64,
    /// The epoch of the module that the sessions are of.
    epoch: u64,
    idle: Vec<Session>,
    out: usize,
    /// A PIN that was refused is not tried again: a few more tries would lock the token.
    refused: Option<Pkcs11Error>,
}

/// A session for the time of one piece of work.
pub(super) struct Lease<'a> {
    token: &'a Token,
    session: Option<Session>,
    pub generation: u64,
}

impl Token {
    pub(super) fn new(
        path: &Path,
        selector: TokenSelector,
        pin: Pin,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Pkcs11Error> {
        Ok(Self {
            module: module::load(path)?,
            clock,
            begun_anew: Mutex::default(),
            selector,
            pin,
            pool: Mutex::default(),
            returned: Condvar::new(),
        })
    }

    /// Does a piece of work with a session; once more with a new one when the first was lost, and
    /// once more with a module that was initialised anew when it lost sight of the token.
    pub(super) fn with<T>(
        &self,
        mut work: impl FnMut(&Session, u64) -> Result<T, Failure>,
    ) -> Result<T, ProviderError> {
        self.with_functions(|_, session, generation| work(session, generation))
    }

    /// As [`Token::with`], for work that calls the module without a session too.
    fn with_functions<T>(
        &self,
        mut work: impl FnMut(&Pkcs11, &Session, u64) -> Result<T, Failure>,
    ) -> Result<T, ProviderError> {
        let (epoch, done) = self.attempt(&mut work);
        match done {
            Err(error) if may_pass(&error) && self.may_begin_anew() => {
                self.module.begin_anew(epoch);
                self.attempt(&mut work).1
            }
            done => done,
        }
    }

    /// Does a piece of work by the module as it is; answers with the epoch in which it was tried.
    fn attempt<T>(
        &self,
        work: &mut impl FnMut(&Pkcs11, &Session, u64) -> Result<T, Failure>,
    ) -> (u64, Result<T, ProviderError>) {
        let calling = self.module.calling();
        let epoch = calling.epoch();
        let functions = match calling.functions() {
            Ok(functions) => functions,
            Err(error) => return (epoch, Err(self.unreachable(error))),
        };
        let mut again = true;
        let done = loop {
            let mut lease = match self.lease(functions, epoch) {
                Ok(lease) => lease,
                Err(error) => break Err(error),
            };
            let Some(session) = &lease.session else {
                break Err(ProviderError::Unreachable("no session".to_owned()));
            };
            match work(functions, session, lease.generation) {
                Ok(done) => break Ok(done),
                Err(Failure::Ours(error)) => break Err(error),
                Err(Failure::Module(error)) if is_lost(&error) => {
                    if let Some(lost) = lease.session.take() {
                        close(lost);
                    }
                    self.give_up(lease.generation);
                    if !again {
                        break Err(self.unreachable(&error));
                    }
                    again = false;
                }
                Err(Failure::Module(error)) => break Err(self.unreachable(&error)),
            }
        };
        (epoch, done)
    }

    /// Whether enough time has passed since the module was initialised anew.
    fn may_begin_anew(&self) -> bool {
        let now = self.clock.monotonic();
        let mut begun = self
            .begun_anew
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let may = begun.is_none_or(|at| now >= at + PAUSE);
        if may {
            *begun = Some(now);
        }
        may
    }

    /// Does a piece of work that changes the token, with a session that may write.
    pub(super) fn with_writing<T>(
        &self,
        mut work: impl FnMut(&Session) -> Result<T, Failure>,
    ) -> Result<T, ProviderError> {
        // The session that is lent keeps the user logged in for the other one.
        self.with_functions(|functions, _, _| {
            work(&functions.open_rw_session(login::find(functions, &self.selector)?)?)
        })
    }

    /// Checks that the token accepts the PIN and has the mechanisms that are needed.
    pub(super) fn check(&self) -> Result<(), ProviderError> {
        let has = self.with_functions(|functions, session, _| {
            session.get_session_info()?;
            Ok(functions.get_mechanism_list(login::find(functions, &self.selector)?)?)
        })?;
        for (needed, mechanism) in [
            (MechanismType::AES_KEY_GEN, "CKM_AES_KEY_GEN"),
            (MechanismType::AES_GCM, "CKM_AES_GCM"),
        ] {
            if !has.contains(&needed) {
                return Err(Pkcs11Error::MechanismMissing {
                    token: self.selector.clone(),
                    mechanism,
                }
                .into());
            }
        }
        Ok(())
    }

    fn unreachable(&self, error: &Error) -> ProviderError {
        unreachable(&self.selector, error)
    }

    fn lease(&self, functions: &Pkcs11, epoch: u64) -> Result<Lease<'_>, ProviderError> {
        let mut pool = self.pool();
        if pool.epoch != epoch {
            // They ended with the module, and their numbers may be other sessions' now.
            pool.idle.clear();
            pool.generation += 1;
            pool.epoch = epoch;
        }
        let session = loop {
            if let Some(session) = self.session(&mut pool, functions)? {
                break session;
            }
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        };
        pool.out += 1;
        Ok(Lease {
            token: self,
            session: Some(session),
            generation: pool.generation,
        })
    }

    /// Returns an idle session or a new one; `None` while the maximum is in use.
    fn session(
        &self,
        pool: &mut Pool,
        functions: &Pkcs11,
    ) -> Result<Option<Session>, ProviderError> {
        if let Some(refused) = &pool.refused {
            return Err(refused.clone().into());
        }
        if let Some(idle) = pool.idle.pop() {
            return Ok(Some(idle));
        }
        if pool.out >= MAX_SESSIONS {
            return Ok(None);
        }
        // The pool stays locked: two threads must not both try a wrong PIN.
        let opened = login::open(functions, &self.selector, &self.pin);
        if let Err(ProviderError::Pkcs11(refused @ Pkcs11Error::PinWrong(_))) = &opened {
            pool.refused = Some(refused.clone());
        }
        opened.map(Some)
    }

    /// Gives up all sessions of a generation.
    fn give_up(&self, generation: u64) {
        let mut pool = self.pool();
        if pool.generation == generation {
            pool.generation += 1;
            pool.idle.drain(..).for_each(close);
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a module that is initialised anew may do what this one could not.
fn may_pass(error: &ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Unreachable(_)
            | ProviderError::Pkcs11(
                Pkcs11Error::TokenNotFound { .. } | Pkcs11Error::KeyMissing { .. }
            )
    )
}

impl Drop for Token {
    fn drop(&mut self) {
        let calling = self.module.calling();
        let mut pool = self.pool();
        if pool.epoch == calling.epoch() {
            pool.idle.drain(..).for_each(close);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut pool = self.token.pool();
        pool.out -= 1;
        if let Some(session) = self.session.take() {
            if pool.generation == self.generation {
                pool.idle.push(session);
            } else {
                close(session);
            }
        }
        drop(pool);
        self.token.returned.notify_one();
    }
}

#[cfg(test)]
mod tests;
