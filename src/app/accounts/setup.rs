//! The one-time set-up link.

use std::sync::{PoisonError, RwLock};

use ephemeral::{Ephemeral, Unreachable};
use store::{Fault, RegistrationMode, ServerSettings, Store};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The set-up link, whose secret the plane draws, and the settings that set-up changes.
pub struct Setup {
    plane: Ephemeral,
    settings: RwLock<ServerSettings>,
    /// Read while somebody registers, written while the mode changes.
    policy: tokio::sync::RwLock<()>,
}

/// Who may register, which does not change while this is held.
pub struct Policy<'a> {
    mode: RegistrationMode,
    _held: tokio::sync::RwLockReadGuard<'a, ()>,
}

impl Policy<'_> {
    /// Returns the mode of registration.
    pub fn mode(&self) -> RegistrationMode {
        self.mode
    }
}

impl Setup {
    /// Takes the plane; its secret is good until set-up is done or the plane ends.
    pub fn new(plane: Ephemeral, settings: ServerSettings) -> Self {
        Self {
            plane,
            settings: RwLock::new(settings),
            policy: tokio::sync::RwLock::default(),
        }
    }

    /// Returns the link to print, unless it has been used.
    pub async fn link(&self, origin: &str) -> Result<Option<Zeroizing<String>>, Unreachable> {
        if self.settings().setup_done {
            return Ok(None);
        }
        let secret = self.plane.drawn().setup_secret().await?;
        let secret = Zeroizing::new(hex::encode(secret.as_slice()));
        let link = format!("{origin}/setup#{}", secret.as_str());
        Ok(Some(Zeroizing::new(link)))
    }

    /// Returns whether this is the link's secret and set-up is still to be done.
    pub async fn admits(&self, secret: &str) -> Result<bool, Unreachable> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        let own = self.plane.drawn().setup_secret().await?;
        Ok(hex::decode_to_slice(secret, bytes.as_mut_slice()).is_ok()
            && bool::from(bytes.as_slice().ct_eq(own.as_slice()))
            && !self.settings().setup_done)
    }

    /// Returns the settings as they were last committed.
    pub fn settings(&self) -> ServerSettings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that set-up was committed.
    pub fn done(&self) {
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = ServerSettings {
            registration: RegistrationMode::Invite,
            setup_done: true,
        };
    }

    /// Takes over what another instance may have changed.
    pub async fn look_again(&self, store: &Store) -> Result<(), Fault> {
        // Nothing is changed here meanwhile, so that what is read is not older than what is known.
        let _held = self.policy.read().await;
        let found = store.server_settings().await?;
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    /// Keeps who may register as it is until the answer is dropped.
    pub async fn policy(&self) -> Policy<'_> {
        let held = self.policy.read().await;
        Policy {
            mode: self.settings().registration,
            _held: held,
        }
    }

    /// Commits a mode of registration while nobody registers, and notes it.
    pub async fn change_mode<E>(
        &self,
        mode: RegistrationMode,
        commit: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let _alone = self.policy.write().await;
        commit.await?;
        self.set_mode(mode);
        Ok(())
    }

    fn set_mode(&self, mode: RegistrationMode) {
        self.settings
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .registration = mode;
    }
}
