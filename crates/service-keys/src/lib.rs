//! Key pairs of services: made, named and written in the forms that services read.
//!
//! A version of a service's key is one pair, or two that are used together: one that withstands quantum
//! computers and a classical one. [`KeyPair::generate`] makes it. [`PublicKey`] and [`PrivateKey`] keep it
//! as the store does, and write it as a JWK Set ([RFC 7517]) or as PEM ([RFC 7468]).
//!
//! | algorithm | JWK | PEM |
//! |---|---|---|
//! | X25519 | `OKP`, [RFC 8037] | [RFC 8410] |
//! | Ed25519 | `OKP`, [RFC 8037] | [RFC 8410] |
//! | ML-KEM-1024 | `AKP`, [draft-ietf-jose-pqc-kem] | [RFC 9935], the private key as its seed |
//! | ML-DSA-87 | `AKP`, [RFC 9964] | [RFC 9881], the private key as its seed |
//! | RS256 | `RSA`, [RFC 7518] | [RFC 3279] and [RFC 5208] |
//!
//! [RFC 3279]: https://www.rfc-editor.org/rfc/rfc3279
//! [RFC 5208]: https://www.rfc-editor.org/rfc/rfc5208
//! [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7518]: https://www.rfc-editor.org/rfc/rfc7518
//! [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037
//! [RFC 8410]: https://www.rfc-editor.org/rfc/rfc8410
//! [RFC 9881]: https://www.rfc-editor.org/rfc/rfc9881
//! [RFC 9935]: https://www.rfc-editor.org/rfc/rfc9935
//! [RFC 9964]: https://www.rfc-editor.org/rfc/rfc9964
//! [draft-ietf-jose-pqc-kem]: https://datatracker.ietf.org/doc/draft-ietf-jose-pqc-kem/

#![forbid(unsafe_code)]

mod asn1;
mod jwk;
mod kind;
mod pair;
mod private;
mod public;
mod rsa;

pub use api::ServiceKeyAlgorithm;
pub use jwk::{Described, public_jwks};
pub use pair::{GenerateError, KeyPair};
pub use private::PrivateKey;
pub use public::PublicKey;
pub use rsa::RSA_BITS;

/// Stored bytes are no key of the algorithm that they are stored with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored bytes are no key of their algorithm; rotate the service's key")]
pub struct NotAKey;
