//! Seals and opens values.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::{Zeroize, Zeroizing};

use crate::context::Context;
use crate::envelope::{self, Envelope};
use crate::opened::{OpenError, Opened, RenewError, RewrapError, SealError};
use crate::provider::{KekProvider, ProviderError};
use crate::secret::Dek;
use crate::stanza::{KekId, Stanza};
use crate::suite::{NONCE_LEN, Suite, TAG_LEN};
use ambient::Entropy;

const PURPOSE: &str = "secure-messaging/1 record";

/// Seals under one KEK, opens under all that are loaded.
///
/// Clones share their keys: what one activates, adds or removes takes effect for all at once. A call that
/// is running finishes with the keys that it began with.
#[derive(Clone)]
pub struct Keyring {
    ring: Arc<RwLock<Arc<Ring>>>,
    entropy: Arc<dyn Entropy>,
}

#[derive(Clone)]
struct Ring {
    active: Arc<dyn KekProvider>,
    others: Vec<Arc<dyn KekProvider>>,
    suite: Suite,
}

impl Keyring {
    /// A keyring that seals under `active`, with ChaCha20-Poly1305.
    pub fn new(active: Arc<dyn KekProvider>, entropy: Arc<dyn Entropy>) -> Self {
        let ring = Ring {
            active,
            others: Vec::new(),
            suite: Suite::default(),
        };
        Self {
            ring: Arc::new(RwLock::new(Arc::new(ring))),
            entropy,
        }
    }

    /// Sets the cipher of new values; opening uses the cipher that an envelope names.
    #[must_use]
    pub fn with_suite(self, suite: Suite) -> Self {
        self.change(|ring| ring.suite = suite);
        self
    }

    /// Makes this the KEK that new values are sealed under; the one before only opens.
    ///
    /// A value that was sealed before may be written after this returns. A rotation must therefore look
    /// once more for values under the old KEK before it removes the KEK.
    pub fn activate(&self, provider: Arc<dyn KekProvider>) {
        self.change(|ring| {
            ring.others.retain(|other| !same(other, &provider));
            let before = std::mem::replace(&mut ring.active, provider);
            if !same(&before, &ring.active) {
                ring.others.push(before);
            }
        });
    }

    /// Adds a KEK that only opens; replaces one that is loaded already.
    pub fn add(&self, provider: Arc<dyn KekProvider>) {
        self.change(|ring| {
            if same(&ring.active, &provider) {
                ring.active = provider;
            } else {
                ring.others.retain(|other| !same(other, &provider));
                ring.others.push(provider);
            }
        });
    }

    /// Removes a KEK, after which its values do not open; `false` if it is active or not loaded.
    pub fn remove(&self, kek_id: KekId) -> bool {
        let mut removed = false;
        self.change(|ring| {
            let before = ring.others.len();
            ring.others.retain(|other| other.kek_id() != kek_id);
            removed = ring.others.len() < before;
        });
        removed
    }

    /// Returns the KEK that new values are sealed under.
    pub fn active_kek(&self) -> KekId {
        self.ring().active.kek_id()
    }

    /// Returns the cipher of new values.
    pub fn suite(&self) -> Suite {
        self.ring().suite
    }

    /// Returns all loaded providers, the active one first.
    pub fn providers(&self) -> Vec<Arc<dyn KekProvider>> {
        self.ring().providers().cloned().collect()
    }

    /// Seals a value for a place under a fresh DEK.
    pub fn seal(&self, context: &Context<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let ring = self.ring();
        let dek = Dek::generate(&*self.entropy)?;
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce)?;
        let stanza = ring.active.wrap(&dek, context)?;

