//! Pages and assets: rendered once at the start from the bundle, the same bytes for everybody.

mod assets;
pub mod rendered;
mod templates;
pub mod time;
pub mod well_known;

use std::collections::HashMap;
use std::path::Path;

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderValue, IF_NONE_MATCH, VARY,
};
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use crate::http::Problem;
use crate::state::App;

pub use assets::{Assets, BundleError};

/// What to say where there is no bundle.
const UNAVAILABLE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<title>Secure Messaging</title><h1>The pages are missing</h1>\
<p>This server was started without its browser bundle: run <code>cargo xtask serve</code>.</p>";

/// Every page and asset, in memory.
pub struct Pages(Option<Loaded>);

struct Loaded {
    assets: Assets,
    pages: HashMap<&'static str, Bytes>,
}

impl Pages {
    /// Loads the bundle and renders the pages; a folder that is not there means no pages.
    pub fn load(folder: &Path) -> Result<Self, BundleError> {
        let Some(assets) = Assets::load(folder)? else {
            return Ok(Self(None));
        };
        let pages = templates::render_all(&assets)?;
        Ok(Self(Some(Loaded { assets, pages })))
    }

    /// Returns the hash of the bundle.
    pub fn bundle_hash(&self) -> Option<&str> {
        self.assets().map(Assets::bundle_hash)
    }

    /// Returns the bundle's files.
    pub fn assets(&self) -> Option<&Assets> {
        self.0.as_ref().map(|loaded| &loaded.assets)
    }

    /// Says that there is no bundle.
    pub fn unavailable(&self) -> HttpResponse {
        HttpResponse::ServiceUnavailable()
            .content_type("text/html; charset=utf-8")
            .body(UNAVAILABLE)
    }
}

/// Answers with a page.
pub async fn page(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let Some(loaded) = &app.pages().0 else {
        return app.pages().unavailable();
    };
    let Some(bytes) = loaded.pages.get(request.path()) else {
        return actix_web::ResponseError::error_response(&Problem::not_found());
    };
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            "integrity-policy",
            HeaderValue::from_static("blocked-destinations=(script)"),
        ))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(Bytes::clone(bytes))
}

/// Answers with an asset; its name has its fingerprint, so it never changes.
pub async fn asset(
    app: Data<App>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let Some(loaded) = &app.pages().0 else {
        return Ok(app.pages().unavailable());
    };
    let file = loaded.assets.file(&path).ok_or_else(Problem::not_found)?;
    let form = file.form(takes_gzip(&request));
    let known = request.headers().get(IF_NONE_MATCH);
    let unchanged = known.is_some_and(|tag| tag.as_bytes() == form.etag.as_bytes());
    let mut response = if unchanged {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((VARY, "accept-encoding"))
        .insert_header((ETAG, form.etag.as_str()))
        .content_type(file.content_type);
    if unchanged {
        return Ok(response.finish());
    }
    if let Some(encoding) = form.encoding {
        response.insert_header((CONTENT_ENCODING, encoding));
    }
    Ok(response.body(Bytes::clone(&form.bytes)))
}

/// Says whether gzip is named and not refused.
fn takes_gzip(request: &HttpRequest) -> bool {
    request
        .headers()
        .get_all(ACCEPT_ENCODING)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|choice| choice.trim().strip_prefix("gzip"))
        .any(|rest| rest.is_empty() || (rest.starts_with(';') && !refused(rest)))
}

/// Says whether a weight is zero.
fn refused(parameters: &str) -> bool {
    parameters
        .split_once("q=")
        .and_then(|(_, weight)| weight.trim().parse::<f32>().ok())
        .is_some_and(|weight| weight <= 0.0)
}
