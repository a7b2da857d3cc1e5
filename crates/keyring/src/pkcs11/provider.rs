//! A KEK in a token.

use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::pkcs11::cache::DekCache;
use crate::pkcs11::error::{Failure, Pkcs11Error, code, is_lost};
use crate::pkcs11::session::Token;
use crate::provider::{KekProvider, ProviderError};
use crate::secret::{Dek, KEY_LEN};
use crate::stanza::{KekId, ProviderTag, Stanza};
use crate::suite::{NONCE_LEN as IV_LEN, TAG_LEN};
use crate::wrap::Wrapper;
use ambient::Entropy;

const FORM: u8 = 0x01;
const TAG_BITS: u64 = 8 * TAG_LEN as u64;

/// A KEK in a token, found by its label.
pub(super) struct Pkcs11Provider {
    wrapper: Wrapper,
    token: Arc<Token>,
    cache: Option<Arc<DekCache>>,
    entropy: Arc<dyn Entropy>,
    label: String,
    /// The key's handle, and the generation of sessions in which it was found.
    handle: Mutex<Option<(u64, ObjectHandle)>>,
}

impl Pkcs11Provider {
    pub(super) fn new(
        kek_id: KekId,
        key_version: u32,
        label: String,
        token: Arc<Token>,
        cache: Option<Arc<DekCache>>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let wrapper = Wrapper {
            kek_id,
            tag: ProviderTag::PKCS11,
            key_version,
        };
        Self {
            wrapper,
            token,
            cache,
            entropy,
            label,
            handle: Mutex::default(),
        }
    }

    fn key(&self, session: &Session, generation: u64) -> Result<ObjectHandle, Failure> {
        let mut known = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((found_in, handle)) = *known
            && found_in == generation
        {
            return Ok(handle);
        }
        let handle = find(session, &self.token, &self.label)?;
        *known = Some((generation, handle));
        Ok(handle)
    }

    fn decrypt(
        &self,
        iv: &[u8; IV_LEN],
        sealed: &[u8],
        associated_data: &[u8],
    ) -> Result<Dek, ProviderError> {
        self.token.with(|session, generation| {
            let key = self.key(session, generation)?;
            match decrypt(session, key, iv, sealed, associated_data) {
                Ok(dek) => Ok(Dek::from_slice(&dek).ok_or(ProviderError::Refused)?),
                Err(error) => Err(not_decrypted(error, || {
                    probe(session, key, &*self.entropy).is_ok()
                })),
            }
        })
    }

    /// Takes a stanza of this key apart.
    fn parts<'a>(&self, stanza: &'a Stanza) -> Option<(&'a [u8; IV_LEN], &'a [u8])> {
        if !self.wrapper.made(stanza) {
            return None;
        }
        let (&form, rest) = stanza.wrapped.split_first()?;
        let (iv, sealed) = rest.split_first_chunk()?;
        (form == FORM && sealed.len() == KEY_LEN + TAG_LEN).then_some((iv, sealed))
    }
}

impl KekProvider for Pkcs11Provider {
    fn kek_id(&self) -> KekId {
        self.wrapper.kek_id
    }

    fn tag(&self) -> ProviderTag {
        self.wrapper.tag
    }

    fn key_version(&self) -> u32 {
        self.wrapper.key_version
    }

    fn wrap(&self, dek: &Dek, context: &Context<'_>) -> Result<Stanza, ProviderError> {
        let associated_data = self.wrapper.associated_data(Some(FORM), context);
        let mut iv = [0; IV_LEN];
        self.entropy.fill(&mut iv)?;
        let sealed = self.token.with(|session, generation| {
            let key = self.key(session, generation)?;
            // Some tokens insist on an IV of their own, and write it over ours.
            Ok(encrypt(
                session,
                key,
                &mut iv,
                dek.expose(),
                &associated_data,
            )?)
        })?;
        if sealed.len() != KEY_LEN + TAG_LEN {
            let odd = format!("C_Encrypt gave {} bytes", sealed.len());
            return Err(ProviderError::Unreachable(odd));
        }
        let mut wrapped = Vec::with_capacity(1 + IV_LEN + sealed.len());
        wrapped.push(FORM);
        wrapped.extend_from_slice(&iv);
        wrapped.extend_from_slice(&sealed);
        Ok(self.wrapper.stanza(wrapped))
    }

    fn unwrap(&self, stanza: &Stanza, context: &Context<'_>) -> Result<Dek, ProviderError> {
        let Some(cache) = &self.cache else {
            return self.unwrap_uncached(stanza, context);
        };
        let (iv, sealed) = self.parts(stanza).ok_or(ProviderError::Refused)?;
        let associated_data = self.wrapper.associated_data(Some(FORM), context);
        // The wrapped DEK has one length, so that the hash's input is cut in one way only.
        let id = Sha256::new()
            .chain_update(&stanza.wrapped)
            .chain_update(&associated_data)
            .finalize()
            .into();
        if let Some(dek) = cache.get(&id) {
            return Ok(dek);
        }
        let dek = self.decrypt(iv, sealed, &associated_data)?;
        cache.put(id, &dek);
        Ok(dek)
    }

    fn unwrap_uncached(
        &self,
        stanza: &Stanza,
        context: &Context<'_>,
    ) -> Result<Dek, ProviderError> {
        let (iv, sealed) = self.parts(stanza).ok_or(ProviderError::Refused)?;
        self.decrypt(
            iv,
            sealed,
            &self.wrapper.associated_data(Some(FORM), context),
        )
    }

