//! A stub of Azure Key Vault, of a Managed HSM and of the place of their tokens.
//!
//! It is a stub: nobody emulates Key Vault. It speaks the addresses, members and refusals of
//! [the REST interface](https://learn.microsoft.com/rest/api/keyvault/keys/operation-groups) that are used here, and
//! wraps under keys of its own with ChaCha20-Poly1305, whatever the algorithm is called.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ambient::{Entropy, OsEntropy};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use serde_json::{Value, json};

use crate::http::{Answer, Asked, HttpServer};

/// Bytes that RSA with 2,048 bits makes of anything.
const RSA_LEN: usize = 256;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// The stub, with one key; ended when dropped.
pub struct AzureStub {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    keys: HashMap<String, [u8; 32]>,
    tokens: Vec<String>,
    disabled: bool,
    allowed: bool,
    seconds: u64,
    issued: usize,
}

impl AzureStub {
    /// Id of the tenant.
    pub const TENANT: &str = "11111111-2222-3333-4444-555555555555";
    /// Id of the application.
    pub const CLIENT: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
    /// Its secret, with letters that a form has to write otherwise.
    pub const SECRET: &str = "a secret & 100% of it";
    /// The name of its key.
    pub const KEY: &str = "messages";

    /// Starts it with a key.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            allowed: true,
            seconds: 3_600,
            ..State::default()
        }));
        let theirs = Arc::clone(&state);
        let server = HttpServer::start(move |asked| {
            let mut state = theirs.lock().unwrap_or_else(PoisonError::into_inner);
            Some(state.answer(&asked))
        });
        let this = Self { server, state };
        this.rotate();
        this
    }

    /// Its address as a URL: of the vault, and of the place of tokens.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// Makes a new version of the key the one that wraps.
    pub fn rotate(&self) {
        let mut key = [0; 32];
        OsEntropy.fill(&mut key).expect("random bytes");
        let mut state = self.state();
        let version = format!("{:032x}", state.keys.len() + 1);
        state.keys.insert(version, key);
    }

    /// Disables or enables the key.
    pub fn disable(&self, disabled: bool) {
        self.state().disabled = disabled;
    }

    /// Allows or denies the identity to use the key.
    pub fn allow(&self, allowed: bool) {
        self.state().allowed = allowed;
    }

    /// Forgets every token that it gave.
    pub fn forget_tokens(&self) {
        self.state().tokens.clear();
    }

    /// How many tokens it gave.
    pub fn issued(&self) -> usize {
        self.state().issued
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal(status: u16, code: &str, inner: &str, message: &str) -> Answer {
    let inner = (!inner.is_empty()).then(|| json!({ "code": inner }));
    let error = json!({"code": code, "message": message, "innererror": inner});
    Answer::new(status, json!({ "error": error }).to_string())
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Answer {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (asked.method.as_str(), &parts[..]) {
            ("POST", [AzureStub::TENANT, "oauth2", "v2.0", "token"]) => self.sign_in(&asked.body),
            ("GET", ["metadata", "identity", "oauth2", "token"]) => {
                let right = asked.header("metadata") == Some("true")
                    && query.contains("resource=https%3A%2F%2Fvault.azure.net");
                match right {
                    true => self.issue(true),
                    false => Answer::new(400, json!({"error": "invalid_request"}).to_string()),
                }
            }
            ("POST", ["keys", AzureStub::KEY, rest @ ..]) if query == "api-version=7.4" => {
                self.with_key(asked, rest)
            }
            _ => refusal(404, "KeyNotFound", "", "A key was not found in this vault."),
        }
    }

    fn sign_in(&mut self, body: &[u8]) -> Answer {
        let right = "grant_type=client_credentials\
                     &client_id=aaaaaaaa%2Dbbbb%2Dcccc%2Ddddd%2Deeeeeeeeeeee\
                     &client_secret=a%20secret%20%26%20100%25%20of%20it\
                     &scope=https%3A%2F%2Fvault%2Eazure%2Enet%2F.default";
        if body == right.as_bytes() {
            return self.issue(false);
        }
        let error = json!({"error": "invalid_client", "error_description": "AADSTS7000215"});
        Answer::new(401, error.to_string())
    }

    /// Gives a token; the identity of a machine writes its seconds as text.
    fn issue(&mut self, as_text: bool) -> Answer {
        self.issued += 1;
        let token = format!("a-token-of-the-stub-{}", self.issued);
        self.tokens.push(token.clone());
        let seconds = match as_text {
            true => json!(self.seconds.to_string()),
            false => json!(self.seconds),
        };
        let body = json!({"token_type": "Bearer", "access_token": token, "expires_in": seconds});
        Answer::new(200, body.to_string())
    }

    fn with_key(&self, asked: &Asked, rest: &[&str]) -> Answer {
        let bearer = asked.header("authorization").unwrap_or_default();
        let token = bearer.strip_prefix("Bearer ").unwrap_or_default();
        if !self.tokens.iter().any(|known| known == token) {
            return refusal(401, "Unauthorized", "", "AKV10032: Invalid token.");
        }
        if !self.allowed {
            let words = "Caller is not authorized to perform action on resource.";
            return refusal(403, "Forbidden", "ForbiddenByRbac", words);
        }
        if self.disabled {
            let words = "Operation is not allowed on a disabled key.";
            return refusal(403, "Forbidden", "KeyDisabled", words);
        }
        let newest = format!("{:032x}", self.keys.len());
        let (version, operation) = match rest {
            [operation] => (newest.as_str(), *operation),
            [version, operation] => (*version, *operation),
            _ => return refusal(404, "KeyNotFound", "", "no operation"),
        };
        let Some(key) = self.keys.get(version) else {
            return refusal(404, "KeyNotFound", "", "no such version");
        };
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let done = match (operation, body["alg"].as_str()) {
            ("wrapkey", Some("RSA-OAEP-256")) => wrap(key, &body),
            ("unwrapkey", Some("RSA-OAEP-256")) => unwrap(key, &body),
            ("encrypt", Some("A256GCM")) => encrypt(key, &body),
            ("decrypt", Some("A256GCM")) => decrypt(key, &body),
            _ => None,
        };
        let Some(mut done) = done else {
            return refusal(400, "BadParameter", "", "The parameter is incorrect.");
        };
        let host = asked.header("host").unwrap_or_default();
        done["kid"] = json!(format!("https://{host}/keys/{}/{version}", AzureStub::KEY));
        Answer::new(200, done.to_string())
    }
}

fn member(body: &Value, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(body[name].as_str()?).ok()
}

fn text(bytes: &[u8]) -> Value {
    json!(URL_SAFE_NO_PAD.encode(bytes))
}

fn seal(key: &[u8; 32], plain: &[u8], aad: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut nonce = [0; NONCE_LEN];
    OsEntropy.fill(&mut nonce).ok()?;
    let payload = Payload { msg: plain, aad };
    let cipher = ChaCha20Poly1305::new(key.into());
    let sealed = cipher.encrypt(&Nonce::from(nonce), payload).ok()?;
    Some((nonce.to_vec(), sealed))
}

fn open(key: &[u8; 32], nonce: &[u8], sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
    let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
    let payload = Payload { msg: sealed, aad };
    let cipher = ChaCha20Poly1305::new(key.into());
    cipher.decrypt(&Nonce::from(nonce), payload).ok()
}

/// As long as RSA would make it: nonce, sealed bytes, their length, zeros.
fn wrap(key: &[u8; 32], body: &Value) -> Option<Value> {
    let (mut bytes, sealed) = seal(key, &member(body, "value")?, b"")?;
    bytes.push(u8::try_from(sealed.len()).ok()?);
    bytes.extend_from_slice(&sealed);
    bytes.resize(RSA_LEN, 0);
    Some(json!({ "value": text(&bytes) }))
}

fn unwrap(key: &[u8; 32], body: &Value) -> Option<Value> {
    let bytes = member(body, "value").filter(|it| it.len() == RSA_LEN)?;
    let (nonce, rest) = bytes.split_at(NONCE_LEN);
    let (len, rest) = rest.split_first()?;
    let sealed = rest.get(..usize::from(*len))?;
    Some(json!({ "value": text(&open(key, nonce, sealed, b"")?) }))
}

fn encrypt(key: &[u8; 32], body: &Value) -> Option<Value> {
    let (nonce, mut sealed) = seal(key, &member(body, "value")?, &member(body, "aad")?)?;
    let tag = sealed.split_off(sealed.len().checked_sub(TAG_LEN)?);
    Some(json!({"value": text(&sealed), "iv": text(&nonce), "tag": text(&tag)}))
}

fn decrypt(key: &[u8; 32], body: &Value) -> Option<Value> {
    let mut sealed = member(body, "value")?;
    sealed.extend_from_slice(&member(body, "tag")?);
    let plain = open(key, &member(body, "iv")?, &sealed, &member(body, "aad")?)?;
    Some(json!({ "value": text(&plain) }))
}
