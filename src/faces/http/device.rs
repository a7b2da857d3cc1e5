//! The cookie of a known device.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use crate::app::App;
use crate::app::sessions::DeviceCookie;

/// Days that a browser keeps the cookie, the most that browsers allow.
const LIFE_DAYS: i64 = 400;

/// Browsers refuse a `__Host-` cookie that did not come over TLS.
fn name(app: &App) -> &'static str {
    match app.public_url().is_https() {
        true => "__Host-device",
        false => "device",
    }
}

/// Makes the cookie.
pub(super) fn device_cookie(app: &App, text: String) -> Cookie<'static> {
    Cookie::build(name(app), text)
        .path("/")
        .secure(app.public_url().is_https())
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(Duration::days(LIFE_DAYS))
        .finish()
}

impl FromRequest for DeviceCookie {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>();
        let cookie = app.and_then(|app| request.cookie(name(app)));
        ready(Ok(Self(cookie.map(|cookie| cookie.value().to_owned()))))
    }
}
