//! The encodings of a file or page: plain and compressed.
//!
//! Only public data that is the same for everybody is compressed: the length of compressed secrets reveals
//! something about them.

use actix_web::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderName, IF_NONE_MATCH, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

/// One form.
pub(super) struct Form {
    bytes: Bytes,
    etag: String,
    encoding: Option<&'static str>,
}

/// All forms of one thing.
pub(in crate::faces::http) struct Forms {
    plain: Form,
    /// The smallest first.
    packed: Vec<Form>,
}

impl Forms {
    /// The thing as it is; `hash` names its content.
    pub(in crate::faces::http) fn plain(bytes: Bytes, hash: &str) -> Self {
        let plain = Form {
            bytes,
            etag: format!("\"{hash}\""),
            encoding: None,
        };
        Self {
            plain,
            packed: Vec::new(),
        }
    }

    /// Adds a packed form.
    pub(super) fn add(&mut self, encoding: &'static str, bytes: Bytes, hash: &str) {
        self.packed.push(Form {
            bytes,
            etag: format!("\"{hash}-{encoding}\""),
            encoding: Some(encoding),
        });
        self.packed.sort_by_key(|form| form.bytes.len());
    }

    /// Answers in the smallest form that the client takes, or says that it has that already.
    pub(in crate::faces::http) fn answer(
        &self,
        request: &HttpRequest,
        headers: impl FnOnce(&mut HttpResponseBuilder),
    ) -> HttpResponse {
        let taken = |form: &&Form| form.encoding.is_some_and(|name| takes(request, name));
        let form = self.packed.iter().find(taken).unwrap_or(&self.plain);
        let unchanged = names(request, &IF_NONE_MATCH)
            .any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == form.etag);
        let mut response = if unchanged {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        headers(&mut response);
        response
            .insert_header((VARY, "accept-encoding"))
            .insert_header((ETAG, form.etag.as_str()));
        if unchanged {
            return response.finish();
        }
        if let Some(encoding) = form.encoding {
            response.insert_header((CONTENT_ENCODING, encoding));
        }
        response.body(Bytes::clone(&form.bytes))
    }
}

/// The members of a header that is a list.
fn names<'a>(request: &'a HttpRequest, header: &HeaderName) -> impl Iterator<Item = &'a str> {
    request
        .headers()
        .get_all(header)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Whether an encoding is named and not refused.
fn takes(request: &HttpRequest, encoding: &str) -> bool {
    names(request, &ACCEPT_ENCODING)
        .filter_map(|choice| choice.strip_prefix(encoding))
        .any(|rest| rest.is_empty() || (rest.starts_with(';') && !refused(rest)))
}

/// Whether a weight is zero.
fn refused(parameters: &str) -> bool {
    parameters
        .split_once("q=")
        .and_then(|(_, weight)| weight.trim().parse::<f32>().ok())
        .is_some_and(|weight| weight <= 0.0)
}
