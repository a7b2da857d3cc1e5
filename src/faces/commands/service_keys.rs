//! `service-keys`: keys of services, from the server's terminal, whether a server runs or not.

use api::bodies::{
    NewServiceKey, PublicKeysWanted, ServiceKey, ServiceKeyRotation, ServiceKeyWanted,
};
use api::{ServiceKeyAlgorithm, ServiceKeyFormat};

use super::output::{hint, say};
use super::{Outcome, Printed, existing_database, in_database};
use crate::app::service_keys::{Answer, Desk, Question};
use crate::app::time;
use crate::config::{Config, Overrides};
use crate::faces::control::client::Server;

/// Arguments of `service-keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What can be done to keys of services.
#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Make the key of a service that has none
    Generate(Wanted),
    /// Make the key of a service if it has none, and change the service's name
    ///
    /// It can be run again and again: a service that has such a key keeps it.
    Upsert(Wanted),
    /// Make the next version of a service's key, and retire the active one
    ///
    /// Retired versions are still given out: what was signed with them is verified, and what was
    /// encrypted to them is decrypted, until they are deleted.
    Rotate(Rotate),
    /// List services that have keys
    List(List),
    /// List versions of a service's key
    Versions(Versions),
    /// Print the public keys of a service
    Public(Keys),
    /// Print the private key of a service; the audit log says so
    Private(Keys),
    /// Delete a retired version, or a service with every version of its key
    Delete(Delete),
}

/// The key to make.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// The id of the service
    pub service: String,
    /// What the key is made of: ML-KEM-1024+X25519, ML-DSA-87+Ed25519 or RS256
    #[arg(long, value_parser = algorithm)]
    pub algorithm: ServiceKeyAlgorithm,
    /// The name of the service, if it has another than its id
    #[arg(long)]
    pub name: Option<String>,
    /// Bits of the modulus, for RS256: 2048, 3072 or 4096
    #[arg(long)]
    pub bits: Option<u32>,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// The version to make.
