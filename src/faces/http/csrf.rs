//! The CSRF defence: `Origin` and `Sec-Fetch-Site` decide, without tokens.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{RequestHead, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, ORIGIN, UPGRADE};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};
use api::Code;

use crate::app::App;
use crate::config::PublicUrl;

use crate::app::Problem;

/// The header of native clients, which no page can make a browser send.
const NATIVE: &str = "x-secure-messaging";

/// Middleware: refuses what another site's page made a browser send.
///
/// A form on another site cannot set a header, and a script on another site must ask first
/// (a preflight, which is never answered), so the native header is safe to accept.
pub async fn refuse_foreign(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes || asks_for_a_socket(request.head()) {
        let own = request
            .app_data::<web::Data<App>>()
            .is_some_and(|app| is_own(request.headers(), app.public_url()));
        if !own {
            let refusal = Problem::new(
                Code::ForeignOrigin,
                "Open the page under its public address; a native client sends \
                 X-Secure-Messaging: 1.",
            );
            return Ok(request
                .into_response(refusal.error_response())
                .map_into_right_body());
        }
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Returns whether the handshake could make a WebSocket of this request. Any other `Upgrade` is ignored, as
/// [RFC 9110, 7.8](https://www.rfc-editor.org/rfc/rfc9110#section-7.8) lets a server do.
fn asks_for_a_socket(head: &RequestHead) -> bool {
    let protocols = head.headers().get_all(UPGRADE);
    let websocket = |value: &[u8]| {
        value
            .to_ascii_lowercase()
            .windows(9)
            .any(|w| w == b"websocket")
    };
    head.upgrade()
        && protocols
            .into_iter()
            .any(|value| websocket(value.as_bytes()))
}

fn is_own(headers: &HeaderMap, public_url: &PublicUrl) -> bool {
    let origin = headers.get(ORIGIN);
    let site = headers.get("sec-fetch-site");
    if let Some(origin) = origin
        && !origin.to_str().is_ok_and(|text| public_url.is_origin(text))
    {
        return false;
    }
    if let Some(site) = site
        && !matches!(site.as_bytes(), b"same-origin" | b"none")
    {
        return false;
    }
    origin.is_some() || site.is_some() || headers.get(NATIVE).is_some_and(|value| value == "1")
}
