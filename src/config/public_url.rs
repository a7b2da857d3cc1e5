//! The address that people type, and which of them are safe to serve.

use std::net::IpAddr;

use actix_web::http::Uri;

/// The scheme, host and port under which browsers reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    https: bool,
    port: u16,
}

/// Why a public address was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// It is not an absolute address, or it has a path, a query or a user.
    #[error("PUBLIC_URL {0:?} is not of the form https://host or https://host:port; correct it")]
    Form(String),
    /// Anybody on the way could read the cookie and change the code.
    #[error(
        "PUBLIC_URL {0:?} is plain HTTP and not on this machine: anybody on the way could read the \
         session cookie and change the page that holds the keys; use https://, with tls_cert and \
         tls_key or behind a proxy that ends TLS"
    )]
    PlainHttp(String),
}

impl PublicUrl {
    /// Reads an address and refuses what cannot be served safely.
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let form = || PublicUrlError::Form(text.to_owned());
        let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| form())?;
        let authority = uri.authority().ok_or_else(form)?;
        if authority.as_str().contains('@')
            || uri.query().is_some()
            || !matches!(uri.path(), "" | "/")
        {
            return Err(form());
        }
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(form()),
        };
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err(form());
        }
        if !https && !is_loopback(&host) {
            return Err(PublicUrlError::PlainHttp(text.to_owned()));
        }
        let default_port = if https { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(default_port);
        let scheme = if https { "https" } else { "http" };
        let origin = if port == default_port {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{port}")
        };
        Ok(Self {
            origin,
            https,
            port,
        })
    }

    /// Returns the origin as a browser writes it, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns whether browsers come over TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Returns whether a request's `Origin` is this server.
    ///
    /// On plain HTTP the server is on this machine, which has several names for itself.
    pub fn is_origin(&self, origin: &str) -> bool {
        if origin == self.origin {
            return true;
        }
        if self.https {
            return false;
        }
        Self::parse(origin).is_ok_and(|other| !other.https && other.port == self.port)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn plain_http_is_taken_only_on_this_machine() {
        for good in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:9/",
            "https://chat.example.org",
        ] {
            assert!(PublicUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://chat.example.org",
            "http://10.0.0.1:8080",
            "http://0.0.0.0:1",
        ] {
            assert!(
                matches!(PublicUrl::parse(bad), Err(PublicUrlError::PlainHttp(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_address_with_more_than_scheme_host_and_port_is_refused() {
        for bad in [
            "",
            "chat",
            "ftp://a",
            "https://a/b",
            "https://u@a",
            "https://a?x=1",
        ] {
            assert!(
                matches!(PublicUrl::parse(bad), Err(PublicUrlError::Form(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn another_name_of_this_machine_is_the_same_origin_and_another_port_is_not() {
        let url = PublicUrl::parse("http://127.0.0.1:8080").unwrap();
        assert!(url.is_origin("http://localhost:8080"));
        assert!(!url.is_origin("http://localhost:8081"));
        assert!(!url.is_origin("http://evil.example:8080"));
        let tls = PublicUrl::parse("https://chat.example.org").unwrap();
        assert!(tls.is_origin("https://chat.example.org"));
        assert!(!tls.is_origin("http://localhost"));
        assert!(!tls.is_origin("null"));
    }
}
