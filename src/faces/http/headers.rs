//! Security headers of every answer.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use crate::app::App;

/// Content security policy of pages and worker scripts; a worker obeys only the policy of its own response.
pub const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; \
worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
require-trusted-types-for 'script'; trusted-types app";

/// The admin pages hold no key, so they need no WebAssembly and no worker.
pub const ADMIN_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
connect-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; \
form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
require-trusted-types-for 'script'; trusted-types app";

/// Content security policy of a script that runs as a worker. For a module of a page, the page's policy holds.
const SCRIPT_CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Headers of a file of the bundle; the others concern documents.
const OF_FILES: &[(&str, &str)] = &[
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
];

const FIXED: &[(&str, &str)] = &[
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    (
        "permissions-policy",
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), \
         geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), \
         payment=(), serial=(), usb=(), browsing-topics=()",
    ),
];

/// Middleware: adds the security headers that an answer does not set itself.
pub async fn security_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let https = request
        .app_data::<web::Data<App>>()
        .is_some_and(|app| app.public_url().is_https());
    let file = request.path().starts_with("/static/");
    let mut response = match next.call(request).await {
        Ok(response) => response,
        // Without a request of its own there is no response yet: the error becomes one.
        Err(error) => {
            let mut response = error.error_response();
            complete(response.headers_mut(), false, https);
            return Err(InternalError::from_response(error, response).into());
        }
    };
    let file =
        file && !(response.status().is_client_error() || response.status().is_server_error());
    complete(response.headers_mut(), file, https);
    Ok(response)
}

fn complete(headers: &mut HeaderMap, file: bool, https: bool) {
    let (fixed, policy) = match file.then(|| of_file(headers)) {
        Some(policy) => (OF_FILES, policy),
        None => (FIXED, Some(CSP)),
    };
    for (name, value) in fixed {
        put(headers, HeaderName::from_static(name), value);
    }
    if let Some(policy) = policy {
        put(headers, header::CONTENT_SECURITY_POLICY, policy);
    }
    put(headers, header::CACHE_CONTROL, "no-store");
    if https {
        put(
            headers,
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=63072000; includeSubDomains",
        );
    }
}

/// Returns the policy of a file that can be run or opened by itself.
fn of_file(headers: &HeaderMap) -> Option<&'static str> {
    let of = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    match of {
        Some(b"text/css; charset=utf-8" | b"application/wasm" | b"application/manifest+json") => {
            None
        }
        Some(b"text/javascript; charset=utf-8") => Some(SCRIPT_CSP),
        _ => Some(CSP),
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
