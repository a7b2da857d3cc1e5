//! JSON Web Keys ([RFC 7517]), written by hand so that no private number is left in a buffer of a library.
//!
//! Every value is base64url, a number or a fixed word, so that nothing needs to be escaped.
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517

use std::fmt::Write;

use api::ServiceKeyState;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::kind::Kind;
use crate::{NotAKey, PrivateKey, PublicKey, rsa};

/// Room for the private JWK Set of one version, so that it does not move while it grows.
const ROOM: usize = 16 << 10;

/// What a JWK says beside the key itself.
pub struct Described<'a> {
    /// The public half.
    pub key: &'a PublicKey,
    /// Number of the version.
    pub version: u32,
    /// Whether it is the one to use.
    pub state: ServiceKeyState,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub retired_at: Option<u64>,
}

/// Writes the JWK Set of public keys: every key of every version, in the given order.
pub fn public_jwks(versions: &[Described<'_>]) -> String {
    let mut set = Set::begin(versions.len() * 4_096);
    for version in versions {
        for (kind, part) in version.key.parts() {
            set.begin_key();
            set.public(kind, part, version);
            set.end_key();
        }
    }
    std::mem::take(&mut *set.end())
}

/// Writes the JWK Set of one version with its private members.
pub(crate) fn private_jwks(
    private: &PrivateKey,
    version: &Described<'_>,
) -> Result<Zeroizing<String>, NotAKey> {
    let mut set = Set::begin(ROOM);
    let public = version.key.parts();
    let private = private.parts();
    if public.len() != private.len() {
        return Err(NotAKey);
    }
    for ((kind, public), (_, seed)) in public.into_iter().zip(private) {
        set.begin_key();
        set.public(kind, public, version);
        match kind {
            Kind::MlKem1024 | Kind::MlDsa87 => set.bytes("priv", seed),
            Kind::X25519 | Kind::Ed25519 => set.bytes("d", seed),
            Kind::Rsa => rsa::private_members(seed, |name, number| set.bytes(name, number))?,
        }
        set.end_key();
    }
    Ok(set.end())
}

/// Encodes bytes as base64url without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the thumbprint of a public key ([RFC 7638] with SHA-256; for `AKP` [RFC 9964, section 6]).
///
/// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
/// [RFC 9964, section 6]: https://www.rfc-editor.org/rfc/rfc9964
pub(crate) fn thumbprint(kind: Kind, public: &[u8]) -> [u8; 32] {
    // The required members in the order of their names.
    let json = match kind {
        Kind::X25519 | Kind::Ed25519 => {
            let (crv, x) = (name(kind), base64url(public));
            format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#)
        }
        Kind::MlKem1024 | Kind::MlDsa87 => {
            let (alg, public) = (name(kind), base64url(public));
            format!(r#"{{"alg":"{alg}","kty":"AKP","pub":"{public}"}}"#)
        }
        Kind::Rsa => {
            let numbers = rsa::public_numbers(public).unwrap_or_default();
            let (e, n) = (base64url(&numbers.e), base64url(&numbers.n));
            format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)
        }
    };
    Sha256::digest(json).into()
}

/// The value of `alg` or `crv`.
const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::X25519 => "X25519",
        Kind::Ed25519 => "Ed25519",
        Kind::MlKem1024 => "ML-KEM-1024",
        Kind::MlDsa87 => "ML-DSA-87",
        Kind::Rsa => "RS256",
    }
}

/// A JWK Set that is being written.
struct Set(Zeroizing<String>);

impl Set {
    fn begin(room: usize) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(room));
        text.push_str(r#"{"keys":["#);
        Self(text)
    }

    fn end(mut self) -> Zeroizing<String> {
        self.0.push_str("]}\n");
        self.0
    }

    fn begin_key(&mut self) {
        if self.0.ends_with('}') {
            self.0.push(',');
        }
        self.0.push('{');
    }

    fn end_key(&mut self) {
        self.0.push('}');
    }

    /// Begins a member.
    fn name(&mut self, name: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        // Writing to a text does not fail.
        let _ = write!(self.0, r#""{name}":"#);
    }

    fn word(&mut self, name: &str, word: &str) {
        self.name(name);
        let _ = write!(self.0, r#""{word}""#);
    }

    fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        let _ = write!(self.0, "{number}");
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.name(name);
        self.0.push('"');
        URL_SAFE_NO_PAD.encode_string(bytes, &mut self.0);
        self.0.push('"');
    }

    /// Writes the public members.
    fn public(&mut self, kind: Kind, public: &[u8], version: &Described<'_>) {
        match kind {
            Kind::X25519 | Kind::Ed25519 => {
                self.word("kty", "OKP");
                self.word("crv", name(kind));
                self.bytes("x", public);
            }
            Kind::MlKem1024 | Kind::MlDsa87 => {
                self.word("kty", "AKP");
                self.word("alg", name(kind));
                self.bytes("pub", public);
            }
            Kind::Rsa => {
                let numbers = rsa::public_numbers(public).unwrap_or_default();
                self.word("kty", "RSA");
                self.word("alg", name(kind));
                self.bytes("n", &numbers.n);
                self.bytes("e", &numbers.e);
            }
        }
        self.word("use", kind.usage());
        self.bytes("kid", &thumbprint(kind, public));
        self.number("version", version.version.into());
        self.word("version_kid", &version.key.kid());
        self.word("state", version.state.as_str());
        self.number("created_at", version.created_at);
        if let Some(retired_at) = version.retired_at {
            self.number("retired_at", retired_at);
        }
    }
}
