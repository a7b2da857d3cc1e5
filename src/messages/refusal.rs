//! The vault's refusals as problem documents; frames carry the same codes.

use actix_web::http::StatusCode;
use vault::{AddSlotsError, ClaimError, Full, LeaseError, PutError};

use crate::http::Problem;

impl From<Full> for Problem {
    fn from(full: Full) -> Self {
        match full {
            Full::TooLarge { limit, .. } => {
                Problem::too_large(usize::try_from(limit).unwrap_or(usize::MAX))
            }
            Full::Account { retry_after } => Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "quota",
                "Too much of yours waits unread",
                full.to_string(),
            )
            .retry_after(retry_after.as_secs()),
            Full::Vault { retry_after } => Problem::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "vault-full",
                "The server's memory for messages is full",
                full.to_string(),
            )
            .retry_after(retry_after.as_secs()),
        }
    }
}

impl From<PutError> for Problem {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Duplicate => Problem::conflict(
                "duplicate-message",
                "The message was posted before",
                error.to_string(),
            ),
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
            ClaimError::Taken => Problem::conflict(
                "taken",
                "The message is being read elsewhere",
                error.to_string(),
            ),
            ClaimError::NoEntropy => Problem::internal(&error),
        }
    }
}

impl From<LeaseError> for Problem {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Gone => Problem::gone(),
            LeaseError::StaleClaim => {
                Problem::conflict("stale-claim", "The claim is over", error.to_string())
            }
        }
    }
}

fn account_gone(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        StatusCode::GONE,
        "account-gone",
        "This account does not exist any more",
        error.to_string(),
    )
}

fn unfit(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "message-refused",
        "The message cannot be taken",
        error.to_string(),
    )
}
