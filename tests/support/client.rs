//! A small HTTP client with one cookie.

use std::net::SocketAddr;
use std::sync::Mutex;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {:?}", self.status, self.body))
    }

    /// The stable name of a problem document, whose form is checked.
    pub(crate) fn code(&self) -> String {
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        for member in ["type", "title", "detail"] {
            assert!(problem[member].is_string(), "{member} in {problem}");
        }
        problem["code"].as_str().unwrap().to_owned()
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        self
    }
}

/// A browser without a page: it keeps the session's cookie and the device's.
pub(crate) struct Client {
    base: String,
    origin: Option<String>,
    pool: Pool<HttpConnector, Full<Bytes>>,
    cookie: Mutex<Option<String>>,
    device: Mutex<Option<String>>,
    tolerant: bool,
}

impl Client {
    /// A client for servers that may be killed: a connection that breaks is an answer with 599.
    pub(crate) fn tolerant(mut self) -> Self {
        self.tolerant = true;
        self
    }

    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            tolerant: false,
            base: format!("http://{address}"),
            origin: None,
            pool: Pool::builder(TokioExecutor::new()).build(HttpConnector::new()),
            cookie: Mutex::new(None),
            device: Mutex::new(None),
        }
    }

    /// Another client with the same cookie, for instance after a restart on another port.
    pub(crate) fn with_cookie_of(&self, address: SocketAddr) -> Self {
        let other = Self::new(address);
        *other.cookie.lock().unwrap() = self.cookie();
        other.set_device(self.device());
        other
    }

    /// `name=value` of the session cookie.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    pub(crate) fn set_cookie(&self, cookie: Option<String>) {
        *self.cookie.lock().unwrap() = cookie;
    }

    /// `name=value` of the cookie by which this browser is known.
    pub(crate) fn device(&self) -> Option<String> {
        self.device.lock().unwrap().clone()
    }

    pub(crate) fn set_device(&self, device: Option<String>) {
        *self.device.lock().unwrap() = device;
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The scheme, host and port that a link is bound to.
    pub(crate) fn origin(&self) -> &str {
        self.origin.as_ref().unwrap_or(&self.base)
    }

    /// A client that reaches the server under another name than its own, as through a carrier.
    pub(crate) fn reaching(mut self, origin: String) -> Self {
        self.origin = Some(origin);
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Bytes::new()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    pub(crate) async fn post_empty(&self, path: &str) -> Answer {
        self.send(Method::POST, path, &[], Bytes::new()).await
    }

    pub(crate) async fn post_octets(&self, path: &str, body: Vec<u8>) -> Answer {
        let kind = [("content-type", "application/octet-stream")];
        self.send(Method::POST, path, &kind, body.into()).await
    }

    pub(crate) async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let kind = [("content-type", "application/json")];
        self.send(method, path, &kind, body.to_string().into())
            .await
    }

    /// Sends as a native client does, unless the headers say otherwise.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        match self.try_send(method, path, headers, body).await {
            Err(_) if self.tolerant => Answer {
                status: StatusCode::from_u16(599).unwrap(),
                headers: HeaderMap::new(),
                body: Bytes::new(),
            },
            answer => answer.unwrap(),
        }
    }

    /// Like `send`, and a broken connection is an error.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, Box<dyn std::error::Error>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.base).parse().unwrap();
        let out = request.headers_mut();
        let page = ["origin", "sec-fetch-site"];
        if !headers.iter().any(|(name, _)| page.contains(name)) {
            out.insert("x-secure-messaging", HeaderValue::from_static("1"));
        }
        let cookies: Vec<_> = self.cookie().into_iter().chain(self.device()).collect();
        if !cookies.is_empty() {
            out.insert("cookie", cookies.join("; ").parse().unwrap());
        }
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            out.insert(name, value.parse().unwrap());
        }
        let response = self.pool.request(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        for set in head.headers.get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            let kept = (!pair.ends_with('=')).then(|| pair.clone());
            if pair.contains("device=") {
                self.set_device(kept);
            } else {
                self.set_cookie(kept);
            }
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}
