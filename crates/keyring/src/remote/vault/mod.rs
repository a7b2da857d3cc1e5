//! `hashicorp_vault`: the Transit engine of HashiCorp Vault or OpenBao.
//!
//! `POST /v1/MOUNT/encrypt/KEY` and `…/decrypt/KEY`, with the KEK's id as `associated_data` and, for keys that
//! are `derived`, as `context`. `rewrap` is not used: it takes no associated data.

mod refusal;
mod session;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::remote::error::{RemoteError, Trouble};
use crate::remote::http::Answered;
use crate::remote::secret_text::SecretText;
use crate::remote::service::{Service, WrappedKek, binding};
use crate::remote::text::{self, STANDARD};
use crate::remote::vault::session::Sessions;
use crate::remote::vault::transport::Transport;
use crate::secret::Kek;
use crate::stanza::{KekId, ProviderTag};

const TAG: ProviderTag = ProviderTag::HASHICORP_VAULT;

/// Where Vault is, its key, and how to sign in.
#[derive(Debug)]
pub struct VaultConfig {
    /// `https://host:8200`; `http://` on this machine alone.
    pub address: String,
    /// The namespace, if there is one.
    pub namespace: Option<String>,
    /// Where the Transit engine is mounted; `transit` as a rule.
    pub mount: String,
    /// The name of the key.
    pub key: String,
    /// Certificates in PEM that are trusted beside the machine's.
    pub ca: Option<Vec<u8>>,
    /// How to sign in.
    pub login: VaultLogin,
}

/// How to sign in to Vault.
#[derive(Debug)]
pub enum VaultLogin {
    /// By a token, which is renewed if it can be.
    Token(SecretText),
    /// By AppRole, again and again.
    AppRole {
        /// Where the method is mounted; `approle` as a rule.
        mount: String,
        /// The id of the role.
        role_id: String,
        /// Its secret.
        secret_id: SecretText,
    },
}

pub(super) struct Vault {
    transport: Transport,
    mount: String,
    key: String,
    sessions: Sessions,
}

impl Vault {
    pub(super) fn new(
        config: VaultConfig,
        limit: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RemoteError> {
        let unfit = |words: &str| RemoteError::new(TAG, Trouble::Setting, words);
        let transport = Transport::new(&config, limit)?;
        if !is_name(&config.key) {
            return Err(unfit(
                "hashicorp_vault_key is no name of a key: it has letters, digits, - and _",
            ));
        }
        if !is_mount(&config.mount) {
            return Err(unfit("hashicorp_vault_mount is no path; write transit"));
        }
        if let VaultLogin::AppRole { mount, .. } = &config.login
            && !is_mount(mount)
        {
            return Err(unfit(
                "hashicorp_vault_role_mount is no path; write approle",
            ));
        }
        Ok(Self {
            transport,
            mount: config.mount,
            key: config.key,
            sessions: Sessions::new(config.login, clock),
        })
    }

    /// Calls the engine, once more with a new login if the session is refused.
    async fn call(
        &self,
        operation: &str,
        key: &str,
        body: &impl Serialize,
    ) -> Result<Answered, RemoteError> {
        let path = || self.mount.split('/').chain([operation, key]);
        let token = self.sessions.token(&self.transport).await?;
        let answer = self.transport.post(path(), Some(&token), body).await?;
        if answer.status != 403 || !self.sessions.forget(&token).await {
            return answer.checked();
        }
        let token = self.sessions.token(&self.transport).await?;
        let answer = self.transport.post(path(), Some(&token), body).await?;
        answer.checked()
    }
}

#[derive(Serialize)]
struct Encrypt<'a> {
    plaintext: &'a str,
    associated_data: &'a str,
    context: &'a str,
}

#[derive(Serialize)]
struct Decrypt<'a> {
    ciphertext: &'a str,
    associated_data: &'a str,
    context: &'a str,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: Zeroizing<String>,
}

#[async_trait]
impl Service for Vault {
    fn tag(&self) -> ProviderTag {
        TAG
    }

    async fn wrap(&self, kek_id: KekId, kek: &Kek) -> Result<WrappedKek, RemoteError> {
        let binding = text::encode(&STANDARD, binding(kek_id).as_bytes());
        let plaintext = text::encode(&STANDARD, kek.expose());
        let body = Encrypt {
            plaintext: &plaintext,
            associated_data: &binding,
            context: &binding,
        };
        let answer = self.call("encrypt", &self.key, &body).await?;
        let read = text::read::<Data<Encrypted>>(&answer.body);
        let read = read.ok_or_else(|| self.transport.odd("no ciphertext"))?;
        Ok(WrappedKek {
            reference: self.key.clone(),
            bytes: read.data.ciphertext.into_bytes(),
        })
    }

    async fn unwrap(&self, kek_id: KekId, wrapped: &WrappedKek) -> Result<Kek, RemoteError> {
        // The row is not bound: what stands there must not lead to another address.
        let changed = || RemoteError::new(TAG, Trouble::WrongContext, "the row is no key's");
        let ciphertext = std::str::from_utf8(&wrapped.bytes).map_err(|_| changed())?;
        if !is_name(&wrapped.reference) {
            return Err(changed());
        }
        let binding = text::encode(&STANDARD, binding(kek_id).as_bytes());
        let body = Decrypt {
            ciphertext,
            associated_data: &binding,
            context: &binding,
        };
        let answer = self.call("decrypt", &wrapped.reference, &body).await?;
        let read = text::read::<Data<Decrypted>>(&answer.body);
        let bytes = read.and_then(|read| text::decode(&STANDARD, &read.data.plaintext));
        let kek = bytes.and_then(|bytes| Kek::from_slice(&bytes));
        kek.ok_or_else(|| self.transport.odd("no key of 32 bytes"))
    }

    async fn look_after(&self) -> Option<Duration> {
        Some(self.sessions.look_after(&self.transport).await)
    }
}

/// Whether this names a key: letters, digits, `-`, `_` and `.`, which does not lead.
fn is_name(text: &str) -> bool {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    !text.is_empty() && !text.starts_with('.') && text.len() <= 200 && text.bytes().all(fits)
}

fn is_mount(text: &str) -> bool {
    text.split('/').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for good in ["messages", "kek-2026", "a.b_c"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".", "..", ".a", "a/b", "a b", "a?b", "../sys", "ä"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_mount("team/transit"));
        for bad in ["", "/transit", "transit/", "a//b", "a/../b"] {
            assert!(!is_mount(bad), "{bad}");
        }
    }
}
