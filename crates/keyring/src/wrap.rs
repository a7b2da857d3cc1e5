//! How the `local` provider wraps a DEK: the forms of its wrapped bytes.
//!
//! ```text
//! 0x01 ‖ nonce (24) ‖ encrypted DEK (32) ‖ tag (16)    XChaCha20-Poly1305 under the KEK
//! 0x02 ‖ salt (32)  ‖ encrypted DEK (32) ‖ tag (16)    AES-256-GCM under a key of this wrap alone
//!        nonce (24) ‖ encrypted DEK (32) ‖ tag (16)    the first without its byte, as databases
//!                                                      of the first schema have it; only read
//! ```
//!
//! One KEK wraps a DEK for every version of every record. Random nonces of 96 bits under one key are
//! expected to collide after 2^48 wraps and are allowed for 2^32 (NIST SP 800-38D, 8.3). That is too few,
//! and with GCM one collision reveals the authentication key. So AES-256-GCM never uses a key twice:
//! HKDF-SHA-256 makes the key and its nonce from the KEK, a salt of 256 random bits and
//! the associated data. XChaCha20-Poly1305 does the same by its own construction, with 192 bits.

use aes_gcm::Aes256Gcm;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::provider::ProviderError;
use crate::secret::{Dek, KEY_LEN, Kek};
use crate::stanza::{KekId, ProviderTag, Stanza};
use crate::suite::{self, LONG_NONCE_LEN, LongNonce, NONCE_LEN, Suite, TAG_LEN};
use ambient::Entropy;
use ambient::LockedKey;

const PURPOSE: &str = "secure-messaging/1 wrapped dek";
const SALT_LEN: usize = 32;

/// Wrapped bytes of the first schema, which have no form byte.
const FIRST_LEN: usize = LONG_NONCE_LEN + KEY_LEN + TAG_LEN;
const XCHACHA: u8 = 0x01;
const DERIVED_AES: u8 = 0x02;

/// The key that wraps, as the associated data names it beside the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrapper {
    pub kek_id: KekId,
    pub tag: ProviderTag,
    pub key_version: u32,
}

impl Wrapper {
    /// Binds key, form and place; the first schema had no form.
    pub(crate) fn associated_data(&self, form: Option<u8>, context: &Context<'_>) -> Vec<u8> {
        let mut extra = Vec::with_capacity(22);
        extra.extend_from_slice(self.kek_id.as_bytes());
        extra.push(self.tag.0);
        extra.extend_from_slice(&self.key_version.to_be_bytes());
        extra.extend(form);
        context.associated_data(PURPOSE, &extra)
    }

    /// A stanza of this key.
    pub(crate) fn stanza(&self, wrapped: Vec<u8>) -> Stanza {
        Stanza {
            kek_id: self.kek_id,
            provider: self.tag,
            key_version: self.key_version,
            wrapped,
        }
    }

    /// Whether a stanza says that it is of this key.
    pub(crate) fn made(&self, stanza: &Stanza) -> bool {
        stanza.kek_id == self.kek_id
            && stanza.provider == self.tag
            && stanza.key_version == self.key_version
    }
}

/// Wraps in the form that belongs to the suite.
pub(crate) fn wrap(
    kek: &Kek,
    wrapper: &Wrapper,
    suite: Suite,
    dek: &Dek,
    context: &Context<'_>,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, ProviderError> {
    let (form, random) = match suite {
        Suite::ChaCha20Poly1305 => (XCHACHA, LONG_NONCE_LEN),
        Suite::Aes256Gcm => (DERIVED_AES, SALT_LEN),
    };
    let associated_data = wrapper.associated_data(Some(form), context);
    let mut out = vec![0; 1 + random];
    out[0] = form;
    entropy.fill(&mut out[1..])?;
    let mut key = Zeroizing::new(*dek.expose());
    let tag = match suite {
        Suite::ChaCha20Poly1305 => suite::encrypt::<LongNonce>(
            kek.expose(),
            &out[1..],
            &associated_data,
            key.as_mut_slice(),
        ),
        Suite::Aes256Gcm => derive(kek, &out[1..], &associated_data).and_then(|(own, nonce)| {
            suite::encrypt::<Aes256Gcm>(own.bytes(), &nonce, &associated_data, key.as_mut_slice())
        }),
    };
    // Until here the buffer may hold the DEK itself.
    let tag = tag.ok_or(ProviderError::Refused)?;
    out.extend_from_slice(key.as_slice());
    out.extend_from_slice(&tag);
    Ok(out)
}

/// Unwraps any of the forms.
pub(crate) fn unwrap(
    kek: &Kek,
    wrapper: &Wrapper,
    wrapped: &[u8],
    context: &Context<'_>,
) -> Result<Dek, ProviderError> {
    unwrap_any(kek, wrapper, wrapped, context).ok_or(ProviderError::Refused)
}

fn unwrap_any(kek: &Kek, wrapper: &Wrapper, wrapped: &[u8], context: &Context<'_>) -> Option<Dek> {
    // No form that has its byte is as long as the first was.
    let (form, rest) = if wrapped.len() == FIRST_LEN {
        (None, wrapped)
    } else {
        let (form, rest) = wrapped.split_first()?;
        (Some(*form), rest)
    };
    let associated_data = wrapper.associated_data(form, context);
    let (rest, tag) = rest.split_last_chunk::<TAG_LEN>()?;
    let (random, encrypted) = rest.split_last_chunk::<KEY_LEN>()?;
    let mut key = LockedKey::copy_of(encrypted);
    match form {
        None | Some(XCHACHA) => suite::decrypt::<LongNonce>(
            kek.expose(),
            random,
            &associated_data,
            key.bytes_mut(),
            tag,
        )?,
        Some(DERIVED_AES) if random.len() == SALT_LEN => {
            let (own, nonce) = derive(kek, random, &associated_data)?;
            suite::decrypt::<Aes256Gcm>(
                own.bytes(),
                &nonce,
                &associated_data,
                key.bytes_mut(),
                tag,
            )?;
        }
        Some(_) => return None,
    }
    Some(Dek(key))
}

/// Key and nonce of one wrap.
fn derive(kek: &Kek, salt: &[u8], associated_data: &[u8]) -> Option<(LockedKey, [u8; NONCE_LEN])> {
    let mut out = Zeroizing::new([0; KEY_LEN + NONCE_LEN]);
    Hkdf::<Sha256>::new(Some(salt), kek.expose())
        .expand(associated_data, out.as_mut_slice())
        .ok()?;
    let (key, nonce) = out.split_first_chunk::<KEY_LEN>()?;
    Some((LockedKey::copy_of(key), nonce.try_into().ok()?))
}
