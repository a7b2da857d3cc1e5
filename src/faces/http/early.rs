//! Refusing a request whose client asks first whether its body is wanted (`Expect: 100-continue`).

use actix_web::HttpMessage;
use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, COOKIE};

use crate::config::PublicUrl;
use crate::routes::{LARGE, TABLE};

use super::{LARGE_JSON_BYTES, SMALL_JSON_BYTES, cookie_name};
use crate::app::Problem;

/// What is known of an endpoint before a body is read.
struct Row {
    method: Method,
    path: ResourceDef,
    signed_in: bool,
    /// Most bytes of JSON.
    limit: Option<usize>,
}

/// The endpoints, and the cookie without which some of them refuse everybody.
pub struct Early {
    rows: Vec<Row>,
    cookie: String,
}

impl Early {
    /// Reads the table.
    pub fn new(public_url: &PublicUrl) -> Self {
        let rows = TABLE.iter().filter_map(|row| {
            let json = row.input.as_ref()?.media_type == "application/json";
            let limit = match LARGE.contains(&row.path) {
                true => LARGE_JSON_BYTES,
                false => SMALL_JSON_BYTES,
            };
            Some(Row {
                method: row.method.parse().ok()?,
                path: ResourceDef::new(row.path),
                signed_in: row.permission.is_some(),
                limit: json.then_some(limit),
            })
        });
        Self {
            rows: rows.collect(),
            cookie: format!("{}=", cookie_name(public_url)),
        }
    }

    /// What the request is refused with, if that is certain; its handler says the rest.
    pub fn refusal(&self, request: &actix_http::Request) -> Option<Problem> {
        let fits =
            |row: &&Row| row.method == *request.method() && row.path.is_match(request.path());
        let row = self.rows.iter().find(fits)?;
        let headers = request.headers();
        let mut cookies = headers
            .get_all(COOKIE)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'));
        if row.signed_in && !cookies.any(|pair| pair.trim_start().starts_with(&self.cookie)) {
            return Some(Problem::signed_out());
        }
        let length = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
        let length: u64 = length.trim().parse().ok()?;
        let limit = row.limit.filter(|limit| length > *limit as u64)?;
        Some(Problem::too_large(limit))
    }
}
