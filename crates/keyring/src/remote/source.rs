//! Makes and loads keys that a service wraps.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ambient::{Clock, Entropy, LockedKey};

use crate::provider::{KekParameters, KekProvider, KekSource, ProviderError};
use crate::remote::aws::{Aws, AwsConfig};
use crate::remote::azure::{Azure, AzureConfig};
use crate::remote::error::{RemoteError, Trouble};
use crate::remote::held::Held;
use crate::remote::keeper::{Keeper, within};
use crate::remote::provider::RemoteProvider;
use crate::remote::service::{Service, WrappedKek, fingerprint};
use crate::remote::vault::{Vault, VaultConfig};
use crate::remote::worker::Worker;
use crate::secret::Kek;
use crate::stanza::{KekId, ProviderTag};
use crate::suite::Suite;
use crate::wrap::Wrapper;

/// What all services have in common.
#[derive(Debug, Clone, Copy)]
pub struct RemoteSettings {
    /// How long a KEK stays in memory after the service was asked for it.
    pub cache_life: Duration,
    /// How long the service may take for an answer, signing in included.
    pub time_limit: Duration,
    /// The cipher that wraps DEKs.
    pub suite: Suite,
}

/// Makes KEKs and has a service wrap them; loads them by having it unwrap them.
pub struct RemoteSource {
    shared: Arc<Shared>,
}

/// What a source and its keys share.
pub(super) struct Shared {
    service: Arc<dyn Service>,
    worker: Worker,
    settings: RemoteSettings,
    pub(super) suite: Suite,
    pub(super) entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
}

impl RemoteSource {
    /// Keys that the Transit engine of HashiCorp Vault or OpenBao wraps. It is asked when a key is needed.
    pub fn hashicorp_vault(
        config: VaultConfig,
        settings: RemoteSettings,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProviderError> {
        let service = Vault::new(config, settings.time_limit, Arc::clone(&clock))?;
        Self::over(Arc::new(service), settings, entropy, clock)
    }

    /// Keys that AWS KMS wraps. It is asked when a key is needed.
    pub fn aws_kms(
        config: AwsConfig,
        settings: RemoteSettings,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProviderError> {
        let service = Aws::new(config, settings.time_limit)?;
        Self::over(Arc::new(service), settings, entropy, clock)
    }

    /// Keys that Azure Key Vault or a Managed HSM wraps. It is asked when a key is needed.
    pub fn azure_key_vault(
        config: AzureConfig,
        settings: RemoteSettings,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProviderError> {
        let service = Azure::new(config, settings.time_limit, Arc::clone(&clock))?;
        Self::over(Arc::new(service), settings, entropy, clock)
    }

    fn over(
        service: Arc<dyn Service>,
        settings: RemoteSettings,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProviderError> {
        let tag = service.tag();
        let not_started = |error: std::io::Error| {
            let words = format!("no thread for {tag} could be started ({error}): allow more");
            RemoteError::new(tag, Trouble::Setting, words)
        };
        let worker = Worker::start().map_err(not_started)?;
        let looked_after = Arc::clone(&service);
        worker.spawn(async move {
            while let Some(wait) = looked_after.look_after().await {
                tokio::time::sleep(wait).await;
            }
        });
        let shared = Shared {
            service,
            worker,
            settings,
            suite: settings.suite,
            entropy,
            clock,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Has the service wrap a KEK.
    fn wrap(&self, kek_id: KekId, kek: &Kek) -> Result<WrappedKek, RemoteError> {
        let (service, limit) = (Arc::clone(&self.shared.service), self.limit());
        let kek = Kek(LockedKey::copy_of(kek.expose()));
        let wrapped = self.shared.worker.wait(async move {
            let answer = service.wrap(kek_id, &kek);
            within(&*service, limit, answer).await
        });
        wrapped.unwrap_or_else(|| Err(self.broke_off()))
    }

    /// Has the service unwrap a KEK, and keeps it fresh from then on.
    fn hold(
        &self,
        kek_id: KekId,
        version: u32,
        wrapped: WrappedKek,
    ) -> Result<(Arc<dyn KekProvider>, [u8; 32]), RemoteError> {
        let Shared {
            service,
            worker,
            settings,
            clock,
            ..
        } = &*self.shared;
        let keeper = Keeper {
            service: Arc::clone(service),
            kek_id,
            wrapped,
            limit: self.limit(),
            clock: Arc::clone(clock),
        };
        let asked = clock.monotonic();
        let opened = worker.wait(async move {
            let kek = keeper.ask().await;
            kek.map(|kek| (kek, keeper))
        });
        let (kek, keeper) = opened.unwrap_or_else(|| Err(self.broke_off()))?;
        let known_by = fingerprint(&kek);
        let (tag, life) = (service.tag(), settings.cache_life);
        let held = Arc::new(Held::new(tag, kek, asked, life, Arc::clone(clock)));
        let keeping = worker.spawn(keeper.keep(Arc::downgrade(&held), life));
        let wrapper = Wrapper {
            kek_id,
            tag,
            key_version: version,
        };
        let provider = RemoteProvider::new(wrapper, held, Arc::clone(&self.shared), keeping);
        Ok((Arc::new(provider), known_by))
    }

    fn limit(&self) -> Duration {
        self.shared.settings.time_limit
    }

    fn broke_off(&self) -> RemoteError {
        let tag = self.shared.service.tag();
        RemoteError::new(tag, Trouble::Unreachable, "the call broke off")
    }
}

impl KekSource for RemoteSource {
    fn tag(&self) -> ProviderTag {
        self.shared.service.tag()
    }

    fn create(
        &self,
        kek_id: KekId,
    ) -> Result<(Arc<dyn KekProvider>, KekParameters), ProviderError> {
        let kek = Kek::generate(&*self.shared.entropy)?;
        let wrapped = self.wrap(kek_id, &kek)?;
        let parameters = KekParameters {
            reference: Some(wrapped.reference.clone()),
            wrapped: Some(wrapped.bytes.clone()),
            ..KekParameters::default()
        };
        // A service that wraps and does not unwrap shows here, before anything is sealed.
        let (provider, known_by) = self.hold(kek_id, 1, wrapped)?;
        if known_by != fingerprint(&kek) {
            return Err(RemoteError::new(self.tag(), Trouble::OtherKey, "").into());
        }
        Ok((provider, parameters))
    }

    fn load(
        &self,
        kek_id: KekId,
        version: u32,
        parameters: &KekParameters,
    ) -> Result<Arc<dyn KekProvider>, ProviderError> {
        let missing = |parameter| ProviderError::Incomplete { kek_id, parameter };
        let reference = parameters.reference.clone().ok_or(missing("reference"))?;
        let bytes = parameters.wrapped.clone().ok_or(missing("wrapped key"))?;
        let wrapped = WrappedKek { reference, bytes };
        Ok(self.hold(kek_id, version, wrapped)?.0)
    }

    /// Has the service wrap something and unwrap it again.
    fn health(&self) -> Result<(), ProviderError> {
        let mut kek_id = [0; 16];
        self.shared.entropy.fill(&mut kek_id)?;
        self.create(KekId::from_bytes(kek_id)).map(drop)
    }
}

impl fmt::Debug for RemoteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSource")
            .field("provider", &self.shared.service.tag())
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}
