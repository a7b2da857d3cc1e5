//! Key material as the operator gave it.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::secret::KEY_LEN;
use ambient::LockedKey;

/// Bytes of a SHA-256 block: HMAC hashes a longer key first.
const BLOCK_LEN: usize = 64;

/// Key material as the operator gave it, in locked memory; wiped when dropped.
///
/// It is kept in the form that HMAC-SHA-256 uses: unchanged up to 64 bytes, hashed if longer. PBKDF2 gives
/// the same key from either form.
pub struct KeyMaterial {
    halves: [LockedKey; BLOCK_LEN / KEY_LEN],
    len: usize,
}

impl KeyMaterial {
    /// Takes the key's bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self::from_zeroizing(&Zeroizing::new(bytes))
    }

    pub(crate) fn from_zeroizing(bytes: &Zeroizing<Vec<u8>>) -> Self {
        if bytes.len() > BLOCK_LEN {
            let hash: Zeroizing<[u8; KEY_LEN]> = Zeroizing::new(Sha256::digest(bytes).into());
            Self::from_block(hash.as_slice())
        } else {
            Self::from_block(bytes)
        }
    }

    fn from_block(bytes: &[u8]) -> Self {
        let mut halves = [LockedKey::zeroed(), LockedKey::zeroed()];
        for (half, part) in halves.iter_mut().zip(bytes.chunks(KEY_LEN)) {
            half.bytes_mut()[..part.len()].copy_from_slice(part);
        }
        Self {
            halves,
            len: bytes.len(),
        }
    }

    /// Copies the material for a second owner.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::from_block(&self.expose())
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn expose(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(BLOCK_LEN));
        for half in &self.halves {
            bytes.extend_from_slice(half.bytes());
        }
        bytes.truncate(self.len);
        bytes
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMaterial([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pbkdf2_gives_the_same_from_what_is_kept_as_from_what_was_given() {
        let derive = |key: &[u8]| {
            let mut out = [0; 32];
            pbkdf2::pbkdf2_hmac::<Sha256>(key, b"a salt", 2, &mut out);
            out
        };
        let mut seen = Vec::new();
        for len in [0, 1, 31, 32, 33, 63, 64, 65, 66, 200] {
            let given: Vec<u8> = (1..=len).map(|byte| byte as u8).collect();
            let kept = KeyMaterial::new(given.clone());
            assert_eq!(kept.is_empty(), len == 0);
            let key = derive(&given);
            assert_eq!(derive(&kept.expose()), key, "{len}");
            assert_eq!(derive(&kept.duplicate().expose()), key, "{len}");
            assert!(!seen.contains(&key), "the control: {len} gives another key");
            seen.push(key);
        }
    }
}
