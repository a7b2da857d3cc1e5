//! What the shim decides for the core.

use rand_core::CryptoRng;

/// Settings that come from outside.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The page's origin (`https://chat.example`), for QR codes of invite links.
    pub origin: Option<String>,
}

/// The injected source of randomness.
pub type CoreRng = Box<dyn CryptoRng + Send>;
