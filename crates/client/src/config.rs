//! What the shim decides for the core.

use rand_core::CryptoRng;

/// Settings that come from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// The page's origin as a browser writes it (`https://chat.example`): for the handshake of the link, and
    /// for QR codes of invite links.
    pub origin: String,
}

/// The injected source of randomness.
pub type CoreRng = Box<dyn CryptoRng + Send>;
