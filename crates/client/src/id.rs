//! Sixteen-byte identifiers as the JSON of commands and events spells them: 32 lower-case hex digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A 16-byte identifier of a user, a message or a live session, in JSON 32 lower-case hex digits.
///
/// A chat between two people has the other person's user id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 16]);

/// The text was not 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is 32 lower-case hex digits")]
pub struct IdError;

impl Id {
    /// Wraps raw bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

macro_rules! named {
    ($($name:ident),+) => {$(
        impl From<api::ids::$name> for Id {
            fn from(id: api::ids::$name) -> Self {
                Self(*id.as_bytes())
            }
        }

        impl From<Id> for api::ids::$name {
            fn from(id: Id) -> Self {
                Self::from_bytes(id.0)
            }
        }
    )+};
}

named!(UserId, MessageId, LiveId, TargetId, BootId, RestoreId);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(IdError);
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, IdError};

    #[test]
    fn an_id_is_spelt_in_one_way_only() {
        let spelt = "000102030405060708090a0b0c0d0eff";
        let id: Result<Id, IdError> = spelt.parse();
        assert_eq!(id.map(|id| id.to_string()), Ok(spelt.to_owned()));
        assert_eq!(id.map(|id| format!("{id:?}")), Ok(spelt.to_owned()));
        for other in [
            "",
            "00",
            &spelt.to_uppercase(),
            &spelt[1..],
            &"g".repeat(32),
        ] {
            assert_eq!(other.parse::<Id>(), Err(IdError), "{other}");
        }
    }
}
