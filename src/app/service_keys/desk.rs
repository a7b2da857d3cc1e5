//! Where keys of services are administered, beside a running server or without one.

use ambient::Ambient;
use api::{ServiceId, ServiceKeyState};
use serde_json::Value;
use store::{Act, Damage, Fault, ServiceKey, ServiceKeyError, Store};

use super::Refusal;
use crate::app::App;
use crate::app::administration::intent::{Actor, Intent};

/// Where keys of services are administered.
pub struct Desk<'a> {
    /// The database.
    pub store: &'a Store,
    /// Clock and randomness.
    pub ambient: &'a Ambient,
}

impl<'a> Desk<'a> {
    /// That of a running server.
    pub fn of(app: &'a App) -> Self {
        Self {
            store: app.store(),
            ambient: app.ambient(),
        }
    }
}

impl Desk<'_> {
    pub(super) async fn declare(
        &self,
        actor: Actor,
        act: &'static Act,
        what: Value,
    ) -> Result<Intent, Fault> {
        Intent::declare(self.store, self.ambient, actor, act, what).await
    }

    /// Every version of a service's key.
    pub(super) async fn found(&self, service: &ServiceId) -> Result<Found, Fault> {
        let (mut versions, mut damaged) = (Vec::new(), None);
        for version in self.store.service_key_versions(service.clone()).await? {
            match version {
                Ok(key) => versions.push(key),
                Err(damage) => damaged = Some(damage),
            }
        }
        Ok(Found { versions, damaged })
    }

    /// The version to use.
    pub(super) async fn active(&self, service: &ServiceId) -> Result<ServiceKey, Refusal> {
        self.found(service).await?.pick(is_active)
    }
}

/// Versions of a service's key, the newest first.
pub(super) struct Found {
    versions: Vec<ServiceKey>,
    /// What is wrong with one that is left out.
    damaged: Option<Damage>,
}

impl Found {
    /// Returns whether the service has no key, not even a damaged one.
    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.damaged.is_none()
    }

    /// Takes the first version that fits; the refusal says whether it may be a damaged one.
    pub(super) fn pick(self, fits: impl Fn(&ServiceKey) -> bool) -> Result<ServiceKey, Refusal> {
        let Self { versions, damaged } = self;
        let picked = versions.into_iter().find(fits);
        picked.ok_or_else(|| missing(damaged))
    }

    /// Takes every version; none is a refusal.
    pub(super) fn whole(self) -> Result<Vec<ServiceKey>, Refusal> {
        let Self { versions, damaged } = self;
        match versions.is_empty() {
            true => Err(missing(damaged)),
            false => Ok(versions),
        }
    }
}

fn missing(damaged: Option<Damage>) -> Refusal {
    damaged.map_or(ServiceKeyError::Unknown.into(), Refusal::Damaged)
}

/// The id of a service that is asked about: what is no id is the id of no service.
pub(super) fn known(service: &str) -> Result<ServiceId, ServiceKeyError> {
    service.parse().map_err(|_| ServiceKeyError::Unknown)
}

/// Returns whether this is the version to use.
pub(super) fn is_active(key: &ServiceKey) -> bool {
    key.state == ServiceKeyState::Active
}