    fn health(&self) -> Result<(), ProviderError> {
        self.token.with(|session, generation| {
            let key = self.key(session, generation)?;
            probe(session, key, &*self.entropy)
        })
    }
}

/// Classifies a failed decryption of a DEK: an outage, or a DEK of another key or place.
fn not_decrypted(error: Error, key_works: impl FnOnce() -> bool) -> Failure {
    match code(&error) {
        _ if is_lost(&error) => error.into(),
        Some(RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange) => {
            ProviderError::Refused.into()
        }
        // Many modules answer a tag that does not fit with a general error. Whether it is the
        // wrapped DEK or the token shows when the key is tried otherwise.
        _ if key_works() => ProviderError::Refused.into(),
        _ => error.into(),
    }
}

/// Finds the key of that label and checks its attributes.
pub(super) fn find(session: &Session, token: &Token, label: &str) -> Result<ObjectHandle, Failure> {
    let found = session.find_objects(&[
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Token(true),
        Attribute::Label(label.as_bytes().to_vec()),
    ])?;
    let handle = match found[..] {
        [handle] => handle,
        // Private objects hide from a session whose login was lost: that proves nothing.
        [] if !is_logged_in(session)? => {
            let lost = Error::Pkcs11(RvError::UserNotLoggedIn, Function::FindObjects);
            return Err(lost.into());
        }
        [] => {
            return Err(Pkcs11Error::KeyMissing {
                token: token.selector.clone(),
                label: label.to_owned(),
            }
            .into());
        }
        _ => {
            return Err(Pkcs11Error::KeyAmbiguous {
                token: token.selector.clone(),
                label: label.to_owned(),
            }
            .into());
        }
    };
    let attributes = session.get_attributes(
        handle,
        &[
            AttributeType::KeyType,
            AttributeType::ValueLen,
            AttributeType::Sensitive,
            AttributeType::Extractable,
            AttributeType::Encrypt,
            AttributeType::Decrypt,
        ],
    )?;
    let long = Attribute::ValueLen((KEY_LEN as u64).into());
    let rules = [
        (Attribute::KeyType(KeyType::AES), "is not an AES key"),
        (long, "does not have 256 bits"),
        (Attribute::Sensitive(true), "is not marked sensitive"),
        (
            Attribute::Extractable(false),
            "can be taken out of the token",
        ),
        (Attribute::Encrypt(true), "may not encrypt"),
        (Attribute::Decrypt(true), "may not decrypt"),
    ];
    for (wanted, fault) in rules {
        if !attributes.contains(&wanted) {
            return Err(Pkcs11Error::KeyUnsuitable {
                token: token.selector.clone(),
                label: label.to_owned(),
                fault,
            }
            .into());
        }
    }
    Ok(handle)
}

fn is_logged_in(session: &Session) -> Result<bool, Error> {
    let state = session.get_session_info()?.session_state();
    Ok(matches!(state, SessionState::RoUser | SessionState::RwUser))
}

/// Encrypts and decrypts something, as a test of key and token.
fn probe(session: &Session, key: ObjectHandle, entropy: &dyn Entropy) -> Result<(), Failure> {
    // Not a fixed IV: that would repeat under one key.
    let mut iv = [0; IV_LEN];
    entropy.fill(&mut iv)?;
    let sealed = encrypt(session, key, &mut iv, &[0; KEY_LEN], b"probe")?;
    decrypt(session, key, &iv, &sealed, b"probe")?;
    Ok(())
}

fn encrypt(
    session: &Session,
    key: ObjectHandle,
    iv: &mut [u8; IV_LEN],
    dek: &[u8; KEY_LEN],
    associated_data: &[u8],
) -> Result<Vec<u8>, Error> {
    let parameters = GcmParams::new(iv, associated_data, TAG_BITS.into())?;
    session.encrypt(&Mechanism::AesGcm(parameters), key, dek)
}

fn decrypt(
    session: &Session,
    key: ObjectHandle,
    iv: &[u8; IV_LEN],
    sealed: &[u8],
    associated_data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut iv = *iv;
    let parameters = GcmParams::new(&mut iv, associated_data, TAG_BITS.into())?;
    session
        .decrypt(&Mechanism::AesGcm(parameters), key, sealed)
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dek_is_called_damaged_only_where_the_key_works() {
        use RvError::{
            DeviceError, EncryptedDataInvalid, EncryptedDataLenRange, FunctionFailed, GeneralError,
            SessionHandleInvalid,
        };
        for (code, key_works, refused) in [
            (EncryptedDataInvalid, false, true),
            (EncryptedDataLenRange, false, true),
            (GeneralError, true, true),
            (FunctionFailed, true, true),
            (GeneralError, false, false),
            (FunctionFailed, false, false),
            // A session that was lost says nothing of the DEK, whatever the next one does.
            (SessionHandleInvalid, true, false),
            (DeviceError, true, false),
        ] {
            let error = Error::Pkcs11(code, Function::Decrypt);
            match not_decrypted(error, || key_works) {
                Failure::Ours(ProviderError::Refused) => assert!(refused, "{code:?}"),
                Failure::Module(Error::Pkcs11(same, _)) => {
                    assert!(!refused && same == code, "{code:?}");
                }
                _ => panic!("{code:?} became another error"),
            }
        }
    }
}
