//! Where settings come from: the command line over the environment over the file over defaults.

use std::io::ErrorKind;
use std::path::Path;

use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::Value;
use figment::{Figment, Metadata, Provider};
use keyring::regular_file;
use serde::Serialize;

use super::resembling::{Resembling, resembling};
use super::variables::{self, PREFIX};
use super::{Config, ConfigError, FILE, Overrides, ranges};

/// Variables without the project's beginning, as the product's contract names them.
pub(super) const BARE: [&str; 3] = ["DATABASE_URL", "BIND_ADDR", "PUBLIC_URL"];

/// Every source, joined in the order of precedence.
pub(super) struct Sources {
    joined: Figment,
    /// A name in the file that no setting has.
    unknown: Option<String>,
    /// A variable that looks like a setting and is none.
    misspelt: Option<String>,
    /// Variables that resemble one that is read.
    resembling: Vec<Resembling>,
}

/// A setting with the source that won.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The name in the file.
    pub name: String,
    /// The value as JSON, without secrets.
    pub value: serde_json::Value,
    /// `default`, `secure-messaging.toml`, the variable's name or `command line`.
    pub source: String,
}

impl Sources {
    /// Reads every source.
    pub(super) fn read(overrides: &Overrides) -> Result<Self, ConfigError> {
        let names = Config::names();
        let known = names.clone();
        let mut joined = Figment::from(Serialized::defaults(Config::default().flat()));
        match regular_file::open(Path::new(FILE)) {
            Ok(_) => joined = joined.merge(Toml::file_exact(FILE)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(ConfigError::File(error)),
        }
        let joined = joined
            .merge(
                Env::prefixed(PREFIX)
                    .filter(move |name| known.contains(&name.as_str().to_ascii_lowercase())),
            )
            .merge(Env::raw().only(&BARE))
            .merge(Serialized::defaults(overrides));
        let all = joined.data().map_err(unfit)?;
        let mut found = all.values().flat_map(|values| values.keys());
        let unknown = found.find(|name| !names.contains(*name));
        Ok(Self {
            unknown: unknown.cloned(),
            misspelt: variables::misspelt(variables::of_this_process(), &names),
            resembling: resembling(variables::of_this_process()),
            joined,
        })
    }

    /// Takes the values.
    pub(super) fn extract(&self) -> Result<Config, ConfigError> {
        if let Some(name) = &self.unknown {
            return Err(ConfigError::UnknownName(name.clone()));
        }
        if let Some(name) = &self.misspelt {
            return Err(ConfigError::UnknownVariable(name.clone()));
        }
        if let Some(resembles) = self.resembling.iter().find(|one| one.is_a_key()) {
            return Err(ConfigError::MisspeltKey(resembles.clone()));
        }
        Config::extract(&self.joined).map_err(|error| {
            let settings = self.settings().into_iter();
            let values = settings.map(|setting| (setting.name, setting.value));
            // A number that its type cannot hold is one that is too large.
            match ranges::out_of_range(&values.collect()).pop() {
                Some(number) => number.into(),
                None => unfit(error),
            }
        })
    }

    /// Lists every setting by name.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let mut names: Vec<String> = Config::names().into_iter().collect();
        names.sort();
        names
            .into_iter()
            .map(|name| {
                let value = self.joined.find_value(&name).ok();
                let source = match self.joined.find_metadata(&name) {
                    Some(metadata) => source(metadata, &name),
                    None => "default".to_owned(),
                };
                Setting {
                    value: value.map_or(serde_json::Value::Null, |value| shown(&value)),
                    source,
                    name,
                }
            })
            .collect()
    }
}

fn unfit(error: impl Into<Box<figment::Error>>) -> ConfigError {
    let error = error.into();
    let numbers = ["u64", "u32", "u16", "usize"];
    match (&error.kind, error.path.last()) {
        (Kind::InvalidType(found, expected), Some(name))
            if numbers.contains(&expected.as_str()) =>
        {
            ConfigError::NoNumber {
                name: name.to_ascii_lowercase(),
                found: found.to_string(),
            }
        }
        _ => ConfigError::Unfit(error),
    }
}

fn source(metadata: &Metadata, name: &str) -> String {
    let variable = name.to_ascii_uppercase();
    if metadata.name.starts_with("TOML") {
        FILE.to_owned()
    } else if metadata.name.contains(PREFIX) {
        format!("{PREFIX}{variable}")
    } else if metadata.name.starts_with("environment") {
        variable
    } else if metadata.name == std::any::type_name::<&Overrides>() {
        "command line".to_owned()
    } else {
        "default".to_owned()
    }
}

fn shown(value: &Value) -> serde_json::Value {
    match value {
        Value::String(_, text) => without_password(text).into(),
        Value::Array(_, values) => values.iter().map(shown).collect(),
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}

/// Leaves passwords out of a value.
pub(super) fn redact(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = without_password(text),
        serde_json::Value::Array(values) => values.iter_mut().for_each(redact),
        serde_json::Value::Object(members) => members.values_mut().for_each(redact),
        _ => {}
    }
}

/// Leaves the password out of an address, and whatever options the address of a database has: a password may be
/// among them.
fn without_password(text: &str) -> String {
    if let Some((scheme, rest)) = text.split_once("://")
        && scheme.starts_with("postgres")
    {
        // A password may hold any sign, also one that ends it for whoever reads the address.
        let (who, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let place = place.split('?').next().unwrap_or_default();
        let user = who.split(':').next().unwrap_or_default();
        let who = match (who, who.contains(':')) {
            ("", _) => String::new(),
            _ if user.contains(['/', '?']) => "[redacted]@".to_owned(),
            (_, true) => format!("{user}:[redacted]@"),
            (_, false) => format!("{user}@"),
        };
        return format!("{scheme}://{who}{place}");
    }
    if let Some((scheme, rest)) = text.split_once("://")
        && let Some((who, host)) = rest.rsplit_once('@')
        && !who.contains('/')
    {
        return match who.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:[redacted]@{host}"),
            None => format!("{scheme}://{who}@{host}"),
        };
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (text, expected) in [
            ("s3://id:pass@host/b", "s3://id:[redacted]@host/b"),
            ("postgres://u:p@ss@host", "postgres://u:[redacted]@host"),
            (
                "postgres://u:a/b?c@host/d",
                "postgres://u:[redacted]@host/d",
            ),
            ("postgresql://u@host/d?password=p", "postgresql://u@host/d"),
            (
                "postgres://host/d?password=p@ss",
                "postgres://[redacted]@ss",
            ),
            ("https://host/a@b", "https://host/a@b"),
            ("info,secure=debug", "info,secure=debug"),
        ] {
            assert_eq!(without_password(text), expected);
        }
    }
}
