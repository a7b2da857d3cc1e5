//! Limits of the requests and bodies that one client may have in progress.

use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use actix_web::{Error, HttpMessage, ResponseError};
use api::Code;

use crate::platform::net::{Networks, Part};
use crate::routes::needs_an_account;

use super::received::{Counted, Received};
use crate::app::Problem;

/// Bodies up to this length are bounded by the number of requests.
pub(super) const SMALL_BYTES: u64 = 16 << 10;

/// The most bytes received of larger bodies in progress: of one network, and of all. Signed-in clients and
/// others have separate budgets of this size.
const BYTES_OF_ONE: u64 = 8 << 20;
const BYTES_OF_ALL: u64 = 32 << 20;

/// Seconds after which there is probably room again.
const RETRY_AFTER: u64 = 5;

/// Counts requests under way, and what has come of their bodies, by the client's network. Behind a
/// trusted proxy that is the one it names, so that one client does not take all of the proxy's.
#[derive(Debug, Clone)]
pub struct Crowd {
    requests: Networks,
    strangers: Networks,
    members: Networks,
}

impl Crowd {
    /// Allows one network this many requests in progress.
    pub fn new(requests_of_one: usize) -> Self {
        Self {
            requests: Networks::new(requests_of_one as u64, u64::MAX),
            strangers: Networks::shrinking(BYTES_OF_ONE, BYTES_OF_ALL),
            members: Networks::shrinking(BYTES_OF_ONE, BYTES_OF_ALL),
        }
    }

    fn admit(&self, request: &ServiceRequest) -> Result<Admitted, Problem> {
        let ip = super::client_ip::client_ip(request.request())
            .0
            .to_canonical();
        // Many may be behind an address of this machine: a tunnel, a proxy that names nobody.
        let ip = (!ip.is_loopback()).then_some(ip);
        let one = self.requests.take(ip, 1).ok_or_else(|| {
            full("Your network has as many requests under way as it may. Try again shortly.")
        })?;
        let large = may_be_large(request.headers());
        Ok(Admitted {
            _one: one,
            body: large.then(|| self.receive(request.path(), ip)),
        })
    }

    /// Starts to count a body. If the endpoint needs an account, a client without one is refused before its body
    /// comes, so that strangers do not take the room of accounts.
    fn receive(&self, path: &str, from: Option<IpAddr>) -> Rc<Received> {
        let room = match needs_an_account(path) {
            true => &self.members,
            false => &self.strangers,
        };
        Rc::new(Received::new(room.clone(), from))
    }
}

