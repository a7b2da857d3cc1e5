//! Whom AWS takes this server for.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, AwsCredentialProvider};
use object_store::{ClientOptions, RetryConfig};
use zeroize::Zeroize;

use crate::remote::error::{RemoteError, Trouble};
use crate::remote::secret_text::SecretText;
use crate::stanza::ProviderTag;

/// How to sign in to AWS.
#[derive(Debug)]
pub enum AwsLogin {
    /// By an access key.
    Key {
        /// Its id.
        id: String,
        /// Its secret.
        secret: SecretText,
        /// The token of a key that lives for a short time.
        session_token: Option<SecretText>,
    },
    /// By the role of this machine: a web identity, a container's or an instance's, as the `AWS_…` variables of
    /// its platform say.
    Machine,
}

pub(super) enum Credentials {
    Key {
        id: String,
        secret: SecretText,
        session_token: Option<SecretText>,
    },
    Machine(AwsCredentialProvider),
}

impl Credentials {
    pub(super) fn new(login: AwsLogin, region: &str, limit: Duration) -> Result<Self, RemoteError> {
        match login {
            AwsLogin::Key {
                id,
                secret,
                session_token,
            } => {
                let token = session_token.as_ref().map(SecretText::expose);
                let parts = [Some(id.as_str()), Some(secret.expose()), token];
                // The signer takes them for granted.
                let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
                if !parts.into_iter().flatten().all(plain) {
                    return Err(unfit("an AWS access key holds odd letters; correct it"));
                }
                Ok(Self::Key {
                    id,
                    secret,
                    session_token,
                })
            }
            AwsLogin::Machine => machine(region, limit),
        }
    }

    /// What a request is signed with.
    pub(super) async fn get(&self) -> Result<Signer, RemoteError> {
        match self {
            Self::Key {
                id,
                secret,
                session_token,
            } => Ok(Signer::Own(AwsCredential {
                key_id: id.clone(),
                secret_key: secret.expose().to_owned(),
                token: session_token.as_ref().map(|it| it.expose().to_owned()),
            })),
            Self::Machine(provider) => {
                let got = provider.get_credential().await;
                let failed = |error: object_store::Error| {
                    let words = format!("the role of this machine: {error}");
                    RemoteError::new(ProviderTag::AWS_KMS, Trouble::Unreachable, words)
                };
                got.map(Signer::Shared).map_err(failed)
            }
        }
    }
}

/// The keys of one signature; those that are ours are wiped after it.
pub(super) enum Signer {
    Own(AwsCredential),
    Shared(Arc<AwsCredential>),
}

impl Signer {
    pub(super) fn credential(&self) -> &AwsCredential {
        match self {
            Self::Own(credential) => credential,
            Self::Shared(credential) => credential,
        }
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        if let Self::Own(credential) = self {
            credential.secret_key.zeroize();
            if let Some(token) = &mut credential.token {
                token.zeroize();
            }
        }
    }
}

/// The roles that the object store's library knows; the bucket plays no part.
fn machine(region: &str, limit: Duration) -> Result<Credentials, RemoteError> {
    let client = ClientOptions::new()
        .with_connect_timeout(limit)
        .with_timeout(limit);
    let builder = AmazonS3Builder::from_env()
        .with_config(AmazonS3ConfigKey::SkipSignature, "false")
        .with_bucket_name("none")
        .with_region(region)
        .with_client_options(client)
        .with_retry(RetryConfig {
            max_retries: 1,
            retry_timeout: limit,
            ..RetryConfig::default()
        });
    let store = builder
        .build()
        .map_err(|error| unfit(&format!("the role of this machine cannot be used: {error}")))?;
    Ok(Credentials::Machine(Arc::clone(store.credentials())))
}

fn unfit(words: &str) -> RemoteError {
    RemoteError::new(ProviderTag::AWS_KMS, Trouble::Setting, words)
}
