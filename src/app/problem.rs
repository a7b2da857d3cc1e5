//! Why a use case refuses, in the words of the contract.

use std::fmt;

use api::{Code, bodies};
use serde_json::{Map, Value};
use store::{Fault, UserId};

use crate::app::limits::Limit;

/// A refusal or a failure, as a caller is told of it on any road.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    retry_after: Option<u64>,
    extra: Map<String, Value>,
    limit: Option<Limit>,
    about: Option<UserId>,
}

impl Problem {
    /// Makes a problem; its status and title are the code's.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after: code.words().wait.map(u64::from),
            extra: Map::new(),
            limit: None,
            about: None,
        }
    }

    /// 400: the request cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Code::MalformedRequest, detail)
    }

    /// 401: nobody is signed in.
    pub fn signed_out() -> Self {
        Self::new(Code::SignedOut, "Sign in and try again.")
    }

    /// 403: the account's role does not allow it.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Code::Forbidden, detail)
    }

    /// 404: there is no such thing.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "Check the address.")
    }

    /// 404: the message is not here, or no longer, or not for this account.
    pub fn gone() -> Self {
        Self::new(
            Code::Gone,
            "It was read, has expired, vanished in a restart, or never was.",
        )
    }

    /// 413: more bytes than this address takes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            Code::TooLarge,
            format!("At most {limit} bytes are taken here."),
        )
    }

    /// 415: a body of the wrong kind.
    pub fn wrong_type(expected: &str) -> Self {
        Self::new(Code::WrongContentType, format!("Send it as {expected}."))
    }

    /// 429: a limit fired.
    pub fn over(limit: Limit, retry_after: u64) -> Self {
        let words = Code::TooManyRequests.words();
        let seconds = u32::try_from(retry_after.max(1)).unwrap_or(u32::MAX);
        Self::new(Code::TooManyRequests, words.told(Some(seconds)))
            .retry_after(retry_after)
            .by(limit)
    }

    /// 503: the key provider does not do its work now; the cause goes to the log once.
    pub fn keys_unreachable(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "the key provider cannot do its work");
        Self::new(
            Code::KeyProviderUnreachable,
            "The server asks its key provider again with the next request. Its log says why it failed.",
        )
    }

    /// 500: the cause goes to the log once, and never to the caller.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            Code::Internal,
            "Nothing was changed. Try again; the server's log has the cause.",
        )
    }

    /// 500: a handler panicked; the log has the place.
    pub fn panicked() -> Self {
        Self::new(
            Code::Internal,
            "Try again; the server's log says in which place it failed.",
        )
    }

    /// Says how many seconds to wait: in the document and as `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// Names the limit that fired, for the audit log only.
    #[must_use]
    pub fn by(mut self, limit: Limit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Names the account that it is about, for the audit log only.
    #[must_use]
    pub fn about(mut self, user: Option<UserId>) -> Self {
        self.about = user;
        self
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }

    /// Returns the code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the seconds to wait, where waiting helps.
    pub fn seconds(&self) -> Option<u64> {
        self.retry_after
    }

    /// Returns the limit that fired, if one did.
    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// Returns the account that it is about, where the caller is not signed in to it.
    pub fn subject(&self) -> Option<UserId> {
        self.about
    }

    /// Returns what happened this time.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code.title(), self.code.name())
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// Makes the document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457#section-3)).
    pub fn document(&self) -> Value {
        let body = bodies::Problem {
            retry_after: self.retry_after,
            ..bodies::Problem::new(self.code, self.detail.clone())
        };
        let mut document = serde_json::to_value(body).unwrap_or_default();
        if let Some(document) = document.as_object_mut() {
            document.extend(self.extra.clone());
        }
        document
    }
}

impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        if matches!(fault, Fault::Full) {
            tracing::error!(cause = %fault, "the disk is full");
            Problem::new(
                Code::DiskFull,
                "Nothing was changed. Tell the server's operator, who can free some space; then \
                 try again.",
            )
            .retry_after(60)
        } else if matches!(fault, Fault::Keys(_)) {
            Problem::keys_unreachable(fault)
        } else if fault.is_temporary() {
            tracing::error!(cause = %fault, "the store did not answer");
            Problem::new(
                Code::Unavailable,
                "Nothing was changed. Try again in a moment.",
            )
            .retry_after(5)
        } else {
            Problem::internal(fault)
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::from(&fault)
    }
}
