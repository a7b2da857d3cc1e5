//! Where keys come from: the providers that are configured, and the operator's own key.

use std::path::PathBuf;
use std::sync::Arc;

use ambient::Entropy;
use keyring::{KekSource, KeyOrigin, KeySource, KeySourceError, LocalSource, ProviderTag, Suite};

use crate::config::{OpenError, StoreConfig};

/// How keys of the `local` provider are made.
pub(crate) struct LocalSettings {
    iterations: u32,
    suite: Suite,
    entropy: Arc<dyn Entropy>,
}

impl LocalSettings {
    pub(crate) fn source(&self, key: keyring::KeyMaterial) -> Arc<dyn KekSource> {
        let entropy = Arc::clone(&self.entropy);
        Arc::new(LocalSource::new(key, self.iterations, self.suite, entropy))
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }
}

/// Everything that can make or load a key.
pub(crate) struct Sources {
    /// Makes new keys, unless a `local` key is wanted and there is none.
    pub configured: Option<Arc<dyn KekSource>>,
    /// The others, which only load.
    pub others: Vec<Arc<dyn KekSource>>,
    pub local: LocalSettings,
    pub origin: Option<KeyOrigin>,
    /// Why there is no `local` source.
    missing: Option<OpenError>,
    pub key_file: PathBuf,
}

impl Sources {
    /// Looks for the operator's key; makes a key file only for a new database that needs one.
    pub(crate) fn find(config: &StoreConfig, new: bool) -> Result<Self, OpenError> {
        let local = LocalSettings {
            iterations: config.iterations,
            suite: config.suite,
            entropy: config.ambient.entropy(),
        };
        let wanted = config.provider == ProviderTag::LOCAL;
        let found = config.key.load(new && wanted, &*config.ambient.entropy());
        let sources = config.sources.iter().map(Arc::clone);
        let (mut configured, mut others): (Vec<_>, Vec<_>) =
            sources.partition(|source| source.tag() == config.provider);
        others.extend(configured.drain(1.min(configured.len())..));
        let mut this = Self {
            configured: configured.pop(),
            others,
            local,
            origin: None,
            missing: None,
            key_file: config.key.key_file().to_owned(),
        };
        match found {
            Ok((key, origin)) => {
                let source = this.local.source(key);
                this.origin = Some(origin);
                if wanted {
                    this.configured = Some(source);
                } else {
                    this.others.push(source);
                }
            }
            // An existing database may be without any `local` key.
            Err(KeySourceError::Missing(key_file)) if !(new && wanted) => {
                this.missing = Some(OpenError::NoKey {
                    database: config.path.clone(),
                    key_file,
                });
            }
            Err(error) if wanted => return Err(error.into()),
            Err(error) => this.missing = Some(error.into()),
        }
        Ok(this)
    }

    /// Those of a kind, the configured one first.
    pub(crate) fn of(&self, tag: ProviderTag) -> impl Iterator<Item = &Arc<dyn KekSource>> {
        let all = self.configured.iter().chain(&self.others);
        all.filter(move |source| source.tag() == tag)
    }

    /// What to tell whoever needs a key of this kind, of which there is no source.
    pub(crate) fn none(
        &mut self,
        config: &StoreConfig,
        kek_id: &[u8; 16],
        tag: ProviderTag,
    ) -> OpenError {
        if tag == ProviderTag::LOCAL
            && let Some(missing) = self.missing.take()
        {
            return missing;
        }
        OpenError::NoProvider {
            database: config.path.clone(),
            kek_id: hex::encode(kek_id),
            provider: tag,
            hint: match tag {
                ProviderTag::LOCAL => "set DB_ENCRYPTION_KEY, or put its key file back",
                ProviderTag::PKCS11 => {
                    "set pkcs11_module, pkcs11_token and PKCS11_PIN, also while moving away from it"
                }
                ProviderTag::HASHICORP_VAULT => {
                    "set hashicorp_vault_address, hashicorp_vault_key and VAULT_TOKEN (or a role), also \
                     while moving away from it"
                }
                ProviderTag::AWS_KMS => {
                    "set aws_kms_key_id, its region and credentials, also while moving away from it"
                }
                ProviderTag::AZURE_KEY_VAULT => {
                    "set azure_key_vault_url, azure_key_vault_key and an identity, also while moving \
                     away from it"
                }
                _ => "start a program that has this provider",
            },
        }
    }

    /// The key that waits to take the key file's place, if there is one.
    pub(crate) fn next_key(&self) -> Option<Arc<dyn KekSource>> {
        if !matches!(self.origin, Some(KeyOrigin::File(_))) {
            return None;
        }
        let mut next = self.key_file.clone().into_os_string();
        next.push(".next");
        let (key, _) = KeySource::new(None, next)
            .load(false, self.local.entropy())
            .ok()?;
        Some(self.local.source(key))
    }
}
