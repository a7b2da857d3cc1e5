//! Rotating and deleting keys of services.

use api::ServiceKeyAlgorithm;
use api::bodies::{self, ServiceKeyRotation};
use serde_json::json;
use store::ServiceKeyError;

use super::desk::known;
use super::making::check_bits;
use super::shown::shown;
use super::{Desk, Present, Refusal};
use crate::app::administration::intent::{Actor, SERVICE_KEY_DELETION, SERVICE_KEY_ROTATION};
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;

impl Desk<'_> {
    /// Makes another version the active one; the one before is retired and kept.
    pub async fn rotate(
        &self,
        admin: &Authorized<permit::ChangeServiceKeys>,
        origin: Option<&Origin>,
        service: &str,
        wanted: ServiceKeyRotation,
    ) -> Result<bodies::ServiceKey, Refusal> {
        let service = known(service)?;
        let active = self.active(&service).await?;
        let expected = active.version;
        if wanted.expected_version.is_some_and(|it| it != expected) {
            return Err(ServiceKeyError::Conflict.into());
        }
        let algorithm = wanted.algorithm.unwrap_or(active.algorithm);
        let as_before = wanted.algorithm.is_none() && algorithm == ServiceKeyAlgorithm::Rs256;
        let bits = wanted.key_size.or(as_before.then_some(active.key_size));
        check_bits(algorithm, bits)?;
        let key = self.pair(algorithm, bits).await?;
        let what = json!({
            "service": service, "version": expected.saturating_add(1), "algorithm": algorithm,
            "kid": key.kid,
        });
        let actor = Actor::of(admin, origin);
        let intent = self.declare(actor, &SERVICE_KEY_ROTATION, what).await?;
        let (store, now) = (self.store.clone(), self.ambient.now());
        let made = intent
            .carry_out(async move |declared| {
                let rotating = store.rotate_service_key(service, expected, key, &declared, now);
                rotating.await
            })
            .await?;
        Ok(shown(made))
    }

    /// Deletes a retired version, or a service with every version; returns how many versions went.
    pub async fn delete(
        &self,
        admin: &Authorized<permit::ChangeServiceKeys>,
        origin: Option<&Origin>,
        _: Present,
        service: &str,
        version: Option<u32>,
    ) -> Result<u64, Refusal> {
        let service = known(service)?;
        if self.found(&service).await?.is_empty() {
            return Err(ServiceKeyError::Unknown.into());
        }
        let what = json!({ "service": service, "version": version });
        let actor = Actor::of(admin, origin);
        let intent = self.declare(actor, &SERVICE_KEY_DELETION, what).await?;
        let (store, now) = (self.store.clone(), self.ambient.now());
        let deleted = intent
            .carry_out(async move |declared| {
                let deleting = store.delete_service_keys(service, version, &declared, now);
                deleting.await
            })
            .await?;
        Ok(deleted)
    }
}
