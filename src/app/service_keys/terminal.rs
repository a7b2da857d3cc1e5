//! What somebody at the server's terminal asks about keys of services.

use api::bodies::{
    NewServiceKey, PublicKeysWanted, ServiceKey, ServiceKeyRotation, ServiceKeyWanted, Services,
    ServicesWanted,
};
use api::{ServiceId, ServiceKeyFormat};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::desk::known;
use super::{Desk, Present, Refusal, public};
use crate::app::authority::{Authorized, Denied, Permission, Permit, Principal};

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Question {
    /// Make the key of a service that has none.
    Generate {
        /// The key.
        wanted: NewServiceKey,
    },
    /// Make the key of a service if it has none.
    Upsert {
        /// The service.
        service: String,
        /// The key.
        wanted: ServiceKeyWanted,
    },
    /// Make the next version.
    Rotate {
        /// The service.
        service: String,
        /// The version.
        wanted: ServiceKeyRotation,
    },
    /// List services.
    List {
        /// Behind this one.
        after: Option<ServiceId>,
    },
    /// List versions of a service's key.
    Versions {
        /// The service.
        service: String,
    },
    /// Give the public halves.
    Public {
        /// The service.
        service: String,
        /// The form, and which ones.
        wanted: PublicKeysWanted,
    },
    /// Give a private half.
    Private {
        /// The service.
        service: String,
        /// The version; the active one if there is none.
        version: Option<u32>,
        /// The form.
        format: ServiceKeyFormat,
    },
    /// Delete a retired version, or a service.
    Delete {
        /// The service.
        service: String,
        /// The version; all of them if there is none.
        version: Option<u32>,
        /// Whether to do it; otherwise the answer says what would be deleted.
        sure: bool,
    },
}

/// What is answered.
#[derive(Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// A key of a service.
    Key {
        /// The active version.
        key: ServiceKey,
        /// Whether it was made now.
        made: bool,
    },
    /// A page of services.
    Listed(Services),
    /// Versions of a service's key.
    Versions {
        /// The newest first.
        versions: Vec<ServiceKey>,
    },
    /// Keys in the form that was asked for.
    Text {
        /// The keys.
        text: Zeroizing<String>,
    },
    /// Keys were deleted.
    Deleted {
        /// How many versions.
        versions: u64,
    },
}

impl Question {
    /// Returns the subcommand that asks this.
    pub fn subcommand(&self) -> &'static str {
        match self {
            Self::Generate { .. } => "service-keys generate",
            Self::Upsert { .. } => "service-keys upsert",
            Self::Rotate { .. } => "service-keys rotate",
            Self::List { .. } => "service-keys list",
            Self::Versions { .. } => "service-keys versions",
            Self::Public { .. } => "service-keys public",
            Self::Private { .. } => "service-keys private",
            Self::Delete { .. } => "service-keys delete",
        }
    }
}

impl Desk<'_> {
    /// Answers somebody at the server's terminal.
    pub async fn answer(&self, question: Question) -> Result<Answer, Refusal> {
        let terminal = Principal::Terminal(question.subcommand());
        Ok(match question {
            Question::Generate { wanted } => Answer::Key {
                key: self.generate(&allowed(terminal)?, None, wanted).await?,
                made: true,
            },
            Question::Upsert { service, wanted } => {
                let admin = allowed(terminal)?;
                let done = self.upsert(&admin, None, &service, wanted).await?;
                let (key, made) = (done.key, done.made);
                Answer::Key { key, made }
            }
            Question::Rotate { service, wanted } => {
                let admin = allowed(terminal)?;
                let key = self.rotate(&admin, None, &service, wanted).await?;
                Answer::Key { key, made: true }
            }
            Question::List { after } => {
                let limit = None;
                let wanted = ServicesWanted { after, limit };
                Answer::Listed(self.list(&allowed(terminal)?, wanted).await?)
            }
            Question::Versions { service } => {
                let versions = self.versions(&allowed(terminal)?, &service).await?;
                Answer::Versions { versions }
            }
            Question::Public { service, wanted } => {
                let text = public::read(self.store, known(&service)?, &wanted).await?;
                let text = Zeroizing::new(text.text);
                Answer::Text { text }
            }
            Question::Private {
                service,
                version,
                format,
            } => {
                let reader = allowed(terminal)?;
                let present = present(&reader)?;
                let which = (version, Some(format));
                let written = self.private(&reader, None, present, &service, which);
                let text = written.await?.text;
                Answer::Text { text }
            }
            Question::Delete {
                service,
                version,
                sure,
            } => {
                if !sure {
                    return Err(self.unsure(&service, version).await);
                }
                let admin = allowed(terminal)?;
                let present = present(&admin)?;
                let deleted = self.delete(&admin, None, present, &service, version);
                let versions = deleted.await?;
                Answer::Deleted { versions }
            }
        })
    }

    /// What would be deleted.
    async fn unsure(&self, service: &str, version: Option<u32>) -> Refusal {
        match known(service) {
            Err(refusal) => refusal.into(),
            Ok(id) => match self.found(&id).await {
                Err(fault) => fault.into(),
                Ok(found) if found.is_empty() => store::ServiceKeyError::Unknown.into(),
                Ok(_) => Refusal::Unsure(match version {
                    Some(version) => format!("version {version} of the key of {service}"),
                    None => format!("{service} with every version of its key"),
                }),
            },
        }
    }
}

fn allowed<P: Permit>(terminal: Principal) -> Result<Authorized<P>, Denied> {
    Authorized::check(terminal)
}

fn present<P>(allowed: &Authorized<P>) -> Result<Present, Denied> {
    Present::at_terminal(allowed).ok_or(Denied(Permission::ReadPrivateServiceKeys))
}
