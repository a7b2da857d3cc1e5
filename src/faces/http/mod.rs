//! What every answer has in common: problem documents, headers, the CSRF defence, the access log.

mod access;
mod body;
mod client_ip;
mod cookie;
mod crowd;
mod csrf;
mod device;
mod early;
pub(crate) mod endpoints;
mod extract;
mod failures;
mod headers;
mod ingest;
pub mod openapi;
pub mod operations;
mod origin;
pub mod pages;
mod problem;
mod received;

pub use access::access_log;
pub use body::{LARGE_JSON_BYTES, Limited, SMALL_JSON_BYTES, extractors, refuse_other_charsets};
pub use client_ip::client_ip;
pub use cookie::{cookie_name, middleware};
pub use crowd::{Crowd, limit_crowd};
pub use csrf::refuse_foreign;
pub use early::Early;
pub(crate) use extract::{enforce, signed_in};
pub use failures::explain_failures;
pub use headers::{ADMIN_CSP, CSP, security_headers};
