//! Settings and the server's secrets over SQLite.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::classes::{Critical, Public, Sealed};
use crate::fault::Fault;
use crate::intent::Intent;
use crate::settings::{
    RegistrationMode, SecretGenerator, ServerSecret, ServerSecrets, ServerSettings, Settings,
};
use crate::sqlite::SqliteBackend;
use crate::sqlite::audit::weight;
use crate::sqlite::db::{Db, many};
use crate::sqlite::sealer::SERVER_SECRET;

fn value(db: Db<'_>, name: &str) -> Result<String, Fault> {
    let sql = "SELECT value FROM settings WHERE name = ?1";
    db.one(many("settings"), sql, [Public(name)], |row| row.get(0))?
        .ok_or_else(|| Fault::damaged("settings", name, "the row is gone"))
}

#[async_trait]
impl Settings for SqliteBackend {
    async fn server_settings(&self) -> Result<ServerSettings, Fault> {
        self.read(|db| {
            let mode = value(db, "registration")?;
            let registration = RegistrationMode::parse(&mode).ok_or_else(|| {
                Fault::damaged("settings", "registration", format!("unknown mode {mode:?}"))
            })?;
            let setup_done = match value(db, "setup")?.as_str() {
                "open" => false,
                "done" => true,
                other => {
                    let reason = format!("unknown state {other:?}");
                    return Err(Fault::damaged("settings", "setup", reason));
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
            let changed = tx.db.execute(
                many("settings"),
                "UPDATE settings SET value = ?1 WHERE name = 'registration'",
                [Public(mode.as_str())],
            )?;
            if changed == 0 {
                return Err(Fault::damaged(
                    "settings",
                    "registration",
                    "the row is gone",
                ));
            }
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
impl ServerSecrets for SqliteBackend {
    async fn get_or_create_secret(
        &self,
        name: &'static str,
        generate: SecretGenerator,
        now: u64,
    ) -> Result<ServerSecret, Fault> {
        let gone = move || Fault::damaged("server_secrets", name, "the row is gone");
        let found = self
            .read(move |db| Ok((find_secret(db, name)?, was_made(db, name)?)))
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
