//! Settings and the server's secrets over SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::audit::log::weight;
use crate::engine::sqlite::db::{Db, many};
use crate::fault::Fault;
use crate::intent::Intent;
use crate::repository::Repository;
use crate::sealing::bound_setting::{BoundSetting, REGISTRATION, SETUP, SETUP_DONE, SETUP_OPEN};
use crate::sealing::classes::{Critical, Public, Sealed};
use crate::sealing::sealer::SERVER_SECRET;
use crate::settings::{SecretGenerator, ServerSecret, ServerSecrets, ServerSettings, Settings};
use api::RegistrationMode;

#[async_trait]
impl Settings for Repository {
    async fn server_settings(&self) -> Result<ServerSettings, Fault> {
        let tags = Arc::clone(&self.sealer.tags);
        self.read(move |db| {
            let mode = BoundSetting::value(db, &tags, REGISTRATION)?;
            let registration = RegistrationMode::named(&mode).ok_or_else(|| {
                Fault::damaged("settings", REGISTRATION, format!("unknown mode {mode:?}"))
            })?;
            let setup_done = match BoundSetting::value(db, &tags, SETUP)?.as_str() {
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
        let events = self.seal_events(vec![intent.done(now)]).await?;
        self.write(weight(&events), move |tx| {
            // Choosing anew is also how a changed setting is put right.
            BoundSetting::put(tx.db, tx.tags, REGISTRATION, mode.as_str())?;
            tx.append(events)
        })
        .await
    }
}

fn find_secret(db: Db<'_>, name: &str) -> Result<Option<Sealed>, Fault> {
    let sql = "SELECT encrypted_secret FROM server_secrets WHERE name = ?1";
    db.one(many("server_secrets"), sql, [Public(name)], |row| {
        row.get(0)
    })
}

/// The row of `settings` that says that a secret was made, so that a lost one is not made anew.
fn mark_of(name: &str) -> String {
    format!("made:{name}")
}

fn was_made(db: Db<'_>, name: &str) -> Result<bool, Fault> {
    let sql = "SELECT count(*) FROM settings WHERE name = ?1";
    Ok(db.number(many("settings"), sql, [Public(mark_of(name))])? > 0)
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
            .read(move |db| was_made(db, name).and_then(|made| Ok((find_secret(db, name)?, made))))
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
                    tx.db.execute(
                        many("server_secrets"),
                        "INSERT INTO server_secrets (name, encrypted_secret, created_at)
                         VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                        (Public(name), &sealed, now),
                    )?;
                    tx.db.execute(
                        many("settings"),
                        "INSERT INTO settings (name, value) VALUES (?1, '1') ON CONFLICT DO NOTHING",
                        [Public(mark_of(name))],
                    )?;
                    find_secret(tx.db, name)?.ok_or_else(gone)
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
