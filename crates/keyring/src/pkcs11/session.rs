//! Logged-in sessions with one token.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::MechanismType;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;

use crate::pkcs11::error::{Failure, Pkcs11Error, answer, code, is_lost};
use crate::pkcs11::module;
use crate::pkcs11::pin::{Pin, TokenSelector};
use crate::provider::ProviderError;

/// Sessions at a time; tokens have few.
const MAX_SESSIONS: usize = 8;

/// One token of one module.
pub(super) struct Token {
    module: Pkcs11,
    pub selector: TokenSelector,
    pin: Pin,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    /// Counts how often all sessions were given up; handles of objects belong to one count.
    generation: u64,
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
    pub fn new(path: &Path, selector: TokenSelector, pin: Pin) -> Result<Self, Pkcs11Error> {
        Ok(Self {
            module: module::load(path)?,
            selector,
            pin,
            pool: Mutex::default(),
            returned: Condvar::new(),
        })
    }

    /// Does a piece of work with a session; once more with a new one when the first was lost.
    pub fn with<T>(
        &self,
        mut work: impl FnMut(&Session, u64) -> Result<T, Failure>,
    ) -> Result<T, ProviderError> {
        let mut again = true;
        loop {
            let mut lease = self.lease()?;
            let Some(session) = &lease.session else {
                return Err(ProviderError::Unreachable("no session".to_owned()));
            };
            match work(session, lease.generation) {
                Ok(done) => return Ok(done),
                Err(Failure::Ours(error)) => return Err(error),
                Err(Failure::Module(error)) if is_lost(&error) => {
                    lease.session = None;
                    self.give_up(lease.generation);
                    if !again {
                        return Err(self.unreachable(&error));
                    }
                    again = false;
                }
                Err(Failure::Module(error)) => return Err(self.unreachable(&error)),
            }
        }
    }

    /// Does a piece of work that changes the token, with a session that may write.
    pub fn with_writing<T>(
        &self,
        mut work: impl FnMut(&Session) -> Result<T, Failure>,
    ) -> Result<T, ProviderError> {
        // The session that is lent keeps the user logged in for the other one.
        self.with(|_, _| work(&self.module.open_rw_session(self.find()?)?))
    }

    /// Whether the token lets us in and has what is needed.
    pub fn check(&self) -> Result<(), ProviderError> {
        let has = self.with(|session, _| {
            session.get_session_info()?;
            Ok(self.module.get_mechanism_list(self.find()?)?)
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

    pub fn unreachable(&self, error: &Error) -> ProviderError {
        ProviderError::Unreachable(format!("token {}: {}", self.selector, answer(error)))
    }

    fn lease(&self) -> Result<Lease<'_>, ProviderError> {
        let mut pool = self.pool();
        loop {
            if let Some(refused) = &pool.refused {
                return Err(refused.clone().into());
            }
            let session = match pool.idle.pop() {
                Some(session) => session,
                // The pool stays locked: two threads must not both try a wrong PIN.
                None if pool.out < MAX_SESSIONS => match self.open() {
                    Ok(session) => session,
                    Err(ProviderError::Pkcs11(refused @ Pkcs11Error::PinWrong(_))) => {
                        pool.refused = Some(refused.clone());
                        return Err(refused.into());
                    }
                    Err(error) => return Err(error),
                },
                None => {
                    pool = self
                        .returned
                        .wait(pool)
                        .unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            };
            pool.out += 1;
            return Ok(Lease {
                token: self,
                session: Some(session),
                generation: pool.generation,
            });
        }
    }

    /// Gives up all sessions of a generation.
    fn give_up(&self, generation: u64) {
        let mut pool = self.pool();
        if pool.generation == generation {
            pool.generation += 1;
            pool.idle.clear();
        }
    }

    fn open(&self) -> Result<Session, ProviderError> {
        let slot = self.find()?;
        let info = self
            .module
            .get_token_info(slot)
            .map_err(|error| self.unreachable(&error))?;
        if info.user_pin_locked() {
            return Err(Pkcs11Error::PinLocked(self.selector.clone()).into());
        }
        let session = self
            .module
            .open_ro_session(slot)
            .map_err(|error| self.unreachable(&error))?;
        match session.login(UserType::User, Some(self.pin.expose())) {
            Ok(()) => Ok(session),
            Err(error) => {
                let token = self.selector.clone();
                Err(match code(&error) {
                    // The user is logged in for all sessions of the process at once.
                    Some(RvError::UserAlreadyLoggedIn) => return Ok(session),
                    Some(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange) => {
                        Pkcs11Error::PinWrong(token).into()
                    }
                    Some(RvError::PinLocked) => Pkcs11Error::PinLocked(token).into(),
                    Some(RvError::UserPinNotInitialized | RvError::PinExpired) => {
                        Pkcs11Error::PinUnset(token).into()
                    }
                    _ => self.unreachable(&error),
                })
            }
        }
    }

    fn find(&self) -> Result<Slot, ProviderError> {
        let slots = match self.module.get_slots_with_token() {
            Err(error) if code(&error) == Some(RvError::CryptokiNotInitialized) => {
                module::initialise(&self.module).and_then(|()| self.module.get_slots_with_token())
            }
            slots => slots,
        };
        let slots = slots.map_err(|error| self.unreachable(&error))?;
        let mut labels = Vec::new();
        let mut matching = Vec::new();
        for slot in slots {
            // A token that goes away meanwhile is not there.
            let Ok(info) = self.module.get_token_info(slot) else {
                continue;
            };
            if !info.token_initialized() {
                continue;
            }
            labels.push(format!("{:?} in slot:{}", info.label(), slot.id()));
            let matches = match &self.selector {
                TokenSelector::Label(label) => info.label() == label,
                TokenSelector::Slot(id) => slot.id() == *id,
            };
            if matches {
                matching.push(slot);
            }
        }
        match matching[..] {
            [slot] => Ok(slot),
            [] => Err(Pkcs11Error::TokenNotFound {
                token: self.selector.clone(),
                found: if labels.is_empty() {
                    "none".to_owned()
                } else {
                    labels.join(", ")
                },
            }
            .into()),
            _ => Err(Pkcs11Error::TokenAmbiguous(self.selector.clone()).into()),
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut pool = self.token.pool();
        pool.out -= 1;
        if let Some(session) = self.session.take()
            && pool.generation == self.generation
        {
            pool.idle.push(session);
        }
        drop(pool);
        self.token.returned.notify_one();
    }
}