#[derive(Debug, clap::Args)]
pub struct Rotate {
    /// The id of the service
    pub service: String,
    /// What the new version is made of, if not of the same
    #[arg(long, value_parser = algorithm)]
    pub algorithm: Option<ServiceKeyAlgorithm>,
    /// Bits of the modulus, for RS256: 2048, 3072 or 4096
    #[arg(long)]
    pub bits: Option<u32>,
    /// Rotate only if this version is the active one
    #[arg(long, value_name = "VERSION")]
    pub expected: Option<u32>,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// How to list services.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// The service to list versions of.
#[derive(Debug, clap::Args)]
pub struct Versions {
    /// The id of the service
    pub service: String,
    /// How to list them
    #[command(flatten)]
    pub list: List,
}

/// The keys to print.
#[derive(Debug, clap::Args)]
pub struct Keys {
    /// The id of the service
    pub service: String,
    /// jwks for a JWK Set, or pem
    #[arg(long, value_parser = format, default_value = "jwks")]
    pub format: ServiceKeyFormat,
    /// One version; otherwise every public key, or the active private key
    #[arg(long)]
    pub version: Option<u32>,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// The keys to delete.
#[derive(Debug, clap::Args)]
pub struct Delete {
    /// The id of the service
    pub service: String,
    /// A retired version; otherwise the service with every version
    #[arg(long)]
    pub version: Option<u32>,
    /// Delete it; without this, only print what would be deleted
    #[arg(long)]
    pub yes: bool,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

fn algorithm(text: &str) -> Result<ServiceKeyAlgorithm, String> {
    let known = ServiceKeyAlgorithm::ALL.iter().map(|it| it.as_str());
    let known: Vec<&str> = known.collect();
    ServiceKeyAlgorithm::named(text).ok_or_else(|| format!("choose one of {}", known.join(", ")))
}

fn format(text: &str) -> Result<ServiceKeyFormat, String> {
    ServiceKeyFormat::named(text).ok_or_else(|| "choose jwks or pem".to_owned())
}

/// Runs the action.
pub fn run(args: Args) -> Outcome {
    let (question, overrides, as_json) = read(args.what);
    let config = Config::load(&overrides)?;
    existing_database(&config)?;
    let mut question = Some(question);
    while let Some(next) = question.take() {
        let answer = match Server::find(&config) {
            Some(server) => server.ask_about_service_keys(next)?,
            None => in_database(&config, async |store, ambient| {
                Ok(Desk { store, ambient }.answer(next).await?)
            })?,
        };
        question = more(&answer);
        print(answer, as_json)?;
    }
    Ok(())
}

/// The question for the next page.
fn more(answer: &Answer) -> Option<Question> {
    let Answer::Listed(page) = answer else {
        return None;
    };
    let after = page.next.clone();
    after.map(|after| Question::List { after: Some(after) })
}

fn read(what: What) -> (Question, Overrides, bool) {
    match what {
        What::Generate(wanted) => {
            let question = Question::Generate {
                wanted: NewServiceKey {
                    service: wanted.service,
                    name: wanted.name,
                    algorithm: wanted.algorithm,
                    key_size: wanted.bits,
                },
            };
            (question, wanted.overrides, false)
        }
        What::Upsert(wanted) => {
            let question = Question::Upsert {
                service: wanted.service,
                wanted: ServiceKeyWanted {
                    name: wanted.name,
                    algorithm: wanted.algorithm,
                    key_size: wanted.bits,
                },
            };
            (question, wanted.overrides, false)
        }
        What::Rotate(wanted) => {
            let question = Question::Rotate {
                service: wanted.service,
                wanted: ServiceKeyRotation {
                    expected_version: wanted.expected,
                    algorithm: wanted.algorithm,
                    key_size: wanted.bits,
                },
            };
            (question, wanted.overrides, false)
        }
        What::List(list) => (Question::List { after: None }, list.overrides, list.json),
        What::Versions(Versions { service, list }) => {
            (Question::Versions { service }, list.overrides, list.json)
        }
        What::Public(keys) => {
            let question = Question::Public {
                service: keys.service,
                wanted: PublicKeysWanted {
                    format: Some(keys.format),
                    version: keys.version,
                },
            };
            (question, keys.overrides, false)
        }
        What::Private(keys) => {
            let question = Question::Private {
                service: keys.service,
                version: keys.version,
                format: keys.format,
            };
            (question, keys.overrides, false)
        }
        What::Delete(wanted) => {
            let question = Question::Delete {
                service: wanted.service,
                version: wanted.version,
                sure: wanted.yes,
            };
            (question, wanted.overrides, false)
        }
    }
}

fn print(answer: Answer, as_json: bool) -> Printed {
    match answer {
        Answer::Key { key, made } => {
            let since = if made { "now" } else { "already" };
            say!(
                "{} has version {} of its key {since}: {}, kid {}",
                key.service,
                key.version,
                key.algorithm,
                key.kid
            )
        }
        Answer::Listed(page) => {
            for damage in page.damaged {
                hint!(
                    "damaged, and nobody can use it: {}: {}",
                    damage.service,
                    damage.reason
                );
            }
            list(&page.services, as_json)
        }
        Answer::Versions { versions } => list(&versions, as_json),
        Answer::Text { text } => say!("{}", text.trim_end()),
        Answer::Deleted { versions } => {
            say!("deleted versions: {versions}; backups made before still hold them")
        }
    }
}

fn list(keys: &[ServiceKey], as_json: bool) -> Printed {
    if as_json {
        let rows = serde_json::to_value(keys).unwrap_or_default();
        return say!("{rows:#}");
    }
    for key in keys {
        say!(
            "{:24} version {:<3} {:8} {:19} {:>6} bits  made {}  {}",
            key.service.as_str(),
            key.version,
            key.state.as_str(),
            key.algorithm.as_str(),
            key.key_size,
            time::format(key.created_at),
            key.kid,
        )?;
    }
    Ok(())
}
