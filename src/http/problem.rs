//! RFC 9457 problem documents: the one error type of the HTTP interface.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};

/// Seconds after which a key provider that did not answer is worth another request.
const KEYS_RETRY_SECS: u64 = 10;

/// An answer that is not a success.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    retry_after: Option<u64>,
    extra: Map<String, Value>,
}

/// The body of a problem document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemBody {
    /// `about:blank` or `/problems/<code>`.
    pub r#type: String,
    /// The same short sentence for every problem of this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable name that a client matches on.
    pub code: String,
    /// What happened this time, and what to do next.
    pub detail: String,
}

impl Problem {
    /// Makes a problem with a stable `code`.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            title,
            detail: detail.into(),
            retry_after: None,
            extra: Map::new(),
        }
    }

    /// 400: the request cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed-request",
            "The request cannot be read",
            detail,
        )
    }

    /// 401: nobody is signed in.
    pub fn signed_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "signed-out",
            "Nobody is signed in",
            "Sign in and try again.",
        )
    }

    /// 403: signed in, and not allowed to.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// 404: there is no such thing.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Nothing is here",
            "Check the address.",
        )
    }

    /// 404: the message is not here, or no longer, or not for this account.
    pub fn gone() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "gone",
            "The message is not here",
            "It was read, has expired, vanished in a restart, or never was.",
        )
    }

    /// 409: the state does not allow it.
    pub fn conflict(code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, title, detail)
    }

    /// 413: more bytes than this address takes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The request is too large",
            format!("At most {limit} bytes are taken here."),
        )
    }

    /// 415: a body of the wrong kind.
    pub fn wrong_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "wrong-content-type",
            "The body is of the wrong kind",
            format!("Send it as {expected}."),
        )
    }

    /// 429: too often.
    pub fn too_many(retry_after: u64) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many requests",
            "Wait as long as Retry-After says.",
        )
        .retry_after(retry_after)
    }

    /// 503: the key provider does not do its work now; the cause goes to the log once.
    pub fn keys_unreachable(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "the key provider cannot do its work");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "key-provider-unreachable",
            "The key provider does not answer",
            "Nothing was changed. The server asks its key provider again with the next request: \
             try again in a moment. Its log says why.",
        )
        .retry_after(KEYS_RETRY_SECS)
        .with("retry_after", KEYS_RETRY_SECS.into())
    }

    /// 500: the cause goes to the log once, and never to the caller.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The server failed",
            "Nothing was changed. Try again; the server's log has the cause.",
        )
    }

    /// Adds `Retry-After` in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }

    /// Returns the stable name.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns what happened this time.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.title, self.code)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut document = self.extra.clone();
        document.insert("type".into(), format!("/problems/{}", self.code).into());
        document.insert("title".into(), self.title.into());
        document.insert("status".into(), self.status.as_u16().into());
        document.insert("code".into(), self.code.into());
        document.insert("detail".into(), self.detail.clone().into());
        let mut response = HttpResponse::build(self.status);
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.body(Value::Object(document).to_string())
    }
}
