//! Ciphers of the data, by their byte in the envelope.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};

use crate::secret::Dek;

/// Bytes of the nonce under a DEK.
pub(crate) const NONCE_LEN: usize = 12;
/// Bytes of the tag.
pub(crate) const TAG_LEN: usize = 16;

/// A cipher for data. 0x02 is kept free for AES-256-GCM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Suite {
    /// RFC 8439.
    ChaCha20Poly1305 = 0x01,
}

impl Suite {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::ChaCha20Poly1305),
            _ => None,
        }
    }

    /// Encrypts `buffer` in place and gives the tag; `None` when it is too long for the cipher.
    pub(crate) fn encrypt(
        self,
        dek: &Dek,
        nonce: &[u8; NONCE_LEN],
        associated_data: &[u8],
        buffer: &mut [u8],
    ) -> Option<[u8; TAG_LEN]> {
        match self {
            Self::ChaCha20Poly1305 => ChaCha20Poly1305::new(dek.expose().into())
                .encrypt_inout_detached(nonce.into(), associated_data, buffer.into())
                .ok()
                .map(Into::into),
        }
    }

    /// Decrypts `buffer` in place; `None` and an unusable buffer when the tag does not fit.
    pub(crate) fn decrypt(
        self,
        dek: &Dek,
        nonce: &[u8; NONCE_LEN],
        associated_data: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        match self {
            Self::ChaCha20Poly1305 => ChaCha20Poly1305::new(dek.expose().into())
                .decrypt_inout_detached(nonce.into(), associated_data, buffer.into(), tag.into())
                .ok(),
        }
    }
}
