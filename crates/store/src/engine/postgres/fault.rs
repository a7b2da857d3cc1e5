//! PostgreSQL's errors, sorted by what can be done about them.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::engine::place::Place;
use crate::fault::Fault;

/// The fault of a statement about a row.
pub(crate) fn fault(place: Place<'_>, error: &Error) -> Fault {
    let Some(state) = error.code() else {
        return Fault::Unavailable(described(error));
    };
    match state.code() {
        // No room: of a disk, of memory for shared locks, of a quota.
        "53100" => Fault::Full,
        "XX001" | "XX002" => place.damaged(described(error)),
        _ => Fault::Unavailable(described(error)),
    }
}

/// Whether the same statements may well succeed when they are run again.
pub(crate) fn is_contention(error: &Error) -> bool {
    let of = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
    ];
    error.code().is_some_and(|state| of.contains(state))
}

/// Whether the role may not do what was asked.
pub(crate) fn is_denied(error: &Error) -> bool {
    error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
}

/// Whether this only says that an earlier statement of the transaction failed.
pub(crate) fn follows_another(error: &Error) -> bool {
    error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)
}

/// PostgreSQL's own words; the library's leave them out. No detail: it may quote values.
pub(crate) fn described(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => format!(
            "PostgreSQL says: {} ({})",
            said.message(),
            said.code().code()
        ),
        None => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(inner) = cause {
                text = format!("{text}: {inner}");
                cause = inner.source();
            }
            plain(text)
        }
    }
}

/// The library's words with what is to be done, where they do not say it.
fn plain(text: String) -> String {
    let advice = [
        (
            "password missing",
            "it asks for a password: set DATABASE_PASSWORD",
        ),
        (
            "CaUsedAsEndEntity",
            "its certificate is that of an authority, as self-signed ones are: give it one for its host name that \
             an authority signed, and name that authority's in database_ca",
        ),
        (
            "UnknownIssuer",
            "no authority that is known here signed its certificate: name the one that did in database_ca",
        ),
    ];
    let mut fitting = advice.into_iter().filter(|(said, _)| text.contains(said));
    match fitting.next() {
        Some((_, advice)) => advice.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_says_in_its_own_terms_is_said_with_what_to_do() {
        for (said, word) in [
            (
                "invalid configuration: password missing",
                "DATABASE_PASSWORD",
            ),
            (
                "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))",
                "database_ca",
            ),
            ("invalid peer certificate: UnknownIssuer", "database_ca"),
            ("connection refused", "connection refused"),
        ] {
            let told = plain(said.to_owned());
            assert!(told.contains(word), "{told}");
        }
    }
}
