//! Sealing both safes: XChaCha20-Poly1305, padded in steps of 16 KiB.
//!
//! Sealed encoding: header, nonce (24), ciphertext of `u32` length, contents and zeros.
//! Associated data: header, account, version.
//!
//! Specification: `docs/protocol/accounts.md#sealing-the-safes`.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{PrekeySafe, SafeContents, SafeError, SafeKey};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::UserId;
use crate::labels;
use crate::primitives::{aead, kdf};
use crate::secret::secret;
use crate::suite::ObjectType;

/// Plaintexts are padded to a multiple of this: 16 KiB.
pub const PAD_STEP: usize = 16 << 10;
const SEALED_AT: usize = 3 + 24;
const PREFIX: usize = 4;

secret! {
    /// Key of one of the two safes, 32 bytes.
    struct ObjectKey(32)
}

/// Seals the key safe as `version`.
pub fn seal_safe(
    rng: &mut (impl CryptoRng + ?Sized),
    key: &SafeKey,
    user_id: &UserId,
    version: u64,
    contents: &SafeContents,
) -> Vec<u8> {
    let contents = plaintext(|writer| contents.write(writer));
    seal(rng, ObjectType::KeySafe, key, user_id, version, &contents)
}

/// Opens the key safe that the server calls `version`.
pub fn open_safe(
    key: &SafeKey,
    user_id: &UserId,
    version: u64,
    sealed: &[u8],
) -> Result<SafeContents, SafeError> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let contents = open(ObjectType::KeySafe, key, user_id, version, &mut buffer)?;
    Ok(SafeContents::decode(contents)?)
}

/// Seals the prekey safe as `version`.
pub fn seal_prekey_safe(
    rng: &mut (impl CryptoRng + ?Sized),
    key: &SafeKey,
    user_id: &UserId,
    version: u64,
    contents: &PrekeySafe,
) -> Vec<u8> {
    let contents = plaintext(|writer| contents.write(writer));
    seal(
        rng,
        ObjectType::PrekeySafe,
        key,
        user_id,
        version,
        &contents,
    )
}

/// Opens the prekey safe that the server calls `version`.
pub fn open_prekey_safe(
    key: &SafeKey,
    user_id: &UserId,
    version: u64,
    sealed: &[u8],
) -> Result<PrekeySafe, SafeError> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let contents = open(ObjectType::PrekeySafe, key, user_id, version, &mut buffer)?;
    Ok(PrekeySafe::decode(contents)?)
}

fn plaintext(write: impl Fn(&mut Writer)) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Writer::exact(0, &write))
}

fn seal(
    rng: &mut (impl CryptoRng + ?Sized),
    kind: ObjectType,
    key: &SafeKey,
    user_id: &UserId,
    version: u64,
    contents: &[u8],
) -> Vec<u8> {
    let padding = padded_len(contents.len()) - PREFIX - contents.len();
    let mut nonce = [0; 24];
    rng.fill_bytes(&mut nonce);
    let mut bytes = Writer::exact(aead::TAG_LEN, &|writer| {
        writer
            .header(kind)
            .raw(&nonce)
            .bytes32(contents)
            .zeros(padding);
    });
    let ad = associated_data(kind, user_id, version);
    let key = object_key(kind, key);
    aead::seal_x(key.expose(), &nonce, &ad, &mut bytes, SEALED_AT);
    bytes
}

fn open<'a>(
    kind: ObjectType,
    key: &SafeKey,
    user_id: &UserId,
    version: u64,
    sealed: &'a mut [u8],
) -> Result<&'a [u8], SafeError> {
    let mut reader = Reader::new(sealed);
    reader.header(kind)?;
    let nonce: [u8; 24] = *reader.array()?;
    let ad = associated_data(kind, user_id, version);
    let key = object_key(kind, key);
    let text = sealed.get_mut(SEALED_AT..).unwrap_or_default();
    let padded = aead::open_x(key.expose(), &nonce, &ad, text).map_err(|_| SafeError::BadSeal)?;
    let mut reader = Reader::new(padded);
    let contents = reader.bytes32(usize::MAX)?;
    let canonical = padded_len(contents.len()) == padded.len();
    if !canonical || reader.rest().iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(DecodeError::NotCanonical.into());
    }
    Ok(contents)
}

fn padded_len(contents: usize) -> usize {
    (PREFIX + contents).next_multiple_of(PAD_STEP)
}

fn associated_data(kind: ObjectType, user_id: &UserId, version: u64) -> Vec<u8> {
    Writer::exact(0, &|writer| {
        writer.header(kind).raw(user_id.as_bytes()).u64(version);
    })
}

fn object_key(kind: ObjectType, key: &SafeKey) -> ObjectKey {
    let label = match kind {
        ObjectType::PrekeySafe => labels::PREKEY_SAFE,
        _ => labels::KEY_SAFE,
    };
    let mut object = ObjectKey::zeroed();
    kdf::derive(&[key.expose()], &[label], object.expose_mut());
    object
}
