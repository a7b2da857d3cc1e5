//! `check-config`: every setting with its source, and what would go wrong, before anything is
//! started or changed.

use std::path::Path;

use rustix::fs::{Access, access};
use serde::Serialize;
use zeroize::Zeroizing;

use super::Outcome;
use super::output::{OutputError, say};
use crate::config::{Config, Overrides, Provider, SECRETS, Setting, find_secret};
use crate::memory::Protections;
use crate::pages::Pages;
use crate::startup::check_key;
use crate::tls;

/// Which source wins, the strongest first.
const PRECEDENCE: [&str; 4] = [
    "command line",
    "environment",
    "secure-messaging.toml",
    "default",
];

/// Which source of a secret wins; a variable and a file together are refused.
const SECRET_PRECEDENCE: [&str; 3] = ["NAME", "NAME_FILE", "CREDENTIALS_DIRECTORY/NAME"];

/// What `check-config` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// A secret, never with its value.
#[derive(Debug, Serialize)]
struct Secret {
    name: &'static str,
    meaning: &'static str,
    /// `None` where it is not set.
    source: Option<String>,
}

/// Everything that is shown.
#[derive(Debug, Serialize)]
struct Report {
    precedence: [&'static str; 4],
    secret_precedence: [&'static str; 3],
    settings: Vec<Setting>,
    secrets: Vec<Secret>,
    warnings: Vec<String>,
    problems: Vec<String>,
}

/// Prints the report; an error where there is a problem.
pub fn run(args: Args) -> Outcome {
    let report = Report::make(&args.overrides);
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        report.print()?;
    }
    match report.problems.len() {
        0 => Ok(()),
        1 => Err("1 problem; correct it and check again".into()),
        many => Err(format!("{many} problems; correct them and check again").into()),
    }
}

impl Report {
    fn make(overrides: &Overrides) -> Self {
        let mut report = Self {
            precedence: PRECEDENCE,
            secret_precedence: SECRET_PRECEDENCE,
            settings: Vec::new(),
            secrets: Vec::new(),
            warnings: Protections::inspect().warnings(),
            problems: Vec::new(),
        };
        report.warnings.extend(Config::warnings());
        let key = report.look_for_secrets();
        let config = match Config::explain(overrides) {
            Ok(explained) => {
                report.settings = explained.settings;
                explained.config
            }
            Err(error) => Err(error),
        };
        match config {
            Ok(config) => report.look_at(&config, key),
            Err(error) => report.problem(&error),
        }
        report
    }

    fn problem(&mut self, problem: &dyn std::fmt::Display) {
        self.problems.push(problem.to_string());
    }

    /// Returns the key of the database, where it is given.
    fn look_for_secrets(&mut self) -> Option<Zeroizing<String>> {
        let mut key = None;
        for (name, meaning) in SECRETS {
            let source = match find_secret(name) {
                Ok(None) => None,
                Ok(Some(found)) => {
                    self.warnings.extend(found.warnings);
                    if *name == "DB_ENCRYPTION_KEY" {
                        key = Some(found.value);
                    }
                    Some(found.source.to_string())
                }
                Err(error) => {
                    self.problem(&error);
                    None
                }
            };
            self.secrets.push(Secret {
                name,
                meaning,
                source,
            });
        }
        key
    }

    fn look_at(&mut self, config: &Config, key: Option<Zeroizing<String>>) {
        for problem in config.problems() {
            self.problem(&problem);
        }
        if let (Some(certificate), Some(key)) = (&config.tls_cert, &config.tls_key)
            && let Err(error) = tls::load(certificate, key)
        {
            self.problem(&error);
        }
        match Pages::load(&config.bundle_dir) {
            Ok(pages) if pages.assets().is_none() => self.warnings.push(format!(
                "there is no browser bundle in {}: the API works, pages answer 503; run \
                 `cargo xtask bundle` or correct bundle_dir",
                config.bundle_dir.display()
            )),
            Ok(_) => {}
            Err(error) => self.problem(&error),
        }
        let in_token = config.keys.kek_provider == Provider::Pkcs11;
        if let Ok(path) = config.database_path() {
            self.look_at_database(&path);
            if config.keys.pkcs11_module.is_none()
                && !in_token
                && let Err(error) = check_key(config, key)
            {
                self.problem(&error);
            }
        }
        if in_token {
            self.look_at_token(config);
        }
        self.look_at_backups(config);
        self.look_at_the_way_in(config);
    }

