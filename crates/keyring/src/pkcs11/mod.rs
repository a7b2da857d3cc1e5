//! The `pkcs11` provider: KEKs that never leave a token or HSM.
//!
//! A KEK is an AES-256 object of the token, made there, sensitive and not extractable. DEKs go in
//! and come out of `C_Encrypt` and `C_Decrypt` with AES-GCM (`CKM_AES_GCM`), and stand in the
//! envelope as
//!
//! ```text
//! 0x01 ‖ IV (12) ‖ encrypted DEK (32) ‖ tag (16)
//! ```
//!
//! The IVs are random and one key has many of them: NIST SP 800-38D, 8.3, allows 2^32 wraps under
//! one key, which is 550 sealed values a second, day and night, for the 90 days after which a key
//! is replaced by default. A busier server replaces its key sooner.

mod cache;
mod error;
mod login;
mod module;
mod pin;
mod provider;
mod session;
mod source;

pub use error::Pkcs11Error;
pub use pin::{Pin, TokenSelector};
pub use source::{DEFAULT_CACHE_LIFE, Pkcs11Config, Pkcs11Source};

#[cfg(feature = "testing")]
pub(crate) use module::load as load_module;
