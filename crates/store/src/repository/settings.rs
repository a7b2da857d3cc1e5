//! Settings and the server's secrets.

use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::classes::Critical;
use crate::engine::Acting;
use crate::fault::Fault;
use crate::intent::Intent;
use crate::repository::Repository;
use crate::sealing::bound_setting::{BoundSetting, REGISTRATION, SETUP, SETUP_DONE, SETUP_OPEN};
use crate::sealing::sealer::SERVER_SECRET;
use crate::settings::{SecretGenerator, ServerSecret, ServerSecrets, ServerSettings, Settings};
use api::RegistrationMode;

#[async_trait]
impl Settings for Repository {
    async fn server_settings(&self) -> Result<ServerSettings, Fault> {
        let tags = Arc::clone(&self.sealer.tags);
        self.read(move |rows| {
            let mode = BoundSetting::value(rows, &tags, REGISTRATION)?;
            let registration = RegistrationMode::named(&mode).ok_or_else(|| {
                Fault::damaged("settings", REGISTRATION, format!("unknown mode {mode:?}"))
            })?;
            let setup_done = match BoundSetting::value(rows, &tags, SETUP)?.as_str() {
                SETUP_OPEN => false,
                SETUP_DONE => true,
                other => {
                    let reason = format!("unknown state {other:?}");
                    return Err(Fault::damaged("settings", SETUP, reason));
                }
            };
            Ok(ServerSettings {
                registration,
                setup_done,
            })
        })
        .await
    }

    async fn set_registration_mode(
        &self,
        mode: RegistrationMode,
        intent: &Intent,
        now: u64,
    ) -> Result<(), Fault> {
        self.record(Acting::Server, 0, vec![intent.done(now)], move |tx| {
            // Choosing anew is also how a changed setting is put right.
            BoundSetting::put(tx.rows, tx.tags, REGISTRATION, mode.as_str())
        })
        .await
    }
}

/// The row of `settings` that says that a secret was made, so that a lost one is not made anew.
fn mark_of(name: &str) -> String {
    format!("made:{name}")
}

#[async_trait]
impl ServerSecrets for Repository {
    async fn get_or_create_secret(
        &self,
        name: &'static str,
        generate: SecretGenerator,
        now: u64,
    ) -> Result<ServerSecret, Fault> {
        let gone = move || Fault::damaged("server_secrets", name, "the row is gone");
        let found = self
            // The mark first: another may make both between the two looks.
            .read(move |rows| {
                let made = rows.setting(&mark_of(name))?.is_some();
                Ok((rows.secret(name)?, made))
            })
            .await?;
        let stored = match found {
            (Some(stored), true) => stored,
            (None, true) => return Err(gone()),
            (_, false) => {
                let secret: Critical<Zeroizing<Vec<u8>>> = Critical::new(generate());
                let sealed = self
                    .sealer
                    .seal_critical(SERVER_SECRET, name.as_bytes(), &secret)?;
                // Whoever was first keeps it; what stands there is read back in any case.
                self.write(sealed.len(), move |tx| {
                    tx.rows.insert_secret(name, &sealed, now)?;
                    tx.rows.put_setting(&mark_of(name), "1", None)?;
                    tx.rows.secret(name)?.ok_or_else(gone)
                })
                .await?
            }
        };
        let opened = self
            .sealer
            .open_critical(SERVER_SECRET, name.as_bytes(), &stored)?;
        let secret = opened.into_inner().into_inner();
        Ok(ServerSecret::new(Critical::new(secret)))
    }
}
