//! `check-config`: every setting with its source, and what would go wrong, before anything is
//! started or changed.

use serde::Serialize;
use zeroize::Zeroizing;

use super::Outcome;
use super::output::{OutputError, say};
use crate::config::{Config, Overrides, Provider, SECRETS, Setting, find_secret};
use crate::platform::memory::Protections;
use crate::preflight::Preflight;
use crate::startup::check_key;

/// Sources in the order of precedence.
const PRECEDENCE: [&str; 4] = [
    "command line",
    "environment",
    "secure-messaging.toml",
    "default",
];

/// Sources of a secret in the order of precedence; a variable together with a file is refused.
const SECRET_PRECEDENCE: [&str; 3] = ["NAME", "NAME_FILE", "CREDENTIALS_DIRECTORY/NAME"];

/// Arguments of `check-config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object
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
    /// `None` if it is not set.
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
        let found = Preflight::of(config);
        self.warnings.extend(found.warnings);
        for problem in found.problems {
            let said = problem.to_string();
            // What is wrong with a secret was said where secrets are read.
            if !self.problems.contains(&said) {
                self.problems.push(said);
            }
        }
        let elsewhere = config.keys.kek_provider != Provider::Local;
        if config.database_path().is_ok()
            && config.keys.pkcs11_module.is_none()
            && !config.key_services.any()
            && !elsewhere
            && let Err(error) = check_key(config, key)
        {
            self.problem(&error);
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
