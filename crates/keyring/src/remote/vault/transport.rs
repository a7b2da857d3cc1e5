//! Requests to Vault.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::remote::error::{RemoteError, Trouble};
use crate::remote::http::{Answered, Http, address, below, secret_header, wiped};
use crate::remote::secret_text::SecretText;
use crate::remote::text;
use crate::remote::vault::refusal::refusal;
use crate::remote::vault::{TAG, VaultConfig};

/// Requests to one Vault.
pub(super) struct Transport {
    http: Http,
    base: Url,
    namespace: Option<HeaderValue>,
}

impl Transport {
    /// To the address, in the namespace and with the certificates of a configuration.
    pub(super) fn new(config: &VaultConfig, limit: Duration) -> Result<Self, RemoteError> {
        let base = address(TAG, "hashicorp_vault_address", &config.address)?;
        let direct = base.scheme() == "http";
        let namespace = config.namespace.as_deref().map(HeaderValue::from_str);
        let unfit = |_| {
            let words = "hashicorp_vault_namespace holds odd letters; correct it";
            RemoteError::new(TAG, Trouble::Setting, words)
        };
        Ok(Self {
            http: Http::new(TAG, limit, config.ca.as_deref(), direct)?,
            base,
            namespace: namespace.transpose().map_err(unfit)?,
        })
    }

    /// Sends JSON to a path below `/v1`.
    pub(super) async fn post<'a>(
        &self,
        path: impl Iterator<Item = &'a str>,
        token: Option<&SecretText>,
        body: &impl Serialize,
    ) -> Result<Answered, RemoteError> {
        let body = text::json(body).ok_or_else(|| self.http.odd("no request"))?;
        self.send(Method::POST, path, token, Some(body)).await
    }

    /// Reads a path below `/v1`.
    pub(super) async fn get<'a>(
        &self,
        path: impl Iterator<Item = &'a str>,
        token: &SecretText,
    ) -> Result<Answered, RemoteError> {
        self.send(Method::GET, path, Some(token), None).await
    }

    async fn send<'a>(
        &self,
        method: Method,
        path: impl Iterator<Item = &'a str>,
        token: Option<&SecretText>,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Answered, RemoteError> {
        let url = below(&self.base, ["v1"].into_iter().chain(path));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            HeaderName::from_static("x-vault-request"),
            HeaderValue::from_static("true"),
        );
        if let Some(namespace) = &self.namespace {
            let name = HeaderName::from_static("x-vault-namespace");
            headers.insert(name, namespace.clone());
        }
        if let Some(token) = token {
            let name = HeaderName::from_static("x-vault-token");
            secret_header(TAG, &mut headers, name, token.expose())?;
        }
        self.http.send(method, url, headers, body.map(wiped)).await
    }

    /// An answer that is not Vault's.
    pub(super) fn odd(&self, detail: &str) -> RemoteError {
        self.http.odd(detail)
    }
}

impl Answered {
    /// Turns a refusal into an error.
    pub(super) fn checked(self) -> Result<Self, RemoteError> {
        match self.status {
            200 | 204 => Ok(self),
            status => Err(refusal(status, &self.body)),
        }
    }
}
