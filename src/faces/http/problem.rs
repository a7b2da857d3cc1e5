//! Problem documents ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457#section-3)) as answers of HTTP.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};

use crate::app::Problem;

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.seconds() {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.body(self.document().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::limits::Limit;

    #[test]
    fn what_says_how_long_to_wait_says_it_in_the_header_too() {
        let answer = Problem::over(Limit::Lookup, 20).error_response();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let seconds = answer.headers().get(RETRY_AFTER);
        assert_eq!(seconds.map(|value| value.as_bytes()), Some(&b"20"[..]));
    }
}
