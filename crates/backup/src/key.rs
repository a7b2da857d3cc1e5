//! The backup key: 256 bits, given as 64 hexadecimal digits.

use std::fmt;

use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha512;
use zeroize::Zeroizing;

/// Bytes of a backup key.
pub const KEY_LEN: usize = 32;

/// The key that every backup of a server is sealed under; wiped when dropped.
pub struct BackupKey(Zeroizing<[u8; KEY_LEN]>);

/// Why a text is no backup key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It does not have 64 hexadecimal digits.
    #[error(
        "a backup key has 64 hexadecimal digits, this text has another form: make one with \
         `openssl rand -hex 32`, or leave it out and one is made"
    )]
    Malformed,
    /// It repeats one byte.
    #[error(
        "this backup key is the same two digits over and over: make one with `openssl rand -hex 32`"
    )]
    Trivial,
}

impl BackupKey {
    /// Takes random bytes as a key.
    pub fn from_bytes(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self(bytes)
    }

    /// Draws a key.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }

    /// Reads the text form; white space around it does not matter.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).map_err(|_| KeyError::Malformed)?;
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(KeyError::Trivial);
        }
        Ok(Self(bytes))
    }

    /// Writes the text form.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    /// A name of the key that says nothing of its bits: sixteen hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let mut name = [0; 8];
        self.expand(
            &[0; 32],
            &[b"secure-messaging/1 backup key name"],
            &mut name,
        );
        hex::encode(name)
    }

    /// Derives bytes for one purpose under one salt.
    pub(crate) fn expand(&self, salt: &[u8], info: &[&[u8]], out: &mut [u8]) {
        let kdf = Hkdf::<Sha512>::new(Some(salt), self.0.as_slice());
        // HKDF refuses only lengths above 255 hashes.
        let expanded = kdf.expand_multi_info(info, out);
        debug_assert!(expanded.is_ok());
    }
}

impl fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_key_reads_as_it_was_written_and_shows_nothing_of_itself() {
        let text = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let key = BackupKey::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(key.to_text().as_str(), text);
        assert_eq!(format!("{key:?}"), "BackupKey([redacted])");
        assert!(!text.contains(&key.fingerprint()));
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_to_do() {
        let short = BackupKey::parse("0011").unwrap_err();
        assert_eq!(short, KeyError::Malformed);
        assert!(short.to_string().contains("openssl rand -hex 32"));
        for digits in ["77", "a0"] {
            let trivial = BackupKey::parse(&digits.repeat(32)).unwrap_err();
            assert_eq!(trivial, KeyError::Trivial);
            assert!(trivial.to_string().contains("two digits over and over"));
        }
    }
}
