//! The primitives of the suite, behind types that enforce the checks of their standards.
//!
//! Specification: `docs/protocol.md#primitives`.

pub mod aead;
pub mod agreement;
pub mod kdf;
pub mod kem;
pub mod signature;
