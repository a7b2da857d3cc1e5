//! Makes and finds keys of the `pkcs11` provider.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass};

use crate::pkcs11::cache::DekCache;
use crate::pkcs11::error::{Failure, Pkcs11Error, answer, is_lost};
use crate::pkcs11::pin::{Pin, TokenSelector};
use crate::pkcs11::provider::{self, Pkcs11Provider};
use crate::pkcs11::session::Token;
use crate::provider::{KekParameters, KekProvider, KekSource, ProviderError};
use crate::secret::KEY_LEN;
use crate::stanza::{KekId, ProviderTag};
use ambient::Clock;
use ambient::Entropy;

/// How long an unwrapped DEK is kept unless configured otherwise.
pub const DEFAULT_CACHE_LIFE: Duration = Duration::from_secs(300);

/// Most DEKs that are kept at a time: 128 KiB of keys.
const CACHE_LIMIT: usize = 4_096;

/// Module, token and PIN.
#[derive(Debug)]
pub struct Pkcs11Config {
    /// The token's driver, a shared library.
    pub module: PathBuf,
    /// Which of the driver's tokens.
    pub token: TokenSelector,
    /// The PIN of the token's user.
    pub pin: Pin,
    /// How long an unwrapped DEK may be kept; zero for not at all.
    pub cache_life: Duration,
}

/// Makes KEKs in a token and finds them there by their label.
pub struct Pkcs11Source {
    token: Arc<Token>,
    cache: Option<Arc<DekCache>>,
    entropy: Arc<dyn Entropy>,
}

impl Pkcs11Source {
    /// Loads the module. The token itself is looked for when it is needed.
    pub fn new(
        config: Pkcs11Config,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProviderError> {
        let token = Token::new(&config.module, config.token, config.pin, Arc::clone(&clock))?;
        Ok(Self {
            token: Arc::new(token),
            cache: DekCache::new(config.cache_life, CACHE_LIMIT, clock).map(Arc::new),
            entropy,
        })
    }

    fn provider(&self, kek_id: KekId, version: u32, label: &str) -> Arc<dyn KekProvider> {
        Arc::new(Pkcs11Provider::new(
            kek_id,
            version,
            label.to_owned(),
            Arc::clone(&self.token),
            self.cache.clone(),
            Arc::clone(&self.entropy),
        ))
    }
}

impl KekSource for Pkcs11Source {
    fn tag(&self) -> ProviderTag {
        ProviderTag::PKCS11
    }

    fn create(
        &self,
        kek_id: KekId,
    ) -> Result<(Arc<dyn KekProvider>, KekParameters), ProviderError> {
        self.token.check()?;
        let label = format!("secure-messaging-kek-{kek_id}");
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen((KEY_LEN as u64).into()),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(kek_id.as_bytes().to_vec()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
        ];
        self.token.with_writing(|session| {
            session
                .generate_key(&Mechanism::AesKeyGen, &template)
                .map_err(|error| {
                    if is_lost(&error) {
                        return Failure::Module(error);
                    }
                    Failure::from(Pkcs11Error::KeyNotMade {
                        token: self.token.selector.clone(),
                        reason: answer(&error),
                    })
                })?;
            // What it made is looked at as any other key of that name would be.
            provider::find(session, &self.token, &label).map(drop)
        })?;
        let parameters = KekParameters {
            reference: Some(label.clone()),
            ..KekParameters::default()
        };
        Ok((self.provider(kek_id, 1, &label), parameters))
    }

    fn load(
        &self,
        kek_id: KekId,
        version: u32,
        parameters: &KekParameters,
    ) -> Result<Arc<dyn KekProvider>, ProviderError> {
        let label = parameters
            .reference
            .as_deref()
            .ok_or(ProviderError::Incomplete {
                kek_id,
                parameter: "reference",
            })?;
        let provider = self.provider(kek_id, version, label);
        provider.health()?;
        Ok(provider)
    }

    fn health(&self) -> Result<(), ProviderError> {
        self.token.check()
    }
}

impl fmt::Debug for Pkcs11Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Source")
            .field("token", &self.token.selector)
            .finish_non_exhaustive()
    }
}
