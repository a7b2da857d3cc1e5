//! Keyed indices: equality look-ups over values that the database must not show.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::{KEY_LEN, secret_key};

/// Bytes of a SHA-256 block; HMAC pads its key to this length with zeros.
const BLOCK_LEN: usize = 64;

secret_key!(
    /// The key of the indices, one HMAC-SHA256 key for all, separated by domain.
    IndexKey
);

impl IndexKey {
    /// The index of a value within a domain such as `users.handle`.
    ///
    /// The length of the domain comes first, so that values of two domains never give the same input.
    pub fn index(&self, domain: &str, value: &[u8]) -> [u8; 32] {
        let mut block = Zeroizing::new([0; BLOCK_LEN]);
        block[..KEY_LEN].copy_from_slice(self.expose());
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(b"secure-messaging/1 index");
        mac.update(&(domain.len() as u64).to_be_bytes());
        mac.update(domain.as_bytes());
        mac.update(value);
        mac.finalize().into_bytes().into()
    }
}
