//! Requests to a service: to the address that is configured and nowhere else.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Url};
use zeroize::{Zeroize, Zeroizing};

use crate::remote::error::{RemoteError, Trouble};
use crate::stanza::ProviderTag;

/// Longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// An answer.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Sends requests; follows no redirect and keeps no connection.
pub(super) struct Http {
    tag: ProviderTag,
    client: Client,
    limit: Duration,
}

impl Http {
    /// `ca` are certificates in PEM that are trusted beside the machine's; `direct` goes by no proxy.
    pub(super) fn new(
        tag: ProviderTag,
        limit: Duration,
        ca: Option<&[u8]>,
        direct: bool,
    ) -> Result<Self, RemoteError> {
        let unfit = |what: &str, error: reqwest::Error| {
            RemoteError::new(tag, Trouble::Setting, format!("{what}: {}", chain(&error)))
        };
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(limit)
            .timeout(limit)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("secure-messaging/", env!("CARGO_PKG_VERSION")));
        if direct {
            builder = builder.no_proxy();
        }
        if let Some(pem) = ca {
            let words = "hashicorp_vault_ca holds no certificates in PEM; correct it";
            let certificates = Certificate::from_pem_bundle(pem).map_err(|it| unfit(words, it))?;
            if certificates.is_empty() {
                return Err(RemoteError::new(tag, Trouble::Setting, words));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let words = "TLS cannot be set up; check the machine's certificates";
        let client = builder.build().map_err(|error| unfit(words, error))?;
        Ok(Self { tag, client, limit })
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn send(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Answered, RemoteError> {
        let mut request = self.client.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let failed = |error: reqwest::Error| {
            if error.is_timeout() {
                return slow(self.tag, self.limit);
            }
            let error = error.without_url();
            RemoteError::new(self.tag, Trouble::Unreachable, chain(&error))
        };
        let mut answer = request.send().await.map_err(failed)?;
        let mut body = Zeroizing::new(Vec::with_capacity(LONGEST));
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LONGEST {
                return Err(self.odd("the answer is longer than 64 KiB"));
            }
            body.extend_from_slice(&chunk);
            // It may be part of a larger buffer, which is not ours to wipe.
            if let Ok(mut chunk) = chunk.try_into_mut() {
                chunk[..].zeroize();
            }
        }
        Ok(Answered {
            status: answer.status().as_u16(),
            body,
        })
    }

    /// An answer that cannot be one of the service.
    pub(super) fn odd(&self, detail: &str) -> RemoteError {
        RemoteError::new(self.tag, Trouble::Odd, detail)
    }
}

/// No answer within the limit.
pub(super) fn slow(tag: ProviderTag, limit: Duration) -> RemoteError {
    RemoteError::new(tag, Trouble::Slow, format!("{} s", limit.as_secs_f32()))
}

/// A body that is wiped when it was sent.
pub(super) fn wiped(body: Zeroizing<Vec<u8>>) -> Bytes {
    Bytes::from_owner(body)
}

/// The address of a service: `https://`, or `http://` on this machine alone.
pub(super) fn address(
    tag: ProviderTag,
    setting: &'static str,
    text: &str,
) -> Result<Url, RemoteError> {
    let unfit = |reason: &str| {
        let words = format!("{setting} is {text:?}, {reason}; write https://host");
        RemoteError::new(tag, Trouble::Setting, words)
    };
    let url = Url::parse(text).map_err(|_| unfit("which is no address"))?;
    let host = url.host_str().unwrap_or_default();
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => return Err(unfit("which would send keys unencrypted over a network")),
        _ => return Err(unfit("which is no address of a service")),
    }
    let plain = url.username().is_empty() && url.password().is_none();
    if host.is_empty() || !plain || url.query().is_some() || url.fragment().is_some() {
        return Err(unfit("which says more than where the service is"));
    }
    Ok(url)
}

/// The address with more of a path.
pub(super) fn below<'a>(base: &Url, path: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// Adds a header that is not shown; an error if its value cannot be one.
pub(super) fn secret_header(
    tag: ProviderTag,
    headers: &mut HeaderMap,
    name: HeaderName,
    value: &str,
) -> Result<(), RemoteError> {
    let unfit = |_| {
        let words = "a secret holds letters that no token has; correct it";
        RemoteError::new(tag, Trouble::Setting, words)
    };
    let mut value = HeaderValue::from_str(value).map_err(unfit)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// The whole chain of causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_encrypted_or_on_this_machine() {
        let tag = ProviderTag::HASHICORP_VAULT;
        for good in [
            "https://vault.example.org",
            "https://vault.example.org:8200/",
            "https://proxy.example.org/vault",
            "http://127.0.0.1:8200",
            "http://[::1]:8200",
            "http://localhost:8200",
        ] {
            assert!(address(tag, "a_setting", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "vault.example.org",
            "http://vault.example.org",
            "http://169.254.169.254",
            "http://127.0.0.1.example.org",
            "file:///etc/passwd",
            "https://name@vault.example.org",
            "https://:word@vault.example.org",
            "https://vault.example.org/?a=b",
            "https://vault.example.org/#a",
        ] {
            let refused = address(tag, "a_setting", bad).unwrap_err();
            assert_eq!(refused.trouble(), Trouble::Setting, "{bad}");
            assert!(refused.to_string().contains("a_setting"), "{refused}");
        }
    }

    #[test]
    fn a_path_goes_below_the_address_and_stays_there() {
        let base = Url::parse("https://proxy.example.org/vault/").unwrap();
        let url = below(&base, ["v1", "a b", "c/../d"]);
        assert_eq!(
            url.as_str(),
            "https://proxy.example.org/vault/v1/a%20b/c%2F..%2Fd"
        );
    }
}
