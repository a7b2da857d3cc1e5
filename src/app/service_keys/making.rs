//! Making a service's first key, and naming the service.

use api::bodies::{self, NewServiceKey, ServiceKeyWanted};
use api::{ServiceId, ServiceKeyAlgorithm};
use protocol::name::alias;
use serde_json::json;
use service_keys::{GenerateError, KeyPair, RSA_BITS};
use store::{ServiceKey, ServiceKeyError};
use zeroize::Zeroizing;

use super::shown::shown;
use super::{Desk, Refusal};
use crate::app::administration::intent::{Actor, SERVICE_KEY};
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;

/// What became of an upsert.
pub struct Upserted {
    /// The active version.
    pub key: bodies::ServiceKey,
    /// Whether it was made now.
    pub made: bool,
}

impl Desk<'_> {
    /// Makes version 1 of a service's key; a conflict if the service has a key.
    pub async fn generate(
        &self,
        admin: &Authorized<permit::ChangeServiceKeys>,
        origin: Option<&Origin>,
        wanted: NewServiceKey,
    ) -> Result<bodies::ServiceKey, Refusal> {
        let service: ServiceId = wanted.service.parse()?;
        let name = alias(wanted.name.as_deref().unwrap_or(service.as_str()))?;
        let (algorithm, bits) = (wanted.algorithm, wanted.key_size);
        check_bits(algorithm, bits)?;
        if !self.found(&service).await?.is_empty() {
            return Err(Refusal::Exists);
        }
        let key = self.pair(algorithm, bits).await?;
        let what = json!({
            "service": service, "version": 1, "algorithm": algorithm, "kid": key.kid,
        });
        let actor = Actor::of(admin, origin);
        let intent = self.declare(actor, &SERVICE_KEY, what).await?;
        let (store, now) = (self.store.clone(), self.ambient.now());
        let made = intent
            .carry_out(async move |declared| {
                let making = store.create_service_key(service, name, key, &declared, now);
                making.await
            })
            .await;
        match made {
            Ok(made) => Ok(shown(made)),
            // Somebody else was faster.
            Err(ServiceKeyError::Conflict) => Err(Refusal::Exists),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a service a key if it has none, and the name that is given. One who asks twice gets the same.
    pub async fn upsert(
        &self,
        admin: &Authorized<permit::ChangeServiceKeys>,
        origin: Option<&Origin>,
        service: &str,
        wanted: ServiceKeyWanted,
    ) -> Result<Upserted, Refusal> {
        let ServiceKeyWanted {
            name,
            algorithm,
            key_size,
        } = wanted;
        let new = NewServiceKey {
            service: service.to_owned(),
            name: name.clone(),
            algorithm,
            key_size,
        };
        let id: ServiceId = service.parse()?;
        let active = match self.active(&id).await {
            Err(Refusal::Change(ServiceKeyError::Unknown)) => {
                match self.generate(admin, origin, new).await {
                    Ok(key) => return Ok(Upserted { key, made: true }),
                    // Somebody else was faster.
                    Err(Refusal::Exists) => self.active(&id).await?,
                    Err(refusal) => return Err(refusal),
                }
            }
            found => found?,
        };
        let other_size = key_size.is_some_and(|bits| bits != active.key_size);
        if active.algorithm != algorithm || other_size {
            return Err(Refusal::OtherAlgorithm);
        }
        let key = match name.as_deref().map(alias).transpose()? {
            Some(name) if name != active.name => self.rename(admin, origin, active, name).await?,
            _ => active,
        };
        let key = shown(key);
        Ok(Upserted { key, made: false })
    }

    async fn rename(
        &self,
        admin: &Authorized<permit::ChangeServiceKeys>,
        origin: Option<&Origin>,
        active: ServiceKey,
        name: String,
    ) -> Result<ServiceKey, Refusal> {
        let service = active.service;
        let what = json!({ "service": service, "version": active.version, "change": "name" });
        let actor = Actor::of(admin, origin);
        let intent = self.declare(actor, &SERVICE_KEY, what).await?;
        let (store, now) = (self.store.clone(), self.ambient.now());
        let renamed = intent
            .carry_out(async move |declared| {
                store.rename_service(service, name, &declared, now).await
            })
            .await?;
        Ok(renamed)
    }

    /// Makes a pair on a thread for blocking work, and takes it apart for the store.
    pub(super) async fn pair(
        &self,
        algorithm: ServiceKeyAlgorithm,
        bits: Option<u32>,
    ) -> Result<store::NewServiceKey, Refusal> {
        let mut rng = self.ambient.rng();
        let making = tokio::task::spawn_blocking(move || {
            let pair = KeyPair::generate(algorithm, bits, &mut rng)?;
            let private = Zeroizing::new(pair.private.expose().to_vec());
            Ok::<_, GenerateError>(store::NewServiceKey {
                algorithm,
                key_size: pair.public.bits(),
                kid: pair.public.kid(),
                public_key: pair.public.as_bytes().to_vec(),
                private_key: private.into(),
            })
        });
        let made = making.await.unwrap_or(Err(GenerateError::Failed));
        Ok(made?)
    }
}

/// Refuses a size before anything is made.
pub(super) fn check_bits(
    algorithm: ServiceKeyAlgorithm,
    bits: Option<u32>,
) -> Result<(), GenerateError> {
    let fits = match algorithm {
        ServiceKeyAlgorithm::Rs256 => bits.is_none_or(|bits| RSA_BITS.contains(&bits)),
        _ => bits.is_none(),
    };
    fits.then_some(()).ok_or(GenerateError::Size)
}
