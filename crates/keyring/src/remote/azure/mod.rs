//! `azure_key_vault`: keys of Azure Key Vault or a Managed HSM.
//!
//! ```text
//! 0x01 ‖ wrapped KEK ‖ its id          wrapKey with RSA-OAEP-256, which takes no associated data
//! 0x02 ‖ IV (12) ‖ tag (16) ‖ KEK (32) encrypt with A256GCM, the KEK's id as associated data
//! ```
//!
//! The first form puts the id beside the KEK, and whoever unwraps compares it. RSA does not say who wrapped
//! something: whoever has the public key can. The second needs a Managed HSM.

mod form;
mod identity;
mod refusal;

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::remote::azure::form::Form;
use crate::remote::azure::identity::Identity;
use crate::remote::azure::refusal::refusal;
use crate::remote::error::{RemoteError, Trouble};
use crate::remote::http::{Answered, Http, address, below, secret_header, wiped};
use crate::remote::service::{Service, WrappedKek};
use crate::remote::text::{self, URL_SAFE_NO_PAD};
use crate::secret::Kek;
use crate::stanza::{KekId, ProviderTag};

pub use form::AzureAlgorithm;
pub use identity::{AzureLogin, MACHINE_IDENTITY, PUBLIC_AUTHORITY};

const TAG: ProviderTag = ProviderTag::AZURE_KEY_VAULT;
const API: &str = "7.4";

/// The vault, its key, and how to sign in.
#[derive(Debug)]
pub struct AzureConfig {
    /// `https://name.vault.azure.net`, or the address of a Managed HSM.
    pub vault_url: String,
    /// The name of the key.
    pub key: String,
    /// How KEKs that are made from now on are wrapped.
    pub algorithm: AzureAlgorithm,
    /// How to sign in.
    pub login: AzureLogin,
}

pub(super) struct Azure {
    http: Http,
    vault: Url,
    key: String,
    algorithm: AzureAlgorithm,
    identity: Identity,
}

/// The vault's part of a request, in base64 for addresses.
#[derive(Serialize)]
pub(super) struct Asked {
    pub(super) alg: &'static str,
    pub(super) value: Zeroizing<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aad: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) iv: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<Zeroizing<String>>,
}

/// The vault's part of an answer.
#[derive(Deserialize)]
pub(super) struct Done {
    kid: String,
    value: Zeroizing<String>,
    iv: Option<String>,
    tag: Option<String>,
}

impl Azure {
    pub(super) fn new(
        config: AzureConfig,
        limit: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RemoteError> {
        let vault = address(TAG, "azure_key_vault_url", &config.vault_url)?;
        if !is_name(&config.key) {
            let words = "azure_key_vault_key is no name of a key: it has letters, digits and -";
            return Err(RemoteError::new(TAG, Trouble::Setting, words));
        }
        let direct = vault.scheme() == "http";
        Ok(Self {
            http: Http::new(TAG, limit, None, direct)?,
            identity: Identity::new(config.login, &vault, limit, clock)?,
            vault,
            key: config.key,
            algorithm: config.algorithm,
        })
    }

    /// Calls an operation of a key, once more with a new token if the vault refuses the first.
    async fn call(
        &self,
        operation: &str,
        key: &[&str],
        asked: &Asked,
    ) -> Result<Answered, RemoteError> {
        let answer = self.try_call(operation, key, asked).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.identity.forget().await;
        self.try_call(operation, key, asked).await
    }

    async fn try_call(
        &self,
        operation: &str,
        key: &[&str],
        asked: &Asked,
    ) -> Result<Answered, RemoteError> {
        let token = self.identity.token().await?;
        let path = ["keys"].into_iter().chain(key.iter().copied());
        let mut url = below(&self.vault, path.chain([operation]));
        url.query_pairs_mut().append_pair("api-version", API);
        let mut bearer = Zeroizing::new(String::with_capacity(token.expose().len() + 7));
        bearer.push_str("Bearer ");
        bearer.push_str(token.expose());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        secret_header(TAG, &mut headers, AUTHORIZATION, &bearer)?;
        let body = text::json(asked).ok_or_else(|| self.http.odd("no request"))?;
        let body = Some(wiped(body));
        self.http.send(Method::POST, url, headers, body).await
    }

    fn odd(&self, detail: &str) -> RemoteError {
        self.http.odd(detail)
    }
}

#[async_trait]
impl Service for Azure {
    fn tag(&self) -> ProviderTag {
        TAG
    }

    async fn wrap(&self, kek_id: KekId, kek: &Kek) -> Result<WrappedKek, RemoteError> {
        let form = Form::of(self.algorithm);
        let asked = form.wrapping(kek_id, kek);
        let key = [self.key.as_str()];
        let answer = self.call(form.wrap_operation(), &key, &asked).await?;
        if answer.status != 200 {
            return Err(refusal(answer.status, &answer.body, Trouble::Unsuitable));
        }
        let read = text::read::<Done>(&answer.body).ok_or_else(|| self.odd("no wrapped key"))?;
        let reference = reference(&read.kid).ok_or_else(|| self.odd("no name of a key"))?;
        let bytes = form.wrapped(&read);
        let bytes = bytes.ok_or_else(|| self.odd("no wrapped key"))?;
        Ok(WrappedKek { reference, bytes })
    }

    async fn unwrap(&self, kek_id: KekId, wrapped: &WrappedKek) -> Result<Kek, RemoteError> {
        // The row is not bound: what stands there must not lead to another address.
        let changed = || RemoteError::new(TAG, Trouble::WrongContext, "the row is no key's");
        let (form, asked) = Form::unwrapping(kek_id, &wrapped.bytes).ok_or_else(changed)?;
        let key: Vec<&str> = wrapped.reference.split('/').collect();
        if key.len() != 2 || !key.iter().all(|part| is_name(part)) {
            return Err(changed());
        }
        let answer = self.call(form.unwrap_operation(), &key, &asked).await?;
        if answer.status != 200 {
            return Err(refusal(answer.status, &answer.body, Trouble::WrongContext));
        }
        let read = text::read::<Done>(&answer.body);
        let bytes = read.and_then(|read| text::decode(&URL_SAFE_NO_PAD, &read.value));
        let bytes = bytes.ok_or_else(|| self.odd("no key"))?;
        form.unwrapped(kek_id, &bytes)
            .ok_or_else(|| RemoteError::new(TAG, Trouble::WrongContext, "it is of another row"))
    }
}

/// Name and version of a key, out of its address.
fn reference(kid: &str) -> Option<String> {
    let url = Url::parse(kid).ok()?;
    let parts: Vec<&str> = url.path_segments()?.collect();
    match parts[..] {
        ["keys", name, version] if is_name(name) && is_name(version) => {
            Some(format!("{name}/{version}"))
        }
        _ => None,
    }
}

fn is_name(text: &str) -> bool {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    !text.is_empty() && text.len() <= 127 && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_by_name_and_version_and_not_by_its_address() {
        let kept = reference("https://name.vault.azure.net/keys/messages/0a1b");
        assert_eq!(kept.as_deref(), Some("messages/0a1b"));
        for bad in [
            "",
            "messages/0a1b",
            "https://name.vault.azure.net/keys/messages",
            "https://name.vault.azure.net/secrets/messages/0a1b",
            "https://name.vault.azure.net/keys/messages/0a1b/more",
            "https://name.vault.azure.net/keys/a%2fb/0a1b",
        ] {
            assert_eq!(reference(bad), None, "{bad}");
        }
    }
}
