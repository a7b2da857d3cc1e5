//! `aws_kms`: the operations Encrypt and Decrypt of AWS KMS.
//!
//! Each is a `POST` of JSON, with the KEK's id in the encryption context. The signature (SigV4) and the roles of
//! machines are those of the library that backups reach their bucket with.

mod credentials;
mod refusal;

use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::AwsAuthorizer;
use object_store::client::HttpRequestBody;
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::remote::aws::credentials::Credentials;
use crate::remote::aws::refusal::refusal;
use crate::remote::error::{RemoteError, Trouble};
use crate::remote::http::{Answered, Http, address, wiped};
use crate::remote::service::{Service, WrappedKek, binding};
use crate::remote::text::{self, STANDARD};
use crate::secret::Kek;
use crate::stanza::{KekId, ProviderTag};

pub use credentials::AwsLogin;

const TAG: ProviderTag = ProviderTag::AWS_KMS;

/// The key in AWS KMS, and how to sign in.
#[derive(Debug)]
pub struct AwsConfig {
    /// Id, ARN or alias of the key.
    pub key_id: String,
    /// Region of the key.
    pub region: String,
    /// Address of the service; the region's own by default.
    pub endpoint: Option<String>,
    /// How to sign in.
    pub login: AwsLogin,
}

pub(super) struct Aws {
    http: Http,
    endpoint: Url,
    region: String,
    key_id: String,
    credentials: Credentials,
}

impl Aws {
    pub(super) fn new(config: AwsConfig, limit: Duration) -> Result<Self, RemoteError> {
        let region = config.region;
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
        if region.is_empty() || !region.bytes().all(fits) {
            let words = "aws_kms_region is no region; write one such as eu-central-1";
            return Err(RemoteError::new(TAG, Trouble::Setting, words));
        }
        if config.key_id.is_empty() {
            let words = "aws_kms_key_id is empty; write the key's id, ARN or alias";
            return Err(RemoteError::new(TAG, Trouble::Setting, words));
        }
        let endpoint = config
            .endpoint
            .unwrap_or_else(|| format!("https://kms.{region}.amazonaws.com"));
        let endpoint = address(TAG, "aws_kms_endpoint", &endpoint)?;
        let direct = endpoint.scheme() == "http";
        Ok(Self {
            http: Http::new(TAG, limit, None, direct)?,
            credentials: Credentials::new(config.login, &region, limit)?,
            endpoint,
            region,
            key_id: config.key_id,
        })
    }

    async fn call(&self, target: &str, body: &impl Serialize) -> Result<Answered, RemoteError> {
        let odd = |detail: &str| self.http.odd(detail);
        let body = wiped(text::json(body).ok_or_else(|| odd("no request"))?);
        let mut request = http::Request::post(self.endpoint.as_str())
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("TrentService.{target}"))
            .body(HttpRequestBody::from(body.clone()))
            .map_err(|_| odd("no request"))?;
        let signer = self.credentials.get().await?;
        AwsAuthorizer::new(signer.credential(), "kms", &self.region)
            .try_authorize(&mut request, None)
            .map_err(|error| odd(&format!("no signature: {error}")))?;
        let (head, _) = request.into_parts();
        let url = self.endpoint.clone();
        let answer = self
            .http
            .send(Method::POST, url, head.headers, Some(body))
            .await?;
        match answer.status {
            200 => Ok(answer),
            status => Err(refusal(status, &answer.body)),
        }
    }
}

/// What the key is bound to; AWS writes it into its own log.
#[derive(Serialize)]
struct Place<'a> {
    purpose: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt<'a> {
    key_id: &'a str,
    plaintext: &'a str,
    encryption_context: Place<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt<'a> {
    key_id: &'a str,
    ciphertext_blob: &'a str,
    encryption_context: Place<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: String,
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: Zeroizing<String>,
}

#[async_trait]
impl Service for Aws {
    fn tag(&self) -> ProviderTag {
        TAG
    }

    async fn wrap(&self, kek_id: KekId, kek: &Kek) -> Result<WrappedKek, RemoteError> {
        let (plaintext, purpose) = (text::encode(&STANDARD, kek.expose()), binding(kek_id));
        let body = Encrypt {
            key_id: &self.key_id,
            plaintext: &plaintext,
            encryption_context: Place { purpose: &purpose },
        };
        let answer = self.call("Encrypt", &body).await?;
        let read = text::read::<Encrypted>(&answer.body);
        let odd = || self.http.odd("no ciphertext");
        let read = read.ok_or_else(odd)?;
        let bytes = text::decode(&STANDARD, &read.ciphertext_blob).ok_or_else(odd)?;
        Ok(WrappedKek {
            reference: read.key_id,
            bytes: bytes.to_vec(),
        })
    }

    async fn unwrap(&self, kek_id: KekId, wrapped: &WrappedKek) -> Result<Kek, RemoteError> {
        let (blob, purpose) = (text::encode(&STANDARD, &wrapped.bytes), binding(kek_id));
        let body = Decrypt {
            key_id: &wrapped.reference,
            ciphertext_blob: &blob,
            encryption_context: Place { purpose: &purpose },
        };
        let answer = self.call("Decrypt", &body).await?;
        let read = text::read::<Decrypted>(&answer.body);
        let bytes = read.and_then(|read| text::decode(&STANDARD, &read.plaintext));
        let kek = bytes.and_then(|bytes| Kek::from_slice(&bytes));
        kek.ok_or_else(|| self.http.odd("no key of 32 bytes"))
    }
}
