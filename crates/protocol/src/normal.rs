//! Unicode normalization form C: the same characters give the same bytes on every keyboard and system.
//!
//! The core for browsers does not contain the tables: whoever starts it passes the browser's own
//! normalization in.

#[cfg(not(target_arch = "wasm32"))]
use unicode_normalization::UnicodeNormalization as _;

#[cfg(target_arch = "wasm32")]
static HOST: std::sync::OnceLock<fn(&str) -> String> = std::sync::OnceLock::new();

/// Takes the host's normalization; the first one stays.
#[cfg(target_arch = "wasm32")]
pub fn set_host(normalize: fn(&str) -> String) {
    let _ = HOST.set(normalize);
}

/// Returns a text in form C.
#[cfg(target_arch = "wasm32")]
pub(crate) fn form_c(text: &str) -> String {
    HOST.get()
        .map_or_else(|| text.to_owned(), |normalize| normalize(text))
}

/// Returns a text in form C. The result has at most three times as many bytes, so the buffer never grows.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn form_c(text: &str) -> String {
    let mut normal = String::with_capacity(text.len() * 3);
    normal.extend(text.nfc());
    normal
}
