//! Keys that belong to a subject (a user) and seal rows that may never be rewritten.

use zeroize::{Zeroize, Zeroizing};

use crate::context::Context;
use crate::envelope::EnvelopeError;
use crate::opened::{OpenError, Opened, SealError};
use crate::secret::secret_key;
use crate::suite::{self, LONG_NONCE_LEN as NONCE_LEN, LongNonce, TAG_LEN};
use ambient::Entropy;

const VERSION: u8 = 0x81;
const SUITE: u8 = 0x01;
const PURPOSE: &str = "secure-messaging/1 subject record";

secret_key!(
    /// A key of one subject, itself kept sealed by a [`crate::Keyring`].
    ///
    /// Rows of the audit log are append-only and hashed, so that nothing inside them can be re-wrapped. They
    /// are sealed directly under this key, and only the row of this key is re-wrapped. Destroying it makes
    /// the subject's rows unreadable while the
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
        let associated_data = context.associated_data(PURPOSE, &[VERSION, SUITE]);
        let sealed =
            suite::encrypt::<LongNonce>(self.expose(), &nonce, &associated_data, &mut out[start..]);
        match sealed {
            Some(tag) => out.extend_from_slice(&tag),
            None => {
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
        let associated_data = context.associated_data(PURPOSE, &[VERSION, SUITE]);
        suite::decrypt::<LongNonce>(self.expose(), nonce, &associated_data, &mut plaintext, tag)
            .ok_or(OpenError::Refused)?;
        Ok(Opened::new(plaintext))
    }
}
