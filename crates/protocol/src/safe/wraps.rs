//! Wraps of the safe key: passphrase, recovery key, reload.
//!
//! Specification: `docs/protocol/accounts.md#wraps-of-the-safe-key`.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{RecoveryPublic, SafeError, SafeKey};
use crate::codec::{Reader, Writer};
use crate::ids::UserId;
use crate::labels;
use crate::opaque::ExportKey;
use crate::primitives::agreement::{AgreementPublic, AgreementSecret};
use crate::primitives::kem::CIPHERTEXT_LEN;
use crate::primitives::{aead, kdf};
use crate::recovery_key::RecoveryKey;
use crate::secret::secret;
use crate::suite::ObjectType;

secret! {
    /// A key that wraps the safe key, 32 bytes.
    struct WrapKey(32)
}

secret! {
    /// The server's half of a resume wrap, 32 bytes, kept in its memory only.
    pub struct ResumeHalf(32)
}

/// Wraps the safe key under OPAQUE's export key.
///
/// Encoding: header, nonce (24), XChaCha20-Poly1305 of the safe key.
pub fn passphrase_wrap(
    rng: &mut (impl CryptoRng + ?Sized),
    safe_key: &SafeKey,
    export_key: &ExportKey,
    user_id: &UserId,
) -> Vec<u8> {
    let key = derived(export_key.expose(), labels::PASSPHRASE_WRAP);
    wrap(
        rng,
        ObjectType::PassphraseWrap,
        &key,
        safe_key,
        user_id,
        &[],
    )
}

/// Opens what [`passphrase_wrap`] made.
pub fn passphrase_unwrap(
    export_key: &ExportKey,
    user_id: &UserId,
    wrapped: &[u8],
) -> Result<SafeKey, SafeError> {
    let key = derived(export_key.expose(), labels::PASSPHRASE_WRAP);
    let mut reader = Reader::new(wrapped);
    reader.header(ObjectType::PassphraseWrap)?;
    unwrap(ObjectType::PassphraseWrap, &key, user_id, &[], reader)
}

/// Wraps the safe key to the public half of a recovery key, which need not be present.
///
/// Encoding: header, EK (32), CT (1568), nonce (24), XChaCha20-Poly1305 of the safe key.
pub fn recovery_wrap(
    rng: &mut (impl CryptoRng + ?Sized),
    safe_key: &SafeKey,
    public: &RecoveryPublic,
    user_id: &UserId,
) -> Result<Vec<u8>, SafeError> {
    let ephemeral = AgreementSecret::generate(rng);
    let shared = ephemeral
        .agree(&public.0.agreement)
        .map_err(|_| SafeError::BadWrap)?;
    let (ciphertext, ss) = public.0.kem.encapsulate(rng);
    let ek = ephemeral.public();
    let key = hybrid_key(shared.expose(), ss.expose(), &ek, &ciphertext, public);
    let mut prefix = Writer::with_capacity(32 + CIPHERTEXT_LEN);
    prefix.raw(ek.as_bytes()).raw(ciphertext.as_slice());
    let prefix = prefix.into_bytes();
    let kind = ObjectType::RecoveryWrap;
    Ok(wrap(rng, kind, &key, safe_key, user_id, &prefix))
}

/// Opens what [`recovery_wrap`] made.
pub fn recovery_unwrap(
    recovery_key: &RecoveryKey,
    user_id: &UserId,
    wrapped: &[u8],
) -> Result<SafeKey, SafeError> {
    let mut reader = Reader::new(wrapped);
    reader.header(ObjectType::RecoveryWrap)?;
    let prefix = reader.clone().take(32 + CIPHERTEXT_LEN)?;
    let ek = AgreementPublic::from_bytes(reader.array()?)?;
    let ciphertext: &[u8; CIPHERTEXT_LEN] = reader.array()?;
    let pair = recovery_key.pair();
    let shared = pair.agreement.agree(&ek).map_err(|_| SafeError::BadWrap)?;
    let ss = pair.kem.decapsulate(ciphertext);
    let public = RecoveryPublic(pair.public());
    let key = hybrid_key(shared.expose(), ss.expose(), &ek, ciphertext, &public);
    unwrap(ObjectType::RecoveryWrap, &key, user_id, prefix, reader)
}

