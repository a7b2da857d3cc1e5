//! Pages and assets: rendered once at the start from the bundle, the same bytes for everybody.

pub(crate) mod admin;
mod assets;
pub(in crate::faces::http) mod forms;
pub mod rendered;
mod templates;
pub mod well_known;

use std::collections::HashMap;
use std::path::Path;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::Problem;

use forms::Forms;

pub use assets::{Assets, BundleError};

/// What to say where there is no bundle.
const UNAVAILABLE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<title>Secure Messaging</title><h1>The pages are missing</h1>\
<p>This server was started without its browser bundle: run <code>cargo xtask serve</code>.</p>";

/// Every page and asset, in memory.
pub struct Pages(Option<Loaded>);

struct Loaded {
    assets: Assets,
    pages: HashMap<&'static str, Forms>,
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
pub async fn page(pages: Data<Pages>, request: HttpRequest) -> HttpResponse {
    let Some(loaded) = &pages.0 else {
        return pages.unavailable();
    };
    let Some(forms) = loaded.pages.get(request.path()) else {
        return actix_web::ResponseError::error_response(&Problem::not_found());
    };
    forms.answer(&request, |response| {
        response
            .content_type("text/html; charset=utf-8")
            .insert_header(("integrity-policy", "blocked-destinations=(script)"))
            .insert_header((CACHE_CONTROL, "no-cache"));
    })
}

/// Answers with an asset; its name has its fingerprint, so it never changes.
pub async fn asset(
    pages: Data<Pages>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let Some(loaded) = &pages.0 else {
        return Ok(pages.unavailable());
    };
    let file = loaded.assets.file(&path).ok_or_else(Problem::not_found)?;
    Ok(file.forms.answer(&request, |response| {
        response
            .content_type(file.content_type)
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    }))
}
