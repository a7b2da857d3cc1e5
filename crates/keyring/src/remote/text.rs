//! JSON and base64 that may hold a key.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

pub(super) use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Room for a body: more than any has, so that none is moved and left behind while it is written.
const ROOM: usize = 16 * 1024;

/// Writes JSON that is wiped when it was sent.
pub(super) fn json(value: &impl Serialize) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *text, value).ok()?;
    Some(text)
}

/// Reads JSON; unknown members are passed over.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

/// Encodes bytes.
pub(super) fn encode(engine: &GeneralPurpose, bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 4 / 3 + 4));
    engine.encode_string(bytes, &mut text);
    text
}

/// Decodes text; `None` if it is something else.
pub(super) fn decode(engine: &GeneralPurpose, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    engine.decode_vec(text, &mut bytes).ok()?;
    Some(bytes)
}
