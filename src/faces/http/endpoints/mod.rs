//! The addresses of the API: each reads a request, makes one call to a use case, and answers.

pub(crate) mod account;
pub(crate) mod administration;
pub(crate) mod entering;
pub(crate) mod people;
pub(crate) mod safes;
pub(crate) mod sealed;
pub(crate) mod service_keys;
pub(crate) mod sessions;

use actix_web::HttpResponse;

use crate::app::Problem;

/// An answer of an address.
type Answer = Result<HttpResponse, Problem>;

/// Answers that it is done.
fn done(outcome: Result<(), Problem>) -> Answer {
    outcome.map(|()| HttpResponse::NoContent().finish())
}
