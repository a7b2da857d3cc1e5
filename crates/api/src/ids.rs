//! Names of accounts, messages, sessions and other things: bytes, written as lower-case hexadecimal
//! digits.
//!
//! Specification: `docs/protocol.md#identifiers`.

use core::fmt;
use core::str::FromStr;

use rand_core::CryptoRng;
#[cfg(feature = "json")]
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text is not the lower-case hexadecimal form of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId {
    digits: usize,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits;
        write!(
            f,
            "an id is {digits} lower-case hexadecimal digits; copy it again in full"
        )
    }
}

impl core::error::Error for NotAnId {}

macro_rules! id {
    ($($(#[doc = $doc:literal])* $name:ident: $len:literal;)+) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Takes the bytes as they are.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Returns the bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Reads an id from a column or a record; `None` when the length is wrong.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Draws a new id.
            pub fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
                let mut bytes = [0; $len];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text).map(Self)
            }
        }

        #[cfg(feature = "json")]
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "json")]
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Digits;

                impl de::Visitor<'_> for Digits {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "{} lower-case hexadecimal digits", $len * 2)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Digits)
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some(concat!($($doc),+).trim()))
                    .pattern(Some(format!("^[0-9a-f]{{{}}}$", $len * 2)))
                    .into()
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::ToSchema for $name {}
    )+};
}

id! {
    /// An account.
    UserId: 16;
    /// A message, chosen by its sender; the same for all of its slots and for its resealed copy.
    MessageId: 16;
    /// One unlocked client core: a browser's shared worker, or one tab's worker.
    LiveId: 16;
    /// An attachment of a message.
    AttachmentId: 16;
    /// A group conversation.
    GroupId: 16;
    /// What a slot is for: a live session's id, or an account's.
    TargetId: 16;
    /// One start of the server.
    BootId: 16;
    /// A wrap of the safe key.
    WrapId: 16;
    /// A restored backup.
    RestoreId: 16;
    /// The secret part of an invite link.
    InviteCode: 16;
    /// A session: the SHA3-256 of its cookie's secret.
    SessionId: 32;
    /// An invite: the SHA3-256 of its code.
    InviteHash: 32;
}

impl From<UserId> for TargetId {
    fn from(id: UserId) -> Self {
        Self(id.0)
    }
}

impl From<LiveId> for TargetId {
    fn from(id: LiveId) -> Self {
        Self(id.0)
    }
}

fn parse<const LEN: usize>(text: &str) -> Result<[u8; LEN], NotAnId> {
    let refused = NotAnId { digits: LEN * 2 };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return Err(refused);
    };
    if pairs.len() != LEN {
        return Err(refused);
    }
    let mut bytes = [0; LEN];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)
            .zip(digit(*low))
            .map(|(h, l)| h << 4 | l)
            .ok_or(refused)?;
    }
    Ok(bytes)
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_in_one_way_only() {
        let written = "000102030405060708090a0b0c0d0eff";
        let id: UserId = written.parse().unwrap();
        assert_eq!(id.to_string(), written);
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            format!("\"{written}\"")
        );
        assert_eq!(
            serde_json::from_str::<UserId>(&format!("\"{written}\"")).unwrap(),
            id
        );
        for other in [
            "",
            "00",
            &written.to_uppercase(),
            &written[1..],
            &"g".repeat(32),
            &"é".repeat(16),
        ] {
            assert_eq!(
                other.parse::<UserId>(),
                Err(NotAnId { digits: 32 }),
                "{other}"
            );
        }
        assert!(written.parse::<SessionId>().is_err());
        assert!(written.repeat(2).parse::<SessionId>().is_ok());
        assert_eq!(UserId::from_slice(id.as_bytes()), Some(id));
        assert_eq!(SessionId::from_slice(id.as_bytes()), None);
    }

    #[test]
    fn every_byte_is_read_as_it_is_written() {
        for byte in 0..=u8::MAX {
            let id = MessageId::from_bytes([byte; 16]);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn an_id_does_not_stand_in_debug_output() {
        let id = SessionId::from_bytes([0x5a; 32]);
        assert_eq!(format!("{id:?}"), "SessionId(…)");
    }

    #[test]
    fn what_is_no_id_is_told_with_the_number_of_digits() {
        let error = "x".parse::<LiveId>().unwrap_err().to_string();
        assert!(error.starts_with("an id is 32 "), "{error}");
    }
}
