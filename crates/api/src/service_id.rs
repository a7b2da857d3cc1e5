//! Ids of services, as they stand in addresses.

use core::fmt;
use core::str::FromStr;

#[cfg(feature = "json")]
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A service: 1 to 64 lower-case letters, digits, dots, dashes and underscores. It begins and ends with a
/// letter or a digit, and has no two dots in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(String);

/// A text is not the id of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAServiceId;

impl fmt::Display for NotAServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = ServiceId::MAX_LEN;
        write!(
            f,
            "a service's id has 1 to {longest} lower-case letters, digits, dots, dashes or underscores, and \
             begins and ends with a letter or a digit; choose another one"
        )
    }
}

impl core::error::Error for NotAServiceId {}

impl ServiceId {
    /// Most bytes.
    pub const MAX_LEN: usize = 64;

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceId {
    type Err = NotAServiceId;

    fn from_str(text: &str) -> Result<Self, NotAServiceId> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = text.as_bytes();
        let ends = bytes.first().zip(bytes.last());
        let fits = ends.is_some_and(|(first, last)| plain(*first) && plain(*last))
            && bytes.len() <= Self::MAX_LEN
            && bytes
                .iter()
                .all(|byte| plain(*byte) || b".-_".contains(byte))
            && !text.contains("..");
        fits.then(|| Self(text.to_owned())).ok_or(NotAServiceId)
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "json")]
impl Serialize for ServiceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "json")]
impl<'de> Deserialize<'de> for ServiceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for ServiceId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some("A service"))
            .pattern(Some("^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$"))
            .into()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for ServiceId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_service_is_what_an_address_can_hold() {
        for text in ["a", "7", "billing", "mail.out-2_b", &"x".repeat(64)] {
            assert_eq!(
                text.parse::<ServiceId>().map(|id| id.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a.",
            "-a",
            "a-",
            "_",
            "A",
            "a b",
            "a/b",
            "a%2fb",
            "a\\b",
            "a\0",
            "a\n",
            "é",
            "a'--",
            &"x".repeat(65),
        ] {
            assert_eq!(text.parse::<ServiceId>(), Err(NotAServiceId), "{text:?}");
        }
    }

    #[test]
    fn an_id_of_a_service_is_checked_in_json_too() {
        let id: ServiceId = serde_json::from_str("\"mail\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"mail\"");
        assert!(serde_json::from_str::<ServiceId>("\"../mail\"").is_err());
    }
}
