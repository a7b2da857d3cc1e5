//! The vault's refusals as problem documents; frames carry the same codes.

use api::Code;
use ephemeral::{AddSlotsError, ClaimError, Full, LeaseError, PutError, Unreachable};

use crate::app::Problem;
use crate::app::limits::Limit;

impl From<Unreachable> for Problem {
    fn from(unreachable: Unreachable) -> Self {
        tracing::error!(cause = %unreachable, "the ephemeral plane did not answer");
        Problem::new(Code::Unavailable, "Try again in a moment.").retry_after(5)
    }
}

impl From<Full> for Problem {
    fn from(full: Full) -> Self {
        match full {
            Full::TooLarge { limit, .. } => {
                Problem::too_large(usize::try_from(limit).unwrap_or(usize::MAX))
            }
            Full::Account { retry_after } => Problem::new(Code::Quota, full.to_string())
                .retry_after(retry_after.as_secs())
                .by(Limit::Quota),
            Full::Vault { retry_after } => {
                Problem::new(Code::VaultFull, full.to_string()).retry_after(retry_after.as_secs())
            }
        }
    }
}

impl From<PutError> for Problem {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Duplicate => Problem::new(Code::DuplicateMessage, error.to_string()),
            PutError::Erased => account_gone(&error),
            _ => unfit(&error),
        }
    }
}

impl From<AddSlotsError> for Problem {
    fn from(error: AddSlotsError) -> Self {
        match error {
            AddSlotsError::Gone => Problem::gone(),
            AddSlotsError::Full(full) => full.into(),
            AddSlotsError::Erased => account_gone(&error),
            _ => unfit(&error),
        }
    }
}

impl From<ClaimError> for Problem {
    fn from(error: ClaimError) -> Self {
        match error {
            // Whoever has no slot must not learn that the message exists.
            ClaimError::Gone | ClaimError::NotForYou => Problem::gone(),
            ClaimError::Taken => Problem::new(Code::Taken, error.to_string()),
            ClaimError::NoEntropy => Problem::internal(&error),
        }
    }
}

impl From<LeaseError> for Problem {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Gone => Problem::gone(),
            LeaseError::StaleClaim => Problem::new(Code::StaleClaim, error.to_string()),
        }
    }
}

fn account_gone(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::AccountGone, error.to_string())
}

fn unfit(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::MessageRefused, error.to_string())
}
