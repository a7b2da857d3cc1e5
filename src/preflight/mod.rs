//! The checks before anything is made, opened or changed: the server runs them at its start, and
//! `check-config` runs the same.

mod files;

use std::path::PathBuf;
use std::sync::Arc;

use backup::Target;

use crate::app::backups::{BackupError, check_key};
use crate::app::keys::{SourceError, check_services};
use crate::config::{Config, Provider, find_secret};
use crate::faces::http::pages::Pages;
use crate::platform::tls;
use crate::startup::StartError;

pub use files::FileError;

/// The findings, and the parts of the configuration that passed.
#[derive(Default)]
pub struct Preflight {
    /// Problems: the server does not start.
    pub problems: Vec<StartError>,
    /// Warnings: the operator should correct these.
    pub warnings: Vec<String>,
    tls: Option<Arc<rustls::ServerConfig>>,
    pages: Option<Pages>,
}

/// The checked parts that a server needs.
pub(crate) struct Passed {
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) pages: Pages,
}

impl Preflight {
    /// Runs every check; makes and changes nothing.
    pub fn of(config: &Config) -> Self {
        let mut this = Self::default();
        this.problems
            .extend(config.problems().into_iter().map(Into::into));
        this.warnings.extend(config.cautions());
        this.look_at_tls(config);
        this.look_at_pages(config);
        this.look_at_token(config);
        if let Err(error) = check_services(config) {
            this.problems.push(error.into());
        }
        this.look_at_backups(config);
        let found = files::look(config);
        this.problems
            .extend(found.problems.into_iter().map(Into::into));
        this.warnings.extend(found.warnings);
        this
    }

    /// Fails if there is a problem; writes warnings to the log.
    pub(crate) fn pass(self, config: &Config) -> Result<Passed, StartError> {
        if let Some(problem) = self.problems.into_iter().next() {
            return Err(problem);
        }
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
        Ok(Passed {
            tls: self.tls,
            pages: match self.pages {
                Some(pages) => pages,
                None => Pages::load(&config.bundle_dir)?,
            },
        })
    }

    fn look_at_tls(&mut self, config: &Config) {
        let (Some(certificate), Some(key)) = (&config.tls_cert, &config.tls_key) else {
            return;
        };
        match tls::load(certificate, key) {
            Ok(loaded) => self.tls = Some(loaded),
            Err(error) => self.problems.push(error.into()),
        }
    }

    fn look_at_pages(&mut self, config: &Config) {
        match Pages::load(&config.bundle_dir) {
            Ok(pages) => {
                if pages.assets().is_none() {
                    self.warnings.push(format!(
                        "there is no browser bundle in {}: the API works, pages answer 503; run \
                         `cargo xtask bundle` or correct bundle_dir",
                        config.bundle_dir.display()
                    ));
                }
                self.pages = Some(pages);
            }
            Err(error) => self.problems.push(error.into()),
        }
    }

    /// Checks what the server needs to ask the token; does not ask it.
    fn look_at_token(&mut self, config: &Config) {
        let Some(module) = &config.keys.pkcs11_module else {
            return;
        };
        // Where the token is only read from, what is missing shows when a value needs it.
        if config.keys.kek_provider == Provider::Pkcs11 && !module.exists() {
            self.problems
                .push(FileError::NoModule(module.clone()).into());
        }
        match find_secret("PKCS11_PIN") {
            Ok(Some(_)) => {}
            Ok(None) => self.problems.push(SourceError::NoPin.into()),
            Err(error) => self.problems.push(SourceError::from(error).into()),
        }
    }

    /// Checks what backups need; does not ask the target or make its folder.
    fn look_at_backups(&mut self, config: &Config) {
        let Some(address) = config.backups.backup_target.as_deref() else {
            return;
        };
        if config.on_postgres() && matches!(find_secret("BACKUP_KEY"), Ok(None)) {
            self.warnings.push(
                "backup_target is set and BACKUP_KEY is not: each instance makes a backup.key of its own, and a \
                 backup opens only with that of the instance that made it; set BACKUP_KEY, the same for every \
                 instance"
                    .to_owned(),
            );
        }
        let checked = config
            .backups
            .s3()
            .map_err(BackupError::from)
            .and_then(|options| Ok(Target::check(address, &options)?));
        if let Err(error) = checked.and_then(|_| check_key(&config.data_dir)) {
            self.problems.push(error.into());
        }
    }
}

/// The folder that a `file:` target names.
fn target_folder(config: &Config) -> Option<PathBuf> {
    let address = config.backups.backup_target.as_deref()?;
    Target::check(address, &backup::S3Options::default())
        .ok()
        .flatten()
}
