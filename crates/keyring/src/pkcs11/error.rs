//! Errors that the operator has to correct, and errors that pass by themselves.

use std::path::PathBuf;

use cryptoki::error::{Error, RvError};

use crate::pkcs11::pin::TokenSelector;
use crate::provider::ProviderError;

/// Why a token cannot be used as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs11Error {
    /// There is no such file.
    #[error(
        "there is no PKCS#11 module at {}: install the driver of the token (Debian's softhsm2 \
         for a token in software) or correct pkcs11_module",
        .0.display()
    )]
    ModuleNotFound(PathBuf),
    /// The file is something else, or needs something that is not there.
    #[error("the PKCS#11 module {} cannot be used: {reason}; correct pkcs11_module", path.display())]
    ModuleUnusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No slot has that token.
    #[error(
        "no token is {token}; the module sees {found}: plug the token in, initialise it or \
         correct pkcs11_token"
    )]
    TokenNotFound {
        /// What was looked for.
        token: TokenSelector,
        /// The labels that are there.
        found: String,
    },
    /// Two slots have a token of that name.
    #[error("several tokens are {0}: name the slot in pkcs11_token, as slot:NUMBER")]
    TokenAmbiguous(TokenSelector),
    /// The token cannot do what is needed of it.
    #[error("the token {token} has no {mechanism}: use a token with AES keys and AES-GCM")]
    MechanismMissing {
        /// The token.
        token: TokenSelector,
        /// The name of the mechanism.
        mechanism: &'static str,
    },
    /// The token refused the PIN; it is not tried again by this process.
    #[error(
        "the token {0} refuses the PIN: correct pkcs11_pin and start again; it is not tried \
         again by itself, because tokens lock after a few wrong PINs"
    )]
    PinWrong(TokenSelector),
    /// The token accepts no PIN any more.
    #[error("the PIN of the token {0} is locked: its security officer has to set a new one")]
    PinLocked(TokenSelector),
    /// The token was never given a PIN for its user, or wants a new one.
    #[error("the PIN of the token {0} has to be set: its security officer does that")]
    PinUnset(TokenSelector),
    /// The token has no key of that name.
    #[error(
        "the token {token} has no key {label}: it is another token, or the key was deleted; \
         without the key the database does not open, so restore the token's backup"
    )]
    KeyMissing {
        /// The token.
        token: TokenSelector,
        /// The name that was looked for.
        label: String,
    },
    /// The token has several keys of that name.
    #[error("the token {token} has several keys {label}: rename or delete those that are not ours")]
    KeyAmbiguous {
        /// The token.
        token: TokenSelector,
        /// The name.
        label: String,
    },
    /// The object of that name is not a key that may wrap DEKs.
    #[error(
        "the key {label} of the token {token} {fault}: rename or delete it, and restore the \
         right one from the token's backup"
    )]
    KeyUnsuitable {
        /// The token.
        token: TokenSelector,
        /// The name.
        label: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The token did not make a key.
    #[error("the token {token} made no key: {reason}; free some room on it or allow its user to")]
    KeyNotMade {
        /// The token.
        token: TokenSelector,
        /// What the token answered.
        reason: String,
    },
}

/// An error in the middle of work with a session.
pub(super) enum Failure {
    /// As the module said it.
    Module(Error),
    /// Already in our words.
    Ours(ProviderError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Module(error)
    }
}

impl<E: Into<ProviderError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Ours(error.into())
    }
}

/// Describes the answer of the module.
pub(super) fn answer(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("C_{function:?} answered {code:?}"),
        other => other.to_string(),
    }
}

/// Turns an answer of the module that is unrelated to the request into an outage.
pub(super) fn unreachable(token: &TokenSelector, error: &Error) -> ProviderError {
    ProviderError::Unreachable(format!("token {token}: {}", answer(error)))
}

pub(super) fn code(error: &Error) -> Option<RvError> {
    match error {
        Error::Pkcs11(code, _) => Some(*code),
        _ => None,
    }
}

/// Whether a new session and a new look for the key may help.
pub(super) fn is_lost(error: &Error) -> bool {
    use RvError::{
        CryptokiNotInitialized, DeviceError, DeviceRemoved, KeyHandleInvalid, ObjectHandleInvalid,
        OperationActive, OperationNotInitialized, SessionClosed, SessionHandleInvalid,
        SlotIdInvalid, TokenNotPresent, TokenNotRecognized, UserNotLoggedIn,
    };
    matches!(
        code(error),
        Some(
            CryptokiNotInitialized
                | DeviceError
                | DeviceRemoved
                | KeyHandleInvalid
                | ObjectHandleInvalid
                | OperationActive
                | OperationNotInitialized
                | SessionClosed
                | SessionHandleInvalid
                | SlotIdInvalid
                | TokenNotPresent
                | TokenNotRecognized
                | UserNotLoggedIn
        )
    )
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn an_answer_of_the_module_is_told_by_its_function_and_its_code() {
        let removed = Error::Pkcs11(RvError::DeviceRemoved, Function::Encrypt);
        assert_eq!(answer(&removed), "C_Encrypt answered DeviceRemoved");
        let ours = Error::NotSupported;
        assert_eq!(answer(&ours), ours.to_string());
        assert!(!answer(&ours).is_empty());
    }
}
