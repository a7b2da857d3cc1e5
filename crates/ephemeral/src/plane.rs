//! The plane that the server holds.

use std::sync::Arc;

use ambient::Ambient;

use crate::memory::Memory;
use crate::{
    Answer, Claims, Config, Drawn, MessageVault, OneTimeTokens, Presence, RateLimits, ResumeHalves,
};

/// Something that a backend stands on is not as it must be; says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

/// Everything that a backend must offer.
pub trait Backend:
    MessageVault + Presence + Drawn + OneTimeTokens + RateLimits + Claims + ResumeHalves
{
    /// Forgets what has expired of everything but messages; call it each minute.
    fn tidy(&self) -> Answer<'_, ()>;

    /// Looks at whether everything that it stands on is set up as it must be; call it each minute.
    fn check(&self) -> Answer<'_, Result<(), Trouble>> {
        Answer::ready(Ok(()))
    }

    /// Counts what is left of everything, for tests that look for leaks.
    #[cfg(test)]
    fn left(&self) -> Answer<'_, usize>;
}

/// A backend, shared; clones are cheap and mean the same plane.
#[derive(Clone)]
pub struct Ephemeral(Arc<dyn Backend>);

impl Ephemeral {
    /// Makes a plane in the memory of this process.
    pub fn memory(config: Config, ambient: Ambient) -> Self {
        Self::over(Memory::new(config, ambient))
    }

    /// Takes a backend.
    pub fn over(backend: impl Backend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// Messages.
    pub fn vault(&self) -> &dyn MessageVault {
        &*self.0
    }

    /// Connected live sessions and their bundles.
    pub fn presence(&self) -> &dyn Presence {
        &*self.0
    }

    /// Secrets of this life of the plane.
    pub fn drawn(&self) -> &dyn Drawn {
        &*self.0
    }

    /// Used tokens.
    pub fn tokens(&self) -> &dyn OneTimeTokens {
        &*self.0
    }

    /// Rate limits.
    pub fn limits(&self) -> &dyn RateLimits {
        &*self.0
    }

    /// Claimed prekeys.
    pub fn claims(&self) -> &dyn Claims {
        &*self.0
    }

    /// Halves of resume wraps.
    pub fn resume_halves(&self) -> &dyn ResumeHalves {
        &*self.0
    }

    /// Forgets what has expired of everything but messages; call it each minute.
    pub fn tidy(&self) -> Answer<'_, ()> {
        self.0.tidy()
    }

    /// Looks at whether everything that the plane stands on is set up as it must be; call it each minute.
    pub fn check(&self) -> Answer<'_, Result<(), Trouble>> {
        self.0.check()
    }

    /// Counts what is left of everything, for tests that look for leaks.
    #[cfg(test)]
    pub(crate) fn left(&self) -> Answer<'_, usize> {
        self.0.left()
    }
}
