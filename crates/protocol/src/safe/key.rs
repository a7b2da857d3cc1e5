//! The safe key and the proof that a writer holds it.
//!
//! Specification: `docs/protocol/accounts.md#sealing-the-safes`.

use crate::ids::UserId;
use crate::labels;
use crate::primitives::kdf;
use crate::secret::secret;

secret! {
    /// The key of both safes, 32 bytes.
    pub struct SafeKey(32)
}

secret! {
    /// HKDF(safe_key, "write"), 32 bytes; sent with every write.
    pub struct WriteProof(32)
}

impl SafeKey {
    /// What a writer proves itself with; the server keeps its [`proof_hash`].
    pub fn write_proof(&self) -> WriteProof {
        let mut proof = WriteProof::zeroed();
        kdf::derive(&[self.expose()], &[labels::WRITE_PROOF], proof.expose_mut());
        proof
    }

    /// A name for the chat with somebody that tells nothing without this key, for the address of a page.
    pub fn chat_spot(&self, user_id: &UserId) -> [u8; 8] {
        let mut spot = [0; 8];
        let info = [labels::CHAT_SPOT, user_id.as_bytes().as_slice()];
        kdf::derive(&[self.expose()], &info, &mut spot);
        spot
    }
}

/// SHA3-256 of a write or recovery proof: what the server stores.
pub fn proof_hash(proof: &[u8; 32]) -> [u8; 32] {
    kdf::sha3_256(&[proof])
}
