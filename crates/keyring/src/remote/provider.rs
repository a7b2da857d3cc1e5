//! A KEK that a service wrapped.

use std::fmt;
use std::sync::Arc;

use tokio::task::AbortHandle;

use crate::context::Context;
use crate::provider::{KekProvider, ProviderError};
use crate::remote::held::Held;
use crate::remote::source::Shared;
use crate::secret::Dek;
use crate::stanza::{KekId, ProviderTag, Stanza};
use crate::wrap::{self, Wrapper};

/// A KEK in memory that a service opens again from time to time.
///
/// It wraps and unwraps DEKs as the `local` provider does, and never waits for the service: while the key is not
/// there, it says why.
pub(super) struct RemoteProvider {
    wrapper: Wrapper,
    held: Arc<Held>,
    shared: Arc<Shared>,
    keeper: AbortHandle,
}

impl RemoteProvider {
    pub(super) fn new(
        wrapper: Wrapper,
        held: Arc<Held>,
        shared: Arc<Shared>,
        keeper: AbortHandle,
    ) -> Self {
        Self {
            wrapper,
            held,
            shared,
            keeper,
        }
    }
}

impl Drop for RemoteProvider {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl KekProvider for RemoteProvider {
    fn kek_id(&self) -> KekId {
        self.wrapper.kek_id
    }

    fn tag(&self) -> ProviderTag {
        self.wrapper.tag
    }

    fn key_version(&self) -> u32 {
        self.wrapper.key_version
    }

    fn wrap(&self, dek: &Dek, context: &Context<'_>) -> Result<Stanza, ProviderError> {
        let kek = self.held.key()?;
        let (suite, entropy) = (self.shared.suite, &*self.shared.entropy);
        let wrapped = wrap::wrap(&kek, &self.wrapper, suite, dek, context, entropy)?;
        Ok(self.wrapper.stanza(wrapped))
    }

    fn unwrap(&self, stanza: &Stanza, context: &Context<'_>) -> Result<Dek, ProviderError> {
        if !self.wrapper.made(stanza) {
            return Err(ProviderError::Refused);
        }
        let kek = self.held.key()?;
        wrap::unwrap(&kek, &self.wrapper, &stanza.wrapped, context)
    }

    fn health(&self) -> Result<(), ProviderError> {
        self.held.key()?;
        Ok(())
    }
}

impl fmt::Debug for RemoteProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteProvider")
            .field("kek_id", &self.wrapper.kek_id)
            .field("provider", &self.wrapper.tag)
            .field("key_version", &self.wrapper.key_version)
            .finish_non_exhaustive()
    }
}
