//! What JavaScript sees.

use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::Strength;

/// Measures a passphrase, in UTF-8; anything else is measured as nothing typed.
#[wasm_bindgen]
pub fn measure(passphrase: Vec<u8>) -> Strength {
    let passphrase = Zeroizing::new(passphrase);
    crate::measure(std::str::from_utf8(&passphrase).unwrap_or_default())
}

/// The linear memory, so that the worker can fill all of it with zeros.
#[wasm_bindgen]
#[must_use]
pub fn linear_memory() -> JsValue {
    wasm_bindgen::memory()
}
