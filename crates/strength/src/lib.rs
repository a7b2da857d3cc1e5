//! How strong a passphrase is, in bits.
//!
//! A crate of its own because the estimator's dictionaries and expressions are larger than the whole
//! client core: the browser loads them as a second WebAssembly module, and only where somebody types
//! a passphrase of their own. Nothing is refused by strength; the interface warns.
#![forbid(unsafe_code)]

#[cfg(target_arch = "wasm32")]
mod browser;
mod estimate;
mod words;

use protocol::passphrase::{self, WARN_BELOW_BITS};

/// What a passphrase is worth.
#[cfg_attr(
    target_arch = "wasm32",
    wasm_bindgen::prelude::wasm_bindgen(getter_with_clone)
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// Estimated strength in whole bits; exact for words of our own list.
    pub bits: u32,
    /// Whether people are warned: under 70 bits.
    pub weak: bool,
    /// Advice for people; may be empty.
    pub advice: String,
}

/// Measures what has been typed until now.
///
/// Copies that the estimator makes on the way are not overwritten: the browser overwrites the
/// module's whole memory soon after.
#[must_use]
pub fn measure(passphrase: &str) -> Strength {
    #[cfg(target_arch = "wasm32")]
    protocol::normal::set_host(|text| js_sys::JsString::from(text).normalize("NFC").into());
    let prepared = passphrase::prepare(passphrase);
    let passphrase = prepared.as_str();
    // Words of our own list are counted exactly; the estimator would call them common.
    let (bits, advice) = match words::bits(passphrase) {
        Some(bits) => (bits, String::new()),
        None => estimate::bits_and_advice(passphrase),
    };
    Strength {
        bits,
        weak: bits < WARN_BELOW_BITS,
        advice,
    }
}
