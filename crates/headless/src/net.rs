//! Where the server is, and one HTTP request to it.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::error::ApiError;
use crate::profile::Profile;

/// Marks a client that is no browser, so that the server asks for neither Origin nor Sec-Fetch-Site.
pub(crate) const NATIVE_HEADER: &str = "x-secure-messaging";

/// A server's address, split once.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    base: String,
    authority: String,
}

impl Address {
    pub(crate) fn parse(base: &str) -> Result<Self, ApiError> {
        let base = base.trim_end_matches('/').to_owned();
        let authority = base
            .strip_prefix("http://")
            .filter(|rest| !rest.is_empty() && !rest.contains('/'))
            .map(|rest| {
                if rest.contains(':') {
                    rest.to_owned()
                } else {
                    format!("{rest}:80")
                }
            })
            .ok_or_else(|| ApiError::BadAddress(base.clone()))?;
        Ok(Self { base, authority })
    }

    /// `http://host:port`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The origin as a browser writes it: without the port that goes without saying, in small letters.
    pub(crate) fn origin(&self) -> String {
        let origin = self.base.to_ascii_lowercase();
        origin
            .strip_suffix(":80")
            .map_or_else(|| origin.clone(), str::to_owned)
    }

    /// `host:port`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A pool of keep-alive connections to one server.
#[derive(Clone)]
pub(crate) struct Net {
    pub(crate) address: Address,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Net").field(&self.address).finish()
    }
}

impl Net {
    pub(crate) fn new(base: &str) -> Result<Self, ApiError> {
        Ok(Self {
            address: Address::parse(base)?,
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// One request with the profile's cookies, marked as native; cookies in the answer are kept.
    pub(crate) async fn call(
        &self,
        profile: &Profile,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Answer, ApiError> {
        let broken = |error: &dyn std::fmt::Display| ApiError::Transport(error.to_string());
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address.base()))
            .header(NATIVE_HEADER, "1");
        if let Some(cookies) = profile.cookie_header() {
            request = request.header(COOKIE, cookies);
        }
        if let Some(kind) = content_type {
            request = request.header(CONTENT_TYPE, kind);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| broken(&e))?;
        let response = self.client.request(request).await.map_err(|e| {
            let source = std::error::Error::source(&e).map(ToString::to_string);
            ApiError::Transport(source.unwrap_or_else(|| e.to_string()))
        })?;
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            if let Ok(text) = cookie.to_str() {
                profile.take_cookie(text);
            }
        }
        let body = body.collect().await.map_err(|e| broken(&e))?.to_bytes();
        Ok(Answer {
            status: parts.status.as_u16(),
            body: body.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_without_a_port_means_port_80() {
        assert_eq!(
            Address::parse("http://localhost/")
                .map(|a| a.authority)
                .ok(),
            Some("localhost:80".to_owned())
        );
    }

    #[test]
    fn an_origin_is_written_as_a_browser_writes_it() {
        for (address, origin) in [
            ("http://Localhost:80/", "http://localhost"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let found = Address::parse(address).map(|a| a.origin());
            assert_eq!(found.ok().as_deref(), Some(origin));
        }
    }

    #[test]
    fn an_address_of_another_scheme_or_with_a_path_is_refused() {
        assert!(Address::parse("https://localhost").is_err());
        assert!(Address::parse("http://localhost/chat").is_err());
        assert!(Address::parse("http://127.0.0.1:8080").is_ok());
    }
}