    fn look_at_database(&mut self, path: &Path) {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // What does not exist yet is made at the first start.
        let existing = folder.ancestors().find(|folder| {
            let here = folder.as_os_str().is_empty();
            here || folder.exists()
        });
        let existing = existing.filter(|folder| !folder.as_os_str().is_empty());
        let existing = existing.unwrap_or(Path::new("."));
        if let Err(error) = access(existing, Access::WRITE_OK | Access::EXEC_OK) {
            self.problem(&format!(
                "{} cannot be written to ({error}); give it to the server's user, or correct \
                 data_dir",
                existing.display()
            ));
        }
        if !path.exists() {
            return;
        }
        if let Err(error) = access(path, Access::READ_OK | Access::WRITE_OK) {
            self.problem(&format!(
                "{} cannot be read and written ({error}); give it to the server's user",
                path.display()
            ));
        }
    }

    /// What backups need; the target is not asked.
    fn look_at_backups(&mut self, config: &Config) {
        let options = match config.backups.s3() {
            Ok(options) => options,
            // Named where the secrets are read.
            Err(_) => return,
        };
        let target = config.backups.backup_target.as_deref().unwrap_or_default();
        if target.starts_with("s3://")
            && let Err(error) = options.check()
        {
            self.problem(&error);
        }
    }

    /// What is needed to ask the token; it is not asked.
    fn look_at_token(&mut self, config: &Config) {
        if let Some(module) = config.keys.pkcs11_module.as_ref()
            && !module.is_file()
        {
            self.problem(&format!(
                "{} does not exist; correct pkcs11_module",
                module.display()
            ));
        }
        let pin = self.secrets.iter().find(|it| it.name == "PKCS11_PIN");
        if pin.is_none_or(|pin| pin.source.is_none()) {
            self.problem(&"the keys are in a token, and PKCS11_PIN is not set; set it");
        }
    }

    /// What browsers and proxies see.
    fn look_at_the_way_in(&mut self, config: &Config) {
        let Ok(public) = config.public_url_on(config.bind_addr) else {
            return;
        };
        if public.is_https() && !config.tls() && config.trusted_proxies.is_empty() {
            self.warnings.push(
                "a proxy ends TLS, and trusted_proxies is empty: limits count the proxy and not \
                 people; put its address there"
                    .to_owned(),
            );
        }
        if public.is_https() && config.security_contact.ends_with("@localhost") {
            self.warnings.push(
                "security_contact is the default: nobody can report a weakness; set an address"
                    .to_owned(),
            );
        }
    }

    fn print(&self) -> Result<(), OutputError> {
        say!(
            "The first of these that sets something wins: {}.",
            PRECEDENCE.join(", ")
        )?;
        say!(
            "A secret: {}. NAME and NAME_FILE together are refused.\n",
            SECRET_PRECEDENCE.join(", ")
        )?;
        let width = self.settings.iter().map(|it| it.name.len()).max();
        let width = width.unwrap_or_default().max(24);
        for setting in &self.settings {
            let value = match &setting.value {
                serde_json::Value::Null => "–".to_owned(),
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            say!("{:width$}  {value:36}  {}", setting.name, setting.source)?;
        }
        say!("")?;
        for secret in &self.secrets {
            match &secret.source {
                Some(source) => say!("{:width$}  {:36}  {source}", secret.name, "[redacted]")?,
                None => say!("{:width$}  –", secret.name)?,
            }
        }
        for (title, lines) in [("Warnings", &self.warnings), ("Problems", &self.problems)] {
            if !lines.is_empty() {
                say!("\n{title}")?;
            }
            for line in lines {
                say!("- {line}")?;
            }
        }
        if self.problems.is_empty() {
            say!("\nNo problems.")?;
        }
        Ok(())
    }
}
