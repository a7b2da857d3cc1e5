//! What is looked at before anything is made, opened or changed: by the server at its start, and by
//! `check-config`, so that both say the same.

mod files;

use std::path::PathBuf;
use std::sync::Arc;

use backup::Target;

use crate::backups::{BackupError, check_key};
use crate::config::{Config, Provider, find_secret};
use crate::keys::SourceError;
use crate::pages::Pages;
use crate::startup::StartError;
use crate::tls;

pub use files::FileError;

/// What was found, and what was read on the way.
#[derive(Default)]
pub struct Preflight {
    /// Why the server does not start.
    pub problems: Vec<StartError>,
    /// What its operator should put right.
    pub warnings: Vec<String>,
    tls: Option<Arc<rustls::ServerConfig>>,
    pages: Option<Pages>,
}

/// What a server needs that has passed.
pub(crate) struct Passed {
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) pages: Pages,
}

impl Preflight {
    /// Looks at everything; nothing is made or changed.
    pub fn of(config: &Config) -> Self {
        let mut this = Self::default();
        this.problems
            .extend(config.problems().into_iter().map(Into::into));
        this.warnings.extend(config.cautions());
        this.look_at_tls(config);
        this.look_at_pages(config);
        this.look_at_token(config);
        this.look_at_backups(config);
        let found = files::look(config);
        this.problems
            .extend(found.problems.into_iter().map(Into::into));
        this.warnings.extend(found.warnings);
        this
    }

    /// Refuses where there is a problem; warnings go to the log.
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

    /// What is needed to ask the token; it is not asked.
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

    /// What backups need; the target is not asked, and its folder is not made.
    fn look_at_backups(&mut self, config: &Config) {
        let Some(address) = config.backups.backup_target.as_deref() else {
            return;
        };
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
