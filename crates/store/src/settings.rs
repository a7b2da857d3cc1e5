//! Settings of the server that an administrator changes, and the server's own secrets.

use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::classes::Critical;
use crate::fault::Fault;
use crate::intent::Intent;
use api::RegistrationMode;

/// Settings of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSettings {
    /// Who may register; closed until set-up.
    pub registration: RegistrationMode,
    /// Whether the first administrator has been made.
    pub setup_done: bool,
}

/// Repository of settings.
#[async_trait]
pub trait Settings: Send + Sync {
    /// All settings.
    async fn server_settings(&self) -> Result<ServerSettings, Fault>;

    /// Chooses who may register; the outcome of the intent is written with it.
    async fn set_registration_mode(
        &self,
        mode: RegistrationMode,
        intent: &Intent,
        now: u64,
    ) -> Result<(), Fault>;
}

/// A secret of the server; wiped when dropped.
pub struct ServerSecret(Critical<Zeroizing<Vec<u8>>>);

impl ServerSecret {
    pub(crate) fn new(secret: Critical<Zeroizing<Vec<u8>>>) -> Self {
        Self(secret)
    }

    /// The secret's bytes.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl fmt::Debug for ServerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerSecret([redacted])")
    }
}

/// Makes a secret when there is none yet.
pub type SecretGenerator = Box<dyn FnOnce() -> Zeroizing<Vec<u8>> + Send>;

/// Repository of the server's secrets, sealed.
#[async_trait]
pub trait ServerSecrets: Send + Sync {
    /// The secret of this name; made and kept by whoever asks first.
    ///
    /// Two who ask at once get the same one. A secret that does not open is a fault and is never
    /// replaced by a new one.
    async fn get_or_create_secret(
        &self,
        name: &'static str,
        generate: SecretGenerator,
        now: u64,
    ) -> Result<ServerSecret, Fault>;
}
