//! What tests of this crate and of its users share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod conformance;
#[cfg(feature = "pkcs11")]
pub mod softhsm;
