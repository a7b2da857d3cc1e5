//! ChaCha20-Poly1305 ([RFC 8439, 2.8]) and XChaCha20-Poly1305, in place.
//!
//! [RFC 8439, 2.8]: https://www.rfc-editor.org/rfc/rfc8439#section-2.8

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, Tag, XChaCha20Poly1305};

/// Length of an authentication tag in bytes.
pub const TAG_LEN: usize = 16;

/// The tag does not verify: wrong key, or changed bytes or associated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the authentication tag does not verify; discard the bytes")]
pub struct BadTag;

/// Seals `buffer[start..]` in place with ChaCha20-Poly1305 and appends the tag.
pub fn seal(key: &[u8; 32], nonce: &[u8; 12], ad: &[u8], buffer: &mut Vec<u8>, start: usize) {
    let cipher = ChaCha20Poly1305::new(key.into());
    let plain = buffer.get_mut(start..).unwrap_or_default();
    finish(
        cipher.encrypt_inout_detached(nonce.into(), ad, InOutBuf::from(plain)),
        buffer,
    );
}

/// Opens `ciphertext ‖ tag` in place and returns the plaintext part.
pub fn open<'a>(
    key: &[u8; 32],
    nonce: &[u8; 12],
    ad: &[u8],
    buffer: &'a mut [u8],
) -> Result<&'a mut [u8], BadTag> {
    let cipher = ChaCha20Poly1305::new(key.into());
    let (text, tag) = split(buffer)?;
    cipher
        .decrypt_inout_detached(nonce.into(), ad, InOutBuf::from(&mut *text), &tag)
        .map_err(|_| BadTag)?;
    Ok(text)
}

/// Seals `buffer[start..]` in place with XChaCha20-Poly1305 and appends the tag.
pub fn seal_x(key: &[u8; 32], nonce: &[u8; 24], ad: &[u8], buffer: &mut Vec<u8>, start: usize) {
    let cipher = XChaCha20Poly1305::new(key.into());
    let plain = buffer.get_mut(start..).unwrap_or_default();
    finish(
        cipher.encrypt_inout_detached(nonce.into(), ad, InOutBuf::from(plain)),
        buffer,
    );
}

/// Opens XChaCha20-Poly1305 `ciphertext ‖ tag` in place and returns the plaintext part.
pub fn open_x<'a>(
    key: &[u8; 32],
    nonce: &[u8; 24],
    ad: &[u8],
    buffer: &'a mut [u8],
) -> Result<&'a mut [u8], BadTag> {
    let cipher = XChaCha20Poly1305::new(key.into());
    let (text, tag) = split(buffer)?;
    cipher
        .decrypt_inout_detached(nonce.into(), ad, InOutBuf::from(&mut *text), &tag)
        .map_err(|_| BadTag)?;
    Ok(text)
}

fn finish(tag: Result<Tag, chacha20poly1305::Error>, buffer: &mut Vec<u8>) {
    match tag {
        Ok(tag) => buffer.extend_from_slice(&tag),
        // Only more than 256 GiB can fail, and every object is bounded far below.
        Err(_) => unreachable!("objects are bounded below the cipher's limit"),
    }
}

fn split(buffer: &mut [u8]) -> Result<(&mut [u8], Tag), BadTag> {
    let (text, tag) = buffer.split_last_chunk_mut::<TAG_LEN>().ok_or(BadTag)?;
    Ok((text, Tag::from(*tag)))
}
