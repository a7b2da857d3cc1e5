//! Single raw calls, for tests that go below the core.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ApiError;
use crate::net::{NATIVE_HEADER, Net};
use crate::profile::Profile;
use crate::socket::ApiSocket;

/// A raw client of one server with a cookie jar.
#[derive(Debug, Clone)]
pub struct Api {
    net: Net,
    profile: Profile,
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct ApiResponse {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in the order of the answer.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl ApiResponse {
    /// The first header with this lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|_| ApiError::NotJson)
    }

    /// The `code` of a problem document.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        let value: Value = serde_json::from_slice(&self.body).ok()?;
        value.get("code")?.as_str().map(str::to_owned)
    }
}

impl Api {
    /// A client with an empty cookie jar.
    pub fn new(base_url: &str) -> Result<Self, ApiError> {
        Self::with_profile(base_url, Profile::default())
    }

    /// A client that shares cookies with another one, e.g. with [`crate::Headless::profile`].
    pub fn with_profile(base_url: &str, profile: Profile) -> Result<Self, ApiError> {
        Ok(Self {
            net: Net::new(base_url)?,
            profile,
        })
    }

    /// The cookies.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Any request with exactly these headers besides the cookies.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<ApiResponse, ApiError> {
        self.net
            .call(&self.profile, method, path, headers, body)
            .await
    }

    /// GET as a native client.
    pub async fn get(&self, path: &str) -> Result<ApiResponse, ApiError> {
        self.request("GET", path, &[(NATIVE_HEADER, "1")], Vec::new())
            .await
    }

    /// DELETE as a native client.
    pub async fn delete(&self, path: &str) -> Result<ApiResponse, ApiError> {
        self.request("DELETE", path, &[(NATIVE_HEADER, "1")], Vec::new())
            .await
    }

    /// POST of JSON as a native client.
    pub async fn post(&self, path: &str, body: &Value) -> Result<ApiResponse, ApiError> {
        self.send_json("POST", path, body).await
    }

    /// PUT of JSON as a native client.
    pub async fn put(&self, path: &str, body: &Value) -> Result<ApiResponse, ApiError> {
        self.send_json("PUT", path, body).await
    }

    /// POST of octets as a native client.
    pub async fn post_octets(&self, path: &str, body: Vec<u8>) -> Result<ApiResponse, ApiError> {
        let headers = [
            (NATIVE_HEADER, "1"),
            ("content-type", "application/octet-stream"),
        ];
        self.request("POST", path, &headers, body).await
    }

    /// Opens the socket of a live session with this profile's cookies.
    pub async fn socket(&self, live_id: &str) -> Result<ApiSocket, ApiError> {
        ApiSocket::open(&self.net.address, &self.profile, live_id).await
    }

    async fn send_json(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<ApiResponse, ApiError> {
        let headers = [(NATIVE_HEADER, "1"), ("content-type", "application/json")];
        let bytes = serde_json::to_vec(body).map_err(|_| ApiError::NotJson)?;
        self.request(method, path, &headers, bytes).await
    }
}
