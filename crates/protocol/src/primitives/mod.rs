//! The suite's primitives behind types that keep their standards' checks.
//!
//! Specification: `docs/protocol.md#primitives`.

pub mod aead;
pub mod agreement;
pub mod kdf;
pub mod kem;
pub mod signature;
