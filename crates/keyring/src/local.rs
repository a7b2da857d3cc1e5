//! The `local` provider: a KEK derived from a key that the operator gives.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::entropy::Entropy;
use crate::key_source::KeyMaterial;
use crate::provider::{KekProvider, ProviderError};
use crate::secret::{Dek, KEY_LEN, Kek};
use crate::stanza::{KekId, ProviderTag, Stanza};

/// PBKDF2 iterations for a new database.
pub const DEFAULT_ITERATIONS: u32 = 600_000;
/// Fewer PBKDF2 iterations are refused, also in an existing database.
pub const MINIMUM_ITERATIONS: u32 = 100_000;
/// Bytes of a new salt.
pub const SALT_LEN: usize = 32;

const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const WRAPPED_LEN: usize = NONCE_LEN + KEY_LEN + TAG_LEN;
const WRAP_PURPOSE: &str = "secure-messaging/1 wrapped dek";

/// Why a key was not derived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KdfError {
    /// Too cheap to guess.
    #[error(
        "{given} PBKDF2 iterations are too few: use at least {minimum}",
        minimum = MINIMUM_ITERATIONS
    )]
    TooFewIterations {
        /// What was asked for.
        given: u32,
    },
    /// A salt that cannot have come from here.
    #[error("the salt has {given} bytes instead of {expected}", expected = SALT_LEN)]
    BadSalt {
        /// Its length.
        given: usize,
    },
}

/// A KEK in memory, derived once by PBKDF2-HMAC-SHA256.
///
/// DEKs are wrapped with XChaCha20-Poly1305: one KEK wraps very many DEKs, and a random nonce of
/// 192 bits does not repeat where one of 96 bits might.
pub struct LocalProvider {
    kek_id: KekId,
    key_version: u32,
    kek: Kek,
    entropy: Arc<dyn Entropy>,
}

impl LocalProvider {
    /// Derives the KEK; takes a tenth of a second at 600,000 iterations, so do it at start.
    pub fn derive(
        key: &KeyMaterial,
        salt: &[u8],
        iterations: u32,
        kek_id: KekId,
        key_version: u32,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KdfError> {
        if iterations < MINIMUM_ITERATIONS {
            return Err(KdfError::TooFewIterations { given: iterations });
        }
        if salt.len() != SALT_LEN {
            return Err(KdfError::BadSalt { given: salt.len() });
        }
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        pbkdf2::pbkdf2_hmac::<Sha256>(key.expose(), salt, iterations, bytes.as_mut_slice());
        let kek = Kek::from_slice(bytes.as_slice()).ok_or(KdfError::BadSalt { given: 0 })?;
        Ok(Self {
            kek_id,
            key_version,
            kek,
            entropy,
        })
    }

    fn associated_data(&self, context: &Context<'_>) -> Vec<u8> {
        let mut extra = [0; 21];
        extra[..16].copy_from_slice(self.kek_id.as_bytes());
        extra[16] = ProviderTag::LOCAL.0;
        extra[17..].copy_from_slice(&self.key_version.to_be_bytes());
        context.associated_data(WRAP_PURPOSE, &extra)
    }
}

impl KekProvider for LocalProvider {
    fn kek_id(&self) -> KekId {
        self.kek_id
    }

    fn tag(&self) -> ProviderTag {
        ProviderTag::LOCAL
    }

    fn wrap(&self, dek: &Dek, context: &Context<'_>) -> Result<Stanza, ProviderError> {
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce)?;
        let mut wrapped = Vec::with_capacity(WRAPPED_LEN);
        wrapped.extend_from_slice(&nonce);
        wrapped.extend_from_slice(dek.expose());
        let sealed = XChaCha20Poly1305::new(self.kek.expose().into()).encrypt_inout_detached(
            (&nonce).into(),
            &self.associated_data(context),
            (&mut wrapped[NONCE_LEN..]).into(),
        );
        let Ok(tag) = sealed else {
            zeroize::Zeroize::zeroize(&mut wrapped);
            return Err(ProviderError::Refused);
        };
        wrapped.extend_from_slice(&tag);
        Ok(Stanza {
            kek_id: self.kek_id,
            provider: ProviderTag::LOCAL,
            key_version: self.key_version,
            wrapped,
        })
    }

    fn unwrap(&self, stanza: &Stanza, context: &Context<'_>) -> Result<Dek, ProviderError> {
        let ours = stanza.kek_id == self.kek_id
            && stanza.provider == ProviderTag::LOCAL
            && stanza.key_version == self.key_version;
        let parts = stanza
            .wrapped
            .split_first_chunk::<NONCE_LEN>()
            .and_then(|(nonce, rest)| {
                let (key, tag) = rest.split_first_chunk::<KEY_LEN>()?;
                Some((nonce, key, <&[u8; TAG_LEN]>::try_from(tag).ok()?))
            });
        let (true, Some((nonce, key, tag))) = (ours, parts) else {
            return Err(ProviderError::Refused);
        };
        let mut dek = Zeroizing::new(*key);
        XChaCha20Poly1305::new(self.kek.expose().into())
            .decrypt_inout_detached(
                nonce.into(),
                &self.associated_data(context),
                dek.as_mut_slice().into(),
                tag.into(),
            )
            .map_err(|_| ProviderError::Refused)?;
        Dek::from_slice(dek.as_slice()).ok_or(ProviderError::Refused)
    }

    fn health(&self) -> Result<(), ProviderError> {
        Ok(())
    }
}

impl fmt::Debug for LocalProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalProvider")
            .field("kek_id", &self.kek_id)
            .field("key_version", &self.key_version)
            .field("kek", &self.kek)
            .finish_non_exhaustive()
    }
}