/// Wraps the safe key under the server's half; the browser wraps the result once more under
/// its non-extractable key before it stores it.
pub fn resume_wrap(
    rng: &mut (impl CryptoRng + ?Sized),
    safe_key: &SafeKey,
    half: &ResumeHalf,
    user_id: &UserId,
) -> Vec<u8> {
    let key = derived(half.expose(), labels::RESUME_WRAP);
    wrap(rng, ObjectType::ResumeWrap, &key, safe_key, user_id, &[])
}

/// Opens what [`resume_wrap`] made.
pub fn resume_unwrap(
    half: &ResumeHalf,
    user_id: &UserId,
    wrapped: &[u8],
) -> Result<SafeKey, SafeError> {
    let key = derived(half.expose(), labels::RESUME_WRAP);
    let mut reader = Reader::new(wrapped);
    reader.header(ObjectType::ResumeWrap)?;
    unwrap(ObjectType::ResumeWrap, &key, user_id, &[], reader)
}

fn wrap(
    rng: &mut (impl CryptoRng + ?Sized),
    kind: ObjectType,
    key: &WrapKey,
    safe_key: &SafeKey,
    user_id: &UserId,
    prefix: &[u8],
) -> Vec<u8> {
    let mut nonce = [0; 24];
    rng.fill_bytes(&mut nonce);
    let mut bytes = Writer::exact(aead::TAG_LEN, &|writer| {
        writer
            .header(kind)
            .raw(prefix)
            .raw(&nonce)
            .raw(safe_key.expose());
    });
    let start = bytes.len() - SafeKey::LEN;
    let ad = associated_data(kind, user_id, prefix);
    aead::seal_x(key.expose(), &nonce, &ad, &mut bytes, start);
    bytes
}

fn unwrap(
    kind: ObjectType,
    key: &WrapKey,
    user_id: &UserId,
    prefix: &[u8],
    mut reader: Reader<'_>,
) -> Result<SafeKey, SafeError> {
    let nonce: &[u8; 24] = reader.array()?;
    let mut sealed = Zeroizing::new(*reader.array::<{ SafeKey::LEN + aead::TAG_LEN }>()?);
    reader.finish()?;
    let ad = associated_data(kind, user_id, prefix);
    let plain = aead::open_x(key.expose(), nonce, &ad, sealed.as_mut_slice())
        .map_err(|_| SafeError::BadWrap)?;
    match plain.first_chunk() {
        Some(bytes) => Ok(SafeKey::from_bytes(bytes)),
        None => Err(SafeError::BadWrap),
    }
}

fn associated_data(kind: ObjectType, user_id: &UserId, prefix: &[u8]) -> Vec<u8> {
    Writer::exact(0, &|writer| {
        writer.header(kind).raw(user_id.as_bytes()).raw(prefix);
    })
}

fn derived(secret: &[u8], label: &'static [u8]) -> WrapKey {
    let mut key = WrapKey::zeroed();
    kdf::derive(&[secret], &[label], key.expose_mut());
    key
}

fn hybrid_key(
    shared: &[u8; 32],
    ss: &[u8; 32],
    ek: &AgreementPublic,
    ciphertext: &[u8; CIPHERTEXT_LEN],
    public: &RecoveryPublic,
) -> WrapKey {
    let transcript = kdf::sha3_512(&[
        ek.as_bytes(),
        ciphertext,
        public.0.agreement.as_bytes(),
        public.0.kem.as_bytes(),
    ]);
    let mut key = WrapKey::zeroed();
    kdf::derive(
        &[shared, ss],
        &[labels::RECOVERY_WRAP, &transcript],
        key.expose_mut(),
    );
    key
}
