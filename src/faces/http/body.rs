//! Bodies: limits, media types, and refusals of others.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::middleware::Next;
use actix_web::web::{JsonConfig, PathConfig, QueryConfig, ServiceConfig};
use actix_web::{Error, HttpMessage, HttpRequest};

use crate::app::Problem;

/// Largest JSON body in bytes by default.
pub const SMALL_JSON_BYTES: usize = 64 << 10;

/// Largest JSON body in bytes of routes that write a safe or a batch of prekeys.
pub const LARGE_JSON_BYTES: usize = 2 << 20;

/// Registers the extractors' limits and their problem documents.
pub fn extractors(config: &mut ServiceConfig) {
    config
        .app_data(json(SMALL_JSON_BYTES))
        .app_data(PathConfig::default().error_handler(|error, _| path_problem(&error).into()))
        .app_data(QueryConfig::default().error_handler(|error, _| query_problem(&error).into()));
}

/// Marks a route that takes larger JSON.
pub struct Limited;

impl Limited {
    /// Returns the configuration of a route that writes a safe or a batch.
    pub fn large() -> JsonConfig {
        json(LARGE_JSON_BYTES)
    }
}

fn json(limit: usize) -> JsonConfig {
    JsonConfig::default()
        .limit(limit)
        .content_type(|kind| kind == "application/json")
        .error_handler(move |error, _| Error::from(json_problem(&error, limit)))
}

/// Middleware: refuses a body in another character set than it would be read in.
pub async fn refuse_other_charsets(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let kind = request.mime_type().ok().flatten();
    let charset = kind.as_ref().and_then(|kind| kind.get_param("charset"));
    if charset.is_some_and(|charset| !charset.as_str().eq_ignore_ascii_case("utf-8")) {
        return Err(Problem::wrong_type("UTF-8, the only character set that is taken").into());
    }
    next.call(request).await
}

fn json_problem(error: &JsonPayloadError, limit: usize) -> Problem {
    match error {
        JsonPayloadError::ContentType => Problem::wrong_type("application/json"),
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            Problem::too_large(limit)
        }
        // serde's text names the field and the place, and may quote a value: keep the place only.
        JsonPayloadError::Deserialize(error) => Problem::malformed(format!(
            "The JSON does not fit at line {}, column {}.",
            error.line(),
            error.column()
        )),
        _ => Problem::malformed("The body broke off."),
    }
}

fn path_problem(_: &PathError) -> Problem {
    Problem::not_found()
}

fn query_problem(_: &QueryPayloadError) -> Problem {
    Problem::malformed("The query does not fit.")
}

/// Refuses what is not `application/octet-stream`.
pub(crate) fn require_octets(request: &HttpRequest) -> Result<(), Problem> {
    if request.content_type() == "application/octet-stream" {
        Ok(())
    } else {
        Err(Problem::wrong_type("application/octet-stream"))
    }
}
