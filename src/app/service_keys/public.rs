//! The public halves, for everybody.

use api::bodies::PublicKeysWanted;
use api::{ServiceId, ServiceKeyFormat};
use service_keys::public_jwks;
use store::{ServiceKey, ServiceKeyError, Store};

use super::Refusal;
use super::desk::{is_active, known};
use super::shown::{described, public_half};
use crate::app::origin::ClientIp;
use crate::app::{App, Problem};

/// Public keys in the form that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct PublicKeys {
    /// The form.
    pub format: ServiceKeyFormat,
    /// The keys.
    pub text: String,
}

/// Reads public keys of a service; nobody needs to sign in for it.
pub async fn public(
    app: &App,
    from: ClientIp,
    service: &str,
    wanted: &PublicKeysWanted,
) -> Result<PublicKeys, Problem> {
    app.limits().service_key_lookup(from).await?;
    let service = known(service).map_err(Refusal::from)?;
    Ok(read(app.store(), service, wanted).await?)
}

/// Writes one version, or all of them with the active one first.
pub(super) async fn read(
    store: &Store,
    service: ServiceId,
    wanted: &PublicKeysWanted,
) -> Result<PublicKeys, Refusal> {
    let mut keys: Vec<ServiceKey> = Vec::new();
    let mut damaged = None;
    for version in store
        .published_service_keys(service, wanted.version)
        .await?
    {
        match version {
            Ok(key) => keys.push(key),
            Err(damage) => damaged = Some(damage),
        }
    }
    // Others are served although one is damaged; what is left without an active one misleads.
    let complete = wanted.version.is_some() || keys.iter().any(is_active);
    match damaged {
        Some(damage) if keys.is_empty() || !complete => return Err(Refusal::Damaged(damage)),
        _ if keys.is_empty() => return Err(ServiceKeyError::Unknown.into()),
        _ => {}
    }
    keys.sort_by_key(|key| (!is_active(key), u32::MAX - key.version));
    let halves = keys.iter().map(public_half);
    let halves: Vec<_> = halves.collect::<Result<_, _>>()?;
    let format = wanted.format.unwrap_or(ServiceKeyFormat::Jwks);
    let text = match format {
        ServiceKeyFormat::Jwks => {
            let each = keys.iter().zip(&halves);
            let each: Vec<_> = each.map(|(key, half)| described(key, half)).collect();
            public_jwks(&each)
        }
        ServiceKeyFormat::Pem => {
            let blocks = halves.iter().map(|half| half.pem());
            blocks.collect::<Result<String, _>>()?
        }
    };
    Ok(PublicKeys { format, text })
}
