//! Keys that belong to a subject (a user) and seal rows that may never be rewritten.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::{Zeroize, Zeroizing};

use crate::context::Context;
use crate::entropy::Entropy;
use crate::envelope::EnvelopeError;
use crate::ring::{OpenError, Opened, SealError};
use crate::secret::secret_key;

const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const VERSION: u8 = 0x81;
const SUITE: u8 = 0x01;
const PURPOSE: &str = "secure-messaging/1 subject record";

secret_key!(
    /// A key of one subject, itself kept sealed by a [`crate::Keyring`].
    ///
    /// Rows of the audit log are append-only and hashed as they stand, so that a new KEK cannot
    /// re-wrap anything inside them: they are sealed directly under this key, and this key's own
    /// row is what gets re-wrapped. Destroying it makes the subject's rows unreadable while the
    /// chain of hashes still verifies. The form is `version ‖ suite ‖ nonce (24) ‖ ciphertext`
    /// with XChaCha20-Poly1305, whose long nonce a key with many rows needs; the version byte
    /// differs from every envelope's.
    SubjectKey
);

impl SubjectKey {
    /// Seals a row's value for its place.
    pub fn seal(
        &self,
        context: &Context<'_>,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce)?;
        let mut out = Vec::with_capacity(2 + NONCE_LEN + plaintext.len() + TAG_LEN);
        out.extend_from_slice(&[VERSION, SUITE]);
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plaintext);
        let sealed = XChaCha20Poly1305::new(self.expose().into()).encrypt_inout_detached(
            (&nonce).into(),
            &context.associated_data(PURPOSE, &[VERSION, SUITE]),
            (&mut out[start..]).into(),
        );
        match sealed {
            Ok(tag) => out.extend_from_slice(&tag),
            Err(_) => {
                out.zeroize();
                return Err(SealError::TooLong);
            }
        }
        Ok(out)
    }

    /// Opens a row's value in its place.
    pub fn open(&self, context: &Context<'_>, sealed: &[u8]) -> Result<Opened, OpenError> {
        let (&[version, suite], rest) =
            sealed.split_first_chunk().ok_or(EnvelopeError::Truncated)?;
        if version != VERSION {
            return Err(EnvelopeError::UnknownVersion(version).into());
        }
        if suite != SUITE {
            return Err(EnvelopeError::UnknownSuite(suite).into());
        }
        let (nonce, rest) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(EnvelopeError::Truncated)?;
        let (ciphertext, tag) = rest
            .split_last_chunk::<TAG_LEN>()
            .ok_or(EnvelopeError::Truncated)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        XChaCha20Poly1305::new(self.expose().into())
            .decrypt_inout_detached(
                nonce.into(),
                &context.associated_data(PURPOSE, &[VERSION, SUITE]),
                plaintext.as_mut_slice().into(),
                tag.into(),
            )
            .map_err(|_| OpenError::Refused)?;
        Ok(Opened::new(plaintext))
    }
}