        let room = NONCE_LEN + plaintext.len() + TAG_LEN;
        let mut out = envelope::start(ring.suite, &stanza, room).ok_or(SealError::TooLong)?;
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plaintext);
        let associated_data = associated_data(ring.suite, context);
        match ring
            .suite
            .encrypt(&dek, &nonce, &associated_data, &mut out[start..])
        {
            Some(tag) => out.extend_from_slice(&tag),
            None => {
                out.zeroize();
                return Err(SealError::TooLong);
            }
        }
        Ok(out)
    }

    /// Opens a value in the place it was sealed for.
    pub fn open(&self, context: &Context<'_>, sealed: &[u8]) -> Result<Opened, OpenError> {
        self.open_by(context, sealed, |provider, stanza| {
            provider.unwrap(stanza, context)
        })
    }

    /// Opens a value whose DEK may not be kept: its provider unwraps it each time.
    pub fn open_uncached(&self, context: &Context<'_>, sealed: &[u8]) -> Result<Opened, OpenError> {
        self.open_by(context, sealed, |provider, stanza| {
            provider.unwrap_uncached(stanza, context)
        })
    }

    /// Wraps a value's DEK under the active KEK; `None` if it is wrapped so already.
    ///
    /// Nonce, ciphertext and tag stay as they are and are not checked: a value that did not open before
    /// does not open afterwards.
    pub fn rewrap(
        &self,
        context: &Context<'_>,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, RewrapError> {
        let ring = self.ring();
        let envelope = Envelope::decode(sealed).map_err(OpenError::from)?;
        let provider = ring.of(&envelope.stanza)?;
        if same(provider, &ring.active) {
            return Ok(None);
        }
        let dek = provider
            .unwrap_uncached(&envelope.stanza, context)
            .map_err(OpenError::from)?;
        let stanza = ring.active.wrap(&dek, context).map_err(SealError::from)?;
        let mut out = envelope::start(envelope.suite, &stanza, envelope.body.len())
            .ok_or(SealError::TooLong)?;
        out.extend_from_slice(envelope.body);
        Ok(Some(out))
    }

    /// Seals a value anew: a fresh DEK, the active KEK, the present suite.
    pub fn renew(&self, context: &Context<'_>, sealed: &[u8]) -> Result<Vec<u8>, RenewError> {
        let opened = self.open_uncached(context, sealed)?;
        Ok(self.seal(context, opened.expose())?)
    }

    fn open_by(
        &self,
        context: &Context<'_>,
        sealed: &[u8],
        unwrap: impl FnOnce(&dyn KekProvider, &Stanza) -> Result<Dek, ProviderError>,
    ) -> Result<Opened, OpenError> {
        let ring = self.ring();
        let envelope = Envelope::decode(sealed)?;
        let dek = unwrap(&**ring.of(&envelope.stanza)?, &envelope.stanza)?;
        let mut plaintext = Zeroizing::new(envelope.ciphertext.to_vec());
        let associated_data = associated_data(envelope.suite, context);
        envelope
            .suite
            .decrypt(
                &dek,
                envelope.nonce,
                &associated_data,
                &mut plaintext,
                envelope.tag,
            )
            .ok_or(OpenError::Refused)?;
        Ok(Opened::new(plaintext))
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Ring)) {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut ring));
    }
}

impl Ring {
    fn providers(&self) -> impl Iterator<Item = &Arc<dyn KekProvider>> {
        std::iter::once(&self.active).chain(&self.others)
    }

    /// Returns the key that wrapped this.
    fn of(&self, stanza: &Stanza) -> Result<&Arc<dyn KekProvider>, OpenError> {
        self.providers()
            .find(|provider| {
                provider.kek_id() == stanza.kek_id && provider.tag() == stanza.provider
            })
            .ok_or(OpenError::UnknownKek {
                kek_id: stanza.kek_id,
                provider: stanza.provider,
            })
    }
}

fn same(a: &Arc<dyn KekProvider>, b: &Arc<dyn KekProvider>) -> bool {
    a.kek_id() == b.kek_id() && a.tag() == b.tag()
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.ring();
        let others: Vec<_> = ring.others.iter().map(|other| other.kek_id()).collect();
        f.debug_struct("Keyring")
            .field("active", &ring.active.kek_id())
            .field("others", &others)
            .field("suite", &ring.suite)
            .finish_non_exhaustive()
    }
}

/// Version and suite are bound, the stanza is not: see the head of this crate.
fn associated_data(suite: Suite, context: &Context<'_>) -> Vec<u8> {
    context.associated_data(PURPOSE, &[envelope::VERSION, suite as u8])
}
