//! Addresses that other programs expect.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;

use crate::app::App;

/// Seconds after which `security.txt` should be read again: half a year.
const LIFE: u64 = 182 * 86_400;

/// Returns `security.txt` ([RFC 9116](https://www.rfc-editor.org/rfc/rfc9116)).
pub async fn security_txt(app: Data<App>) -> HttpResponse {
    let expires = crate::app::time::format(app.boot().started_at() + LIFE).replace(' ', "T");
    let origin = app.public_url().origin();
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(format!(
            "Contact: {}\nExpires: {expires}Z\nPreferred-Languages: en\n\
             Canonical: {origin}/.well-known/security.txt\n",
            app.config().security_contact,
        ))
}

/// Redirects password managers to the change of the passphrase.
pub async fn change_password() -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, "/settings#passphrase"))
        .finish()
}
