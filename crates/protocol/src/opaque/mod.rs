//! Sign-in: OPAQUE ([RFC 9807](https://www.rfc-editor.org/rfc/rfc9807)) over ristretto255 and SHA-512 with Argon2id on the client.
//!
//! Identifiers are the default ones (each side's static public key), the context is
//! `secure-messaging/1`. The key stretching is fixed by the protocol version: no message
//! carries its parameters, so a server has nothing to lower.
//!
//! Specification: `docs/protocol/accounts.md#opaque`.

mod client;
mod ksf;
mod rng;
mod server;

pub use client::{ExportKey, LoginState, RegisterState, login_start, register_start};
pub use ksf::{ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES, Argon2id};
pub use server::{
    RECORD_LEN, ServerLoginState, ServerSetup, login_finish, login_respond, register_record,
    register_respond,
};

use opaque_ke::{CipherSuite, Ristretto255, TripleDh};

/// The one cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2_010::Sha512>;
    type Ksf = Argon2id;
}

/// Why a step of registration or sign-in failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpaqueError {
    /// A message or record is not one of this suite.
    #[error("the sign-in message is malformed; start again")]
    Malformed,
    /// The server sent the client's own value back.
    #[error("the server reflected the request; do not trust it")]
    Reflected,
    /// Wrong passphrase, or a server that does not hold the record.
    #[error("the passphrase does not open this account; try again")]
    Refused,
    /// Argon2id could not reserve its 64 MiB.
    #[error("64 MiB of memory are needed to sign in; close other tabs and try again")]
    Memory,
}

impl<T> From<opaque_ke::errors::ProtocolError<T>> for OpaqueError {
    fn from(error: opaque_ke::errors::ProtocolError<T>) -> Self {
        use opaque_ke::errors::{InternalError, ProtocolError};
        match error {
            ProtocolError::InvalidLoginError => Self::Refused,
            ProtocolError::ReflectedValueError => Self::Reflected,
            ProtocolError::LibraryError(InternalError::KsfError) => Self::Memory,
            _ => Self::Malformed,
        }
    }
}
