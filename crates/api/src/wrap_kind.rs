//! Kinds of wraps of the safe key.

/// What opens a wrap of the safe key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(from = "String", into = "String"))]
pub enum WrapKind {
    /// The passphrase, through OPAQUE's export key.
    Passphrase,
    /// The recovery key.
    RecoveryKey,
    /// Something that only a later version knows.
    Other(String),
}

impl WrapKind {
    /// The kinds of which every account has one wrap.
    pub const OF_EVERY_ACCOUNT: [Self; 2] = [Self::Passphrase, Self::RecoveryKey];

    /// Returns the name as it stands in JSON and in the database.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Passphrase => "passphrase",
            Self::RecoveryKey => "recovery_key",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for WrapKind {
    fn from(name: String) -> Self {
        let mut known = Self::OF_EVERY_ACCOUNT.into_iter();
        let known = known.find(|kind| kind.as_str() == name);
        known.unwrap_or(Self::Other(name))
    }
}

impl From<WrapKind> for String {
    fn from(kind: WrapKind) -> Self {
        kind.as_str().to_owned()
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for WrapKind {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let text = "What opens a wrap of the safe key: `passphrase`, `recovery_key`, or a kind of a later \
                    version, which is kept and ignored";
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some(text))
            .into()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for WrapKind {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_a_later_version_is_kept_as_it_is() {
        for (kind, name) in [
            (WrapKind::Passphrase, "passphrase"),
            (WrapKind::RecoveryKey, "recovery_key"),
            (WrapKind::Other("Passphrase".to_owned()), "Passphrase"),
            (WrapKind::Other(String::new()), ""),
        ] {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<WrapKind>(&json).unwrap(), kind);
        }
    }
}