/// A request's share, given back with the last byte of its response.
struct Admitted {
    _one: Part,
    body: Option<Rc<Received>>,
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

/// Says whether a body may become so large that what comes of it counts.
fn may_be_large(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    let length: u64 = length.and_then(|v| v.parse().ok()).unwrap_or(0);
    headers.contains_key(TRANSFER_ENCODING) || length > SMALL_BYTES
}

fn full(detail: &str) -> Problem {
    Problem::new(Code::TooManyConnections, detail).retry_after(RETRY_AFTER)
}

/// Middleware: refuses what would be too much for one client, and for all.
pub async fn limit_crowd(
    crowd: web::Data<Crowd>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let refused = |problem: Problem| problem.error_response().map_into_right_body();
    let admitted = match crowd.admit(&request) {
        Ok(admitted) => admitted,
        Err(problem) => return Ok(request.into_response(refused(problem))),
    };
    if let Some(body) = &admitted.body {
        let payload = Counted::new(request.take_payload(), Rc::clone(body));
        request.set_payload(Payload::Stream {
            payload: Box::pin(payload),
        });
    }
    let response = next.call(request).await?;
    // The handler saw a body that broke off.
    if admitted.body.as_ref().is_some_and(|body| body.is_refused()) {
        let problem = full("As many large requests are on their way as may be. Try again shortly.");
        return Ok(response.into_response(refused(problem)));
    }
    Ok(response.map_body(|_, body| {
        EitherBody::left(Holding {
            body: Box::pin(body),
            _admitted: admitted,
        })
    }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const LARGE: usize = 2 << 20;

    fn to(path: &str, peer: &str, length: u64) -> ServiceRequest {
        TestRequest::post()
            .uri(path)
            .peer_addr(format!("{peer}:1").parse().unwrap())
            .insert_header((CONTENT_LENGTH, length))
            .to_srv_request()
    }

    fn from(peer: &str, length: u64) -> ServiceRequest {
        to("/api/v1/registration/finish", peer, length)
    }

    /// Lets a large request in, and this much of its body; nothing where that is too much.
    fn sends(crowd: &Crowd, path: &str, peer: &str, bytes: usize) -> Option<Admitted> {
        let admitted = crowd.admit(&to(path, peer, LARGE as u64)).ok()?;
        let body = Rc::clone(admitted.body.as_ref()?);
        let whole = (0..bytes).step_by(1 << 10).all(|_| body.came(1 << 10));
        assert_eq!(body.is_refused(), !whole);
        whole.then_some(admitted)
    }

    fn finish(crowd: &Crowd, peer: &str, bytes: usize) -> Option<Admitted> {
        sends(crowd, "/api/v1/registration/finish", peer, bytes)
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
    fn what_was_announced_and_does_not_come_takes_no_room() {
        let crowd = Crowd::new(100);
        let slow: Vec<_> = (1..=100)
            .map(|n| finish(&crowd, &format!("192.0.2.{n}"), 16 << 10))
            .collect();
        assert!(slow.iter().all(Option::is_some));
        assert!(finish(&crowd, "198.51.100.1", LARGE).is_some());
    }

    #[test]
    fn many_behind_an_address_of_this_machine_are_bounded_by_their_bytes_alone() {
        let crowd = Crowd::new(1);
        let small: Vec<_> = (0..100)
            .map(|_| crowd.admit(&from("127.0.0.1", 10)))
            .collect();
        assert!(small.iter().all(Result::is_ok));
        let large: Vec<_> = (0..100)
            .map_while(|_| finish(&crowd, "127.0.0.1", LARGE))
            .collect();
        assert_eq!(large.len() as u64, BYTES_OF_ALL / (2 << 20));
        assert!(finish(&crowd, "192.0.2.1", LARGE).is_none());
        assert!(crowd.admit(&from("192.0.2.1", 16 << 10)).is_ok());
    }

    #[test]
    fn the_large_bodies_of_one_client_leave_room_for_those_of_others() {
        let crowd = Crowd::new(100);
        let large: Vec<_> = (0..100)
            .map_while(|_| finish(&crowd, "192.0.2.1", LARGE))
            .collect();
        assert_eq!(large.len() as u64, BYTES_OF_ONE / (2 << 20));
        assert!(finish(&crowd, "192.0.2.2", LARGE).is_some());
        drop(large);
        assert!(finish(&crowd, "192.0.2.1", LARGE).is_some());
    }

    #[test]
    fn four_networks_that_send_all_they_may_leave_room_to_others_and_to_whoever_is_signed_in() {
        let crowd = Crowd::new(100);
        let mut held = Vec::new();
        for network in 1..=4 {
            let peer = format!("192.0.2.{network}");
            for bytes in [LARGE, 64 << 10] {
                held.extend((0..100).map_while(|_| finish(&crowd, &peer, bytes)));
            }
        }
        assert!(finish(&crowd, "198.51.100.1", 512 << 10).is_some());
        for path in ["/api/v1/safe", "/api/v1/messages/sealed/0f"] {
            assert!(sends(&crowd, path, "192.0.2.1", LARGE).is_some(), "{path}");
        }
        drop(held);
        assert!(finish(&crowd, "198.51.100.1", LARGE).is_some());
    }

    #[test]
    fn a_body_whose_length_is_not_told_counts_as_a_large_one() {
        let request = TestRequest::post().insert_header((TRANSFER_ENCODING, "chunked"));
        assert!(may_be_large(request.to_srv_request().headers()));
    }
}
