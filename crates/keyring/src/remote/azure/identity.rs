//! Tokens of Microsoft Entra ID.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::remote::azure::refusal::refusal_of_login;
use crate::remote::error::{RemoteError, Trouble};
use crate::remote::http::{Answered, Http, address, below, wiped};
use crate::remote::secret_text::SecretText;
use crate::remote::text;
use crate::stanza::ProviderTag;

const TAG: ProviderTag = ProviderTag::AZURE_KEY_VAULT;

/// Where tokens of the public cloud come from.
pub const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";
/// Where a machine of the cloud asks for a token of its own identity.
pub const MACHINE_IDENTITY: &str = "http://169.254.169.254";

/// How to sign in to Azure.
#[derive(Debug)]
pub enum AzureLogin {
    /// As an application, by its secret.
    Secret {
        /// Where tokens come from, such as [`PUBLIC_AUTHORITY`].
        authority: String,
        /// Id of the tenant.
        tenant: String,
        /// Id of the application.
        client_id: String,
        /// The application's secret.
        secret: SecretText,
    },
    /// By the managed identity of this machine.
    Machine {
        /// Where this machine asks, [`MACHINE_IDENTITY`]; another address only on this machine itself.
        address: String,
        /// Id of the identity, where the machine has several.
        client_id: Option<String>,
    },
}

pub(super) struct Identity {
    http: Http,
    url: Url,
    login: AzureLogin,
    scope: &'static str,
    clock: Arc<dyn Clock>,
    token: Mutex<Option<Token>>,
}

struct Token {
    value: Arc<SecretText>,
    /// When a new one is fetched.
    due: Duration,
}

#[derive(Deserialize)]
struct Issued {
    access_token: Zeroizing<String>,
    expires_in: Seconds,
}

/// A number, which one of the two services writes as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

impl Identity {
    pub(super) fn new(
        login: AzureLogin,
        vault: &Url,
        limit: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RemoteError> {
        let (url, direct) = match &login {
            AzureLogin::Secret {
                authority, tenant, ..
            } => {
                let url = address(TAG, "azure_authority", authority)?;
                let direct = url.scheme() == "http";
                (below(&url, [tenant, "oauth2", "v2.0", "token"]), direct)
            }
            AzureLogin::Machine { address: given, .. } => (machine(given)?, true),
        };
        let hsm = vault.host_str().is_some_and(|host| {
            host.ends_with(".managedhsm.azure.net") || host.contains(".managedhsm.")
        });
        Ok(Self {
            http: Http::new(TAG, limit, None, direct)?,
            url,
            login,
            scope: if hsm {
                "https://managedhsm.azure.net"
            } else {
                "https://vault.azure.net"
            },
            clock,
            token: Mutex::default(),
        })
    }

    /// A token that still lives; fetches one if there is none.
    pub(super) async fn token(&self) -> Result<Arc<SecretText>, RemoteError> {
        let mut kept = self.token.lock().await;
        let now = self.clock.monotonic();
        if let Some(token) = kept.as_ref().filter(|token| now < token.due) {
            return Ok(Arc::clone(&token.value));
        }
        let answer = self.ask().await?;
        if answer.status != 200 {
            return Err(refusal_of_login(answer.status, &answer.body));
        }
        let issued = text::read::<Issued>(&answer.body);
        let issued = issued.ok_or_else(|| self.http.odd("no token"))?;
        let seconds = match issued.expires_in {
            Seconds::Number(seconds) => seconds,
            Seconds::Text(text) => text.parse().unwrap_or_default(),
        };
        let value = Arc::new(SecretText::new(&issued.access_token));
        *kept = Some(Token {
            value: Arc::clone(&value),
            due: now.saturating_add(Duration::from_secs(seconds) / 2),
        });
        Ok(value)
    }

    /// Forgets a token that was refused.
    pub(super) async fn forget(&self) {
        *self.token.lock().await = None;
    }

    async fn ask(&self) -> Result<Answered, RemoteError> {
        let mut headers = HeaderMap::new();
        match &self.login {
            AzureLogin::Secret {
                client_id, secret, ..
            } => {
                let form = "application/x-www-form-urlencoded";
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(form));
                let mut body = Zeroizing::new(String::with_capacity(4_096));
                body.push_str("grant_type=client_credentials&client_id=");
                push(&mut body, client_id);
                body.push_str("&client_secret=");
                push(&mut body, secret.expose());
                body.push_str("&scope=");
                push(&mut body, self.scope);
                body.push_str("%2F.default");
                let body = Zeroizing::new(std::mem::take(&mut *body).into_bytes());
                let body = Some(wiped(body));
                self.http
                    .send(Method::POST, self.url.clone(), headers, body)
                    .await
            }
            AzureLogin::Machine { client_id, .. } => {
                let name = HeaderName::from_static("metadata");
                headers.insert(name, HeaderValue::from_static("true"));
                let mut url = self.url.clone();
                url.query_pairs_mut()
                    .append_pair("api-version", "2018-02-01")
                    .append_pair("resource", self.scope);
                if let Some(id) = client_id {
                    url.query_pairs_mut().append_pair("client_id", id);
                }
                self.http.send(Method::GET, url, headers, None).await
            }
        }
    }
}

/// Where a machine asks for its identity.
fn machine(given: &str) -> Result<Url, RemoteError> {
    let url = if given == MACHINE_IDENTITY {
        Url::parse(given).map_err(|_| RemoteError::new(TAG, Trouble::Setting, "no address"))?
    } else {
        address(TAG, "the address of the machine's identity", given)?
    };
    Ok(below(&url, ["metadata", "identity", "oauth2", "token"]))
}

/// Appends a value of a form; what is no letter or digit is written as `%` and two digits.
fn push(text: &mut String, value: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_place_in_a_form() {
        let mut text = String::new();
        push(&mut text, "aZ9&x=~+ä");
        assert_eq!(text, "aZ9%26x%3D%7E%2B%C3%A4");
    }

    #[test]
    fn a_machine_asks_at_one_address_or_on_itself() {
        assert!(machine(MACHINE_IDENTITY).is_ok());
        assert!(machine("http://127.0.0.1:50342").is_ok());
        assert!(machine("http://169.254.169.253").is_err());
    }
}
