//! What administrators read: services, versions, private halves.

use api::ServiceKeyFormat;
use api::bodies::{self, DamagedService, Services, ServicesWanted};
use serde_json::json;
use service_keys::PrivateKey;
use store::ServiceKeyError;
use zeroize::Zeroizing;

use super::desk::{is_active, known};
use super::shown::{described, public_half, shown};
use super::{Desk, Present, Refusal};
use crate::app::administration::intent::{Actor, SERVICE_KEY_READING};
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;

/// The most services on a page, and as many by default.
const PAGE: u32 = 500;

/// A private half in the form that was asked for; wiped when dropped.
pub struct Written {
    /// The form.
    pub format: ServiceKeyFormat,
    /// The key.
    pub text: Zeroizing<String>,
}

impl Desk<'_> {
    /// Lists services with their active versions.
    pub async fn list(
        &self,
        _: &Authorized<permit::ReadServiceKeys>,
        wanted: ServicesWanted,
    ) -> Result<Services, Refusal> {
        let limit = wanted.limit.unwrap_or(PAGE).clamp(1, PAGE);
        let rows = self.store.list_services(wanted.after, limit).await?;
        let full = rows.len() == limit as usize;
        let next = rows.last().filter(|_| full);
        let next = next.and_then(|(service, _)| service.parse().ok());
        let (mut services, mut damaged) = (Vec::new(), Vec::new());
        for (service, row) in rows {
            match row {
                Ok(key) => services.push(shown(key)),
                Err(damage) => damaged.push(DamagedService {
                    service,
                    reason: damage.reason,
                }),
            }
        }
        Ok(Services {
            services,
            damaged,
            next,
        })
    }

    /// Lists versions of a service's key, the newest first; damaged ones, which nobody can use, are left out.
    pub async fn versions(
        &self,
        _: &Authorized<permit::ReadServiceKeys>,
        service: &str,
    ) -> Result<Vec<bodies::ServiceKey>, Refusal> {
        let versions = self.found(&known(service)?).await?.whole()?;
        Ok(versions.into_iter().map(shown).collect())
    }

    /// Gives out the private half of a version. That it is read is written down before and after.
    pub async fn private(
        &self,
        reader: &Authorized<permit::ReadPrivateServiceKeys>,
        origin: Option<&Origin>,
        _: Present,
        service: &str,
        (version, format): (Option<u32>, Option<ServiceKeyFormat>),
    ) -> Result<Written, Refusal> {
        let service = known(service)?;
        let key = self.found(&service).await?.pick(|key| match version {
            Some(version) => key.version == version,
            None => is_active(key),
        })?;
        let format = format.unwrap_or(ServiceKeyFormat::Jwks);
        let (version, kid) = (key.version, &key.kid);
        let what = json!({ "service": service, "version": version, "kid": kid, "format": format });
        let actor = Actor::of(reader, origin);
        let intent = self.declare(actor, &SERVICE_KEY_READING, what).await?;
        let store = self.store.clone();
        let text = intent.perform(async move {
            let found = store.private_service_key(service, version).await?;
            let (key, private) = found.ok_or(ServiceKeyError::Unknown)?;
            let private = PrivateKey::from_bytes(key.algorithm, private.into_inner())?;
            let public = public_half(&key)?;
            if private.public()? != public {
                return Err(Refusal::Halves);
            }
            Ok::<_, Refusal>(match format {
                ServiceKeyFormat::Jwks => private.jwks(&described(&key, &public))?,
                ServiceKeyFormat::Pem => private.pem()?,
            })
        });
        let text = text.await?;
        Ok(Written { format, text })
    }
}
