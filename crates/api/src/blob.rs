//! Bytes in JSON: base64url without padding.

use core::fmt;
use core::ops::Deref;

use base64::Engine;
use base64::display::Base64Display;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

/// Bytes that are base64url without padding in JSON; wiped when dropped, and never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Blob(Zeroizing<Vec<u8>>);

impl Blob {
    /// Takes bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Hands the bytes over.
    pub fn into_vec(mut self) -> Vec<u8> {
        core::mem::take(&mut *self.0)
    }

    /// Hands the bytes over, to be wiped by whoever takes them.
    pub fn into_secret(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl From<Zeroizing<Vec<u8>>> for Blob {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<&[u8]> for Blob {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Written where it goes, without a text of its own.
        serializer.collect_str(&Base64Display::new(&self.0, &URL_SAFE_NO_PAD))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64url without padding")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
                let bytes = URL_SAFE_NO_PAD.decode(text);
                bytes
                    .map(Blob::new)
                    .map_err(|_| E::custom("not base64url without padding"))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Blob {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Byte)))
            .description(Some("Bytes as base64url without padding"))
            .into()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Blob {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_base64url_without_padding_and_nothing_else_is_read() {
        let blob = Blob::from([7, 0xff, 0xbe].as_slice());
        assert_eq!(serde_json::to_string(&blob).unwrap(), r#""B_--""#);
        for read in [r#""B_--""#, r#""B_\u002d-""#] {
            assert_eq!(serde_json::from_str::<Blob>(read).unwrap(), blob);
        }
        for other in [
            r#""B/++""#,
            r#""B_--=""#,
            r#""B_8=""#,
            r#""B_9""#,
            r#"" B_--""#,
            "7",
            "null",
        ] {
            assert!(serde_json::from_str::<Blob>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn bytes_are_never_printed() {
        assert_eq!(format!("{:?}", Blob::new(vec![1; 32])), "Blob(32 bytes)");
    }
}
