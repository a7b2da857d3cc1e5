//! Why a service's key is not made, changed or given out.

use api::{Code, NotAServiceId};
use protocol::name::AliasError;
use service_keys::{GenerateError, NotAKey};
use store::{Damage, Fault, ServiceKeyError};

use crate::app::Problem;
use crate::app::authority::Denied;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The id is none.
    #[error(transparent)]
    Service(#[from] NotAServiceId),
    /// The name is none.
    #[error(transparent)]
    Name(#[from] AliasError),
    /// The key could not be made.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The service has a key that is made of something else.
    #[error("the service has a key that is made of something else; rotate it to change that")]
    OtherAlgorithm,
    /// The service has a key.
    #[error("the service has a key already; use rotate to make its next version")]
    Exists,
    /// A deletion that was not confirmed.
    #[error("this would delete {0} for good. Nothing was changed; to do it, add --yes")]
    Unsure(String),
    /// The row of the key was changed in the file.
    #[error("{0}; restore it from a backup, or delete it and make another")]
    Damaged(Damage),
    /// The private half does not belong to the public one.
    #[error(
        "the halves of this key do not belong together; restore it from a backup, or rotate it"
    )]
    Halves,
    /// The store refused the change.
    #[error(transparent)]
    Change(#[from] ServiceKeyError),
    /// The caller may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<NotAKey> for Refusal {
    fn from(_: NotAKey) -> Self {
        Self::Halves
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::Service(_) | Refusal::Name(_) | Refusal::Generate(GenerateError::Size) => {
                Code::ServiceRefused
            }
            Refusal::OtherAlgorithm
            | Refusal::Exists
            | Refusal::Unsure(_)
            | Refusal::Change(ServiceKeyError::Conflict | ServiceKeyError::Active) => {
                Code::ServiceKeyConflict
            }
            Refusal::Change(ServiceKeyError::Unknown) => Code::NoSuchService,
            Refusal::Change(
                ServiceKeyError::TooManyServices | ServiceKeyError::TooManyVersions,
            ) => Code::TooManyServiceKeys,
            Refusal::Denied(denied) => return (*denied).into(),
            Refusal::Fault(fault) | Refusal::Change(ServiceKeyError::Fault(fault)) => {
                return fault.into();
            }
            Refusal::Generate(GenerateError::Failed) | Refusal::Damaged(_) | Refusal::Halves => {
                return Self::internal(&refusal);
            }
        };
        Self::new(code, sentence(&refusal.to_string()))
    }
}

/// Begins with a capital letter and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    let rest = chars.as_str().trim_end_matches('.');
    first
        .into_iter()
        .flatten()
        .chain(rest.chars())
        .chain(['.'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_a_sentence_and_never_with_a_cause() {
        let told = Problem::from(Refusal::Change(ServiceKeyError::Unknown));
        assert_eq!(
            (told.code(), told.detail()),
            (
                Code::NoSuchService,
                "There is no such service key; look at the list of services."
            )
        );
        let fault = Fault::Unavailable("a cause with names of files".to_owned());
        for hidden in [Refusal::Fault(fault), Refusal::Halves] {
            let told = Problem::from(hidden);
            assert!(told.code().status() >= 500);
            assert!(!told.detail().contains("cause with") && !told.detail().contains("halves"));
        }
    }
}
