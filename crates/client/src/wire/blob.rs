//! Octets in JSON: base64url without padding.

use std::fmt;

use base64::Engine;
use base64::display::Base64Display;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

/// Octets that are base64url without padding in JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Blob {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Base64Display::new(&self.0, &URL_SAFE_NO_PAD))
    }
}

/// Secret octets on their way out: overwritten once they were written, and never printed.
#[derive(Clone)]
pub(crate) struct SecretBlob(Zeroizing<Vec<u8>>);

impl From<&[u8]> for SecretBlob {
    fn from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }
}

impl fmt::Debug for SecretBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBlob(redacted)")
    }
}

impl Serialize for SecretBlob {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // Written where it goes, without a text of its own.
        to.collect_str(&Base64Display::new(&self.0, &URL_SAFE_NO_PAD))
    }
}

impl<'de> Deserialize<'de> for SecretBlob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Blob::deserialize(from).map(|blob| Self(Zeroizing::new(blob.0)))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        URL_SAFE_NO_PAD
            .decode(text.as_bytes())
            .map(Self)
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Blob, SecretBlob};

    #[test]
    fn secret_octets_are_written_as_others_are_and_never_printed() {
        let bytes = [7, 0xff, 0].as_slice();
        let secret = SecretBlob::from(bytes);
        assert_eq!(
            serde_json::to_string(&secret).unwrap(),
            serde_json::to_string(&Blob::from(bytes)).unwrap()
        );
        assert_eq!(format!("{secret:?}"), "SecretBlob(redacted)");
    }
}
