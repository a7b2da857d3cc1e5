//! Single calls with the bodies of the contract, beside a core.

use api::bodies::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ApiError;
use crate::net::{Answer, Net};
use crate::profile::Profile;

/// A client of one server with a cookie jar.
#[derive(Debug, Clone)]
pub struct Api {
    net: Net,
    profile: Profile,
}

impl Api {
    /// A client that shares cookies with another one, e.g. with [`crate::Headless::profile`].
    pub fn with_profile(base_url: &str, profile: Profile) -> Result<Self, ApiError> {
        Ok(Self {
            net: Net::new(base_url)?,
            profile,
        })
    }

    /// Reads what is at a path.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let answer = self.call("GET", path, None, Vec::new()).await?;
        serde_json::from_slice(&answer.body).map_err(|_| ApiError::NotJson)
    }

    /// Puts something at a path.
    pub async fn put(&self, path: &str, body: &impl Serialize) -> Result<(), ApiError> {
        let body = serde_json::to_vec(body).map_err(|_| ApiError::NotJson)?;
        let kind = Some("application/json");
        self.call("PUT", path, kind, body).await.map(drop)
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Answer, ApiError> {
        let net = &self.net;
        let answer = net.call(&self.profile, method, path, kind, body).await?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let problem = serde_json::from_slice::<Problem>(&answer.body);
        Err(problem.map_or(ApiError::NotJson, |problem| {
            ApiError::Refused(Box::new(problem))
        }))
    }
}
