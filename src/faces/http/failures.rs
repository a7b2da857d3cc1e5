//! Turns a panic, and an error that is not a problem document, into a problem document.

use std::panic::AssertUnwindSafe;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use futures_util::FutureExt;

use crate::app::Problem;

/// Middleware: whatever fails below with a 5xx of its own is logged with its cause and answered with
/// a problem document. So is whoever asked when a handler panicked: without this the connection would
/// end without an answer. Locks that were held are taken again by whoever comes next, as everywhere.
pub async fn explain_failures(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let answer = AssertUnwindSafe(async move { next.call(request).await });
    match answer.catch_unwind().await {
        Ok(answer) => answer.map_err(explained),
        // The log has its place already. What it says may be a client's.
        Err(_) => Err(Problem::panicked().into()),
    }
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
    use actix_web::App;
    use actix_web::body::to_bytes;
    use actix_web::error::{ErrorBadRequest, ErrorInternalServerError};
    use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, try_call_service};
    use actix_web::web::get;

    use super::*;
    use crate::faces::http::security_headers;

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
    async fn a_panic_is_answered_with_the_words_of_a_problem_and_nothing_of_its_own() {
        async fn broken() -> &'static str {
            let quotient = [1_u8].iter().map(|n| n - 1).find(|n| *n > 0);
            quotient.map(|_| "").expect("a name of a client")
        }
        let app = App::new().wrap(from_fn(explain_failures));
        let app = app.wrap(from_fn(security_headers));
        let app = app.route("/broken", get().to(broken));
        let app = init_service(app.route("/whole", get().to(|| async { "whole" }))).await;
        for _ in 0..2 {
            let request = TestRequest::get().uri("/broken").to_request();
            let error = try_call_service(&app, request).await.err().unwrap();
            let answer = error.error_response();
            assert_eq!(answer.status(), 500);
            assert!(answer.headers().contains_key(CONTENT_SECURITY_POLICY));
            let body = to_bytes(answer.into_body()).await.unwrap_or_default();
            let body = String::from_utf8_lossy(&body);
            assert!(body.contains("\"internal\""), "{body}");
            assert!(!body.contains("client"), "{body}");
        }
        let request = TestRequest::get().uri("/whole").to_request();
        assert_eq!(try_call_service(&app, request).await.unwrap().status(), 200);
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
