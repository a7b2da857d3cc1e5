//! What every answer has in common: problem documents, headers, the CSRF defence, the access log.

mod access;
mod body;
mod client_ip;
mod crowd;
mod csrf;
mod early;
mod failures;
mod headers;
pub mod openapi;
pub mod operations;
pub mod pages;
mod problem;
mod received;

pub use access::access_log;
pub use body::{LARGE_JSON_BYTES, Limited, SMALL_JSON_BYTES, extractors, refuse_other_charsets};
pub(crate) use body::{read_all, read_octets, require_octets};
pub use client_ip::{Arrival, ClientIp, RequestId};
pub use crowd::{Crowd, limit_crowd};
pub use csrf::refuse_foreign;
pub use early::Early;
pub use failures::explain_failures;
pub use headers::{ADMIN_CSP, CSP, security_headers};
pub use problem::Problem;
