//! The KDF chain inside an epoch.
//!
//! Specification: `docs/protocol/messages.md#epochs`.

use zeroize::Zeroizing;

use crate::ids::MessageId;
use crate::labels;
use crate::primitives::aead::{self, BadTag};
use crate::primitives::kdf;
use crate::secret::secret;

secret! {
    /// chain_i, 32 bytes.
    pub(super) struct ChainKey(32)
}

secret! {
    /// A message key and its nonce, 44 bytes, good for one slot.
    pub struct SlotKey(44)
}

impl ChainKey {
    /// (message_key_i, nonce_i) = HKDF(chain_i, "message" ‖ message id).
    pub(super) fn slot_key(&self, message_id: &MessageId) -> SlotKey {
        let mut key = SlotKey::zeroed();
        kdf::derive(
            &[self.expose()],
            &[labels::MESSAGE, message_id.as_bytes()],
            key.expose_mut(),
        );
        key
    }

    /// chain_{i+1} = HKDF(chain_i, "chain"); the old key is overwritten.
    pub(super) fn advance(&mut self) {
        let mut next = Zeroizing::new([0; 32]);
        kdf::derive(&[self.expose()], &[labels::CHAIN], next.as_mut_slice());
        self.expose_mut().copy_from_slice(next.as_slice());
    }

    /// A second copy, to look ahead with.
    pub(super) fn duplicate(&self) -> Self {
        let mut copy = Self::zeroed();
        copy.expose_mut().copy_from_slice(self.expose());
        copy
    }
}

impl SlotKey {
    fn parts(&self) -> (&[u8; 32], &[u8; 12]) {
        let (key, rest) = match self.expose().split_first_chunk::<32>() {
            Some(parts) => parts,
            None => unreachable!("44 bytes hold 32"),
        };
        match rest.first_chunk::<12>() {
            Some(nonce) => (key, nonce),
            None => unreachable!("44 bytes hold 32 and 12"),
        }
    }

    /// Seals `buffer[start..]` in place and appends the tag; consumes the key.
    pub(crate) fn seal(self, ad: &[u8], buffer: &mut Vec<u8>, start: usize) {
        let (key, nonce) = self.parts();
        aead::seal(key, nonce, ad, buffer, start);
    }

    /// Opens in place.
    pub(crate) fn open<'a>(self, ad: &[u8], buffer: &'a mut [u8]) -> Result<&'a mut [u8], BadTag> {
        let (key, nonce) = self.parts();
        aead::open(key, nonce, ad, buffer)
    }
}
