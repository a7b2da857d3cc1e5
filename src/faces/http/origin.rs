//! Reads from a request where it comes from.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::app::origin::{Arrival, ClientIp, Origin, RequestId};

use super::client_ip::client_ip;

impl Origin {
    /// Reads it from a request; number and arrival are those that the access log noted.
    pub fn of(request: &HttpRequest) -> Self {
        let agent = request.headers().get("user-agent");
        let agent = agent.and_then(|value| value.to_str().ok()).unwrap_or("");
        let noted = request.extensions();
        let id = noted.get::<RequestId>().copied();
        let arrival = noted.get::<Arrival>().cloned();
        Self::new(
            client_ip(request),
            id.unwrap_or(RequestId(0)),
            arrival,
            agent,
        )
    }
}

impl FromRequest for Origin {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

impl FromRequest for ClientIp {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(client_ip(request)))
    }
}
