//! Pages that are rendered for a request: none of them holds a key.

use actix_web::error::InternalError;
use actix_web::http::header::{ACCEPT, CONTENT_SECURITY_POLICY};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse};
use api::Code;
use askama::Template;

use crate::app::Problem;
use crate::faces::http::ADMIN_CSP;

use super::{Assets, Pages};

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    assets: &'a Assets,
    title: &'a str,
    detail: &'a str,
}

/// Answers with a page, under the policy of pages that need no WebAssembly.
pub fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse, Problem> {
    let body = page.render().map_err(|cause| Problem::internal(&cause))?;
    Ok(HttpResponse::build(status)
        .insert_header((CONTENT_SECURITY_POLICY, ADMIN_CSP))
        .content_type("text/html; charset=utf-8")
        .body(body))
}

/// Renders a problem document as a page for people.
pub fn problem(
    assets: &Assets,
    status: StatusCode,
    title: &str,
    detail: &str,
) -> Result<HttpResponse, Problem> {
    let page = ProblemPage {
        assets,
        title,
        detail,
    };
    html(status, &page)
}

/// Makes the refusal of a request: a page where a page was asked for, the problem document otherwise.
pub(crate) fn refusal(request: &HttpRequest, problem: Problem) -> Error {
    let refused = matches!(problem.code(), Code::SignedOut | Code::Forbidden);
    let pages = request.app_data::<Data<Pages>>();
    let Some(pages) = pages.filter(|_| refused && !request.path().starts_with("/api/")) else {
        return problem.into();
    };
    let page = match pages.assets() {
        None => Ok(pages.unavailable()),
        Some(assets) => self::problem(
            assets,
            StatusCode::FORBIDDEN,
            "Administrators only",
            "Sign in as an administrator or an auditor. This attempt was written to the audit log.",
        ),
    };
    match page {
        Ok(page) => InternalError::from_response(problem, page).into(),
        Err(problem) => problem.into(),
    }
}

/// Returns whether a person opened the address in a browser.
pub fn is_visit(request: &HttpRequest) -> bool {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let takes_html = || {
        let named = request.headers().get_all(ACCEPT);
        let mut named = named.filter_map(|value| value.to_str().ok());
        named.any(|value| value.contains("text/html"))
    };
    reads && !request.path().starts_with("/api/") && takes_html()
}
