//! What one client's requests may hold at once, wherever they come from.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use actix_web::{Error, ResponseError};
use api::Code;

use crate::net::{Networks, Part};

use super::{ClientIp, LARGE_JSON_BYTES, Problem};

/// Bodies up to this length are bounded by the number of requests.
const SMALL_BYTES: u64 = 16 << 10;

/// Bytes in larger bodies on their way: of one network, and of all.
const BYTES_OF_ONE: u64 = 8 << 20;
const BYTES_OF_ALL: u64 = 32 << 20;

/// Seconds after which there is room again, as likely as not.
const RETRY_AFTER: u64 = 5;

/// Counts requests under way, and the bytes of their bodies, by the client's network. Behind a
/// trusted proxy that is the one it names, so that one client does not take all of the proxy's.
#[derive(Debug, Clone)]
pub struct Crowd {
    requests: Networks,
    bytes: Networks,
}

impl Crowd {
    /// Lets one network have this many requests under way.
    pub fn new(requests_of_one: usize) -> Self {
        Self {
            requests: Networks::new(requests_of_one as u64, u64::MAX),
            bytes: Networks::new(BYTES_OF_ONE, BYTES_OF_ALL),
        }
    }

    fn admit(&self, request: &ServiceRequest) -> Result<Admitted, Problem> {
        let ip = ClientIp::of(request.request()).0.to_canonical();
        // Many may be behind an address of this machine: a tunnel, a proxy that names nobody.
        let ip = (!ip.is_loopback()).then_some(ip);
        let one = self.requests.take(ip, 1).ok_or_else(|| {
            full("Your network has as many requests under way as it may. Try again shortly.")
        })?;
        let bytes = match body_bytes(request.headers()) {
            0..=SMALL_BYTES => None,
            bytes => Some(self.bytes.take(ip, bytes).ok_or_else(|| {
                full("As many large requests are on their way as may be. Try again shortly.")
            })?),
        };
        Ok(Admitted {
            _one: one,
            _bytes: bytes,
        })
    }
}

/// A request's share, given back with the last byte of its response.
struct Admitted {
    _one: Part,
    _bytes: Option<Part>,
}

/// A response's body, and what its request holds until then.
struct Holding<B> {
    body: Pin<Box<B>>,
    _admitted: Admitted,
}

impl<B: MessageBody> MessageBody for Holding<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_mut().poll_next(cx)
    }
}

/// Returns how much of a body may have to be held. More than the largest is refused by its length.
fn body_bytes(headers: &HeaderMap) -> u64 {
    let largest = LARGE_JSON_BYTES as u64;
    if headers.contains_key(TRANSFER_ENCODING) {
        return largest;
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    let length: u64 = length.and_then(|v| v.parse().ok()).unwrap_or(0);
    length.min(largest)
}

fn full(detail: &str) -> Problem {
    Problem::new(Code::TooManyConnections, detail).retry_after(RETRY_AFTER)
}

/// Middleware: refuses what would be too much for one client, and for all.
pub async fn limit_crowd(
    crowd: web::Data<Crowd>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    match crowd.admit(&request) {
        Ok(admitted) => {
            let response = next.call(request).await?;
            Ok(response.map_body(|_, body| {
                EitherBody::left(Holding {
                    body: Box::pin(body),
                    _admitted: admitted,
                })
            }))
        }
        Err(problem) => Ok(request
            .into_response(problem.error_response())
            .map_into_right_body()),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn from(peer: &str, length: u64) -> ServiceRequest {
        TestRequest::post()
            .peer_addr(format!("{peer}:1").parse().unwrap())
            .insert_header((CONTENT_LENGTH, length))
            .to_srv_request()
    }

    #[test]
    fn one_client_has_so_many_requests_under_way_and_others_have_theirs() {
        let crowd = Crowd::new(2);
        let first = crowd.admit(&from("192.0.2.1", 10)).ok();
        let _second = crowd.admit(&from("192.0.2.1", 10)).ok().unwrap();
        let refused = crowd.admit(&from("192.0.2.1", 10)).err().unwrap();
        assert_eq!(refused.error_response().status(), 503);
        assert!(crowd.admit(&from("192.0.2.2", 10)).is_ok());
        drop(first);
        assert!(crowd.admit(&from("192.0.2.1", 10)).is_ok());
    }

    #[test]
    fn many_behind_an_address_of_this_machine_are_bounded_by_their_bytes_alone() {
        let crowd = Crowd::new(1);
        let small: Vec<_> = (0..100)
            .map(|_| crowd.admit(&from("127.0.0.1", 10)))
            .collect();
        assert!(small.iter().all(Result::is_ok));
        let large: Vec<_> = (0..100)
            .map_while(|_| crowd.admit(&from("127.0.0.1", 2 << 20)).ok())
            .collect();
        assert_eq!(large.len() as u64, BYTES_OF_ALL / (2 << 20));
        assert!(crowd.admit(&from("192.0.2.1", 2 << 20)).is_err());
        assert!(crowd.admit(&from("192.0.2.1", 16 << 10)).is_ok());
    }

    #[test]
    fn the_large_bodies_of_one_client_leave_room_for_those_of_others() {
        let crowd = Crowd::new(100);
        let large: Vec<_> = (0..100)
            .map_while(|_| crowd.admit(&from("192.0.2.1", 2 << 20)).ok())
            .collect();
        assert_eq!(large.len() as u64, BYTES_OF_ONE / (2 << 20));
        assert!(crowd.admit(&from("192.0.2.2", u64::MAX)).is_ok());
        drop(large);
        assert!(crowd.admit(&from("192.0.2.1", 2 << 20)).is_ok());
    }

    #[test]
    fn a_body_whose_length_is_not_told_counts_as_a_large_one() {
        let request = TestRequest::post().insert_header((TRANSFER_ENCODING, "chunked"));
        let bytes = body_bytes(request.to_srv_request().headers());
        assert_eq!(bytes, LARGE_JSON_BYTES as u64);
    }
}
