//! The last resort: an error that is no problem document becomes one.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use super::Problem;

/// Middleware: whatever fails below with a 5xx of its own is logged with its cause and answered with
/// a problem document.
pub async fn explain_failures(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    next.call(request).await.map_err(explained)
}

fn explained(error: Error) -> Error {
    let is_ours = error.as_error::<Problem>().is_some();
    if is_ours || !error.as_response_error().status_code().is_server_error() {
        return error;
    }
    Problem::internal(&error).into()
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::error::{ErrorBadRequest, ErrorInternalServerError};
    use actix_web::http::header::CONTENT_TYPE;

    use super::*;

    #[actix_web::test]
    async fn an_error_without_words_gets_the_words_of_a_problem_and_keeps_its_cause_to_itself() {
        let answer = explained(ErrorInternalServerError("a disk of glass")).error_response();
        assert_eq!(answer.status(), 500);
        assert_eq!(
            answer
                .headers()
                .get(CONTENT_TYPE)
                .map(|kind| kind.as_bytes()),
            Some(&b"application/problem+json"[..])
        );
        let body = to_bytes(answer.into_body()).await.unwrap_or_default();
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains("\"internal\""), "{body}");
        assert!(!body.contains("glass"), "{body}");
    }

    #[actix_web::test]
    async fn what_is_a_problem_already_or_no_fault_of_the_server_stays() {
        let problem = explained(Problem::forbidden("not you").into());
        assert_eq!(problem.as_response_error().status_code(), 403);
        let outage = explained(Problem::keys_unreachable(&"gone").into());
        assert_eq!(outage.as_response_error().status_code(), 503);
        let bad = explained(ErrorBadRequest("what the caller did"));
        assert!(bad.as_error::<Problem>().is_none());
    }
}
