//! Names that stand in JSON and in the database: one enum for each list of them.

/// Makes enums whose variants each have one stable name.
macro_rules! names {
    ($($(#[doc = $doc:literal])* $name:ident {
        $($(#[doc = $about:literal])* $variant:ident = $text:literal,)+
    })+) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
        pub enum $name {
            $($(#[doc = $about])* #[cfg_attr(feature = "json", serde(rename = $text))] $variant,)+
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name as it stands in JSON and in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Finds one by its name.
            pub fn named(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some(concat!($($doc),+).trim()))
                    .enum_values(Some(Self::ALL.iter().map(|one| one.as_str())))
                    .into()
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::ToSchema for $name {}

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}
pub(crate) use names;

names! {
    /// What an account may do.
    Role {
        /// An ordinary person.
        User = "user",
        /// May also read the audit log and figures of the server, and have the log verified.
        Auditor = "auditor",
        /// May also administer the server.
        Admin = "admin",
    }

    /// Who may register.
    RegistrationMode {
        /// Nobody.
        Closed = "closed",
        /// Whoever has an invite.
        Invite = "invite",
        /// Everybody.
        Open = "open",
    }

    /// What a key-encryption key is used for.
    KekState {
        /// New values are sealed under it.
        Active = "active",
        /// Values are moved away from it.
        Retiring = "retiring",
        /// Nothing is sealed under it, and what it was derived with is erased.
        Retired = "retired",
    }

    /// What a key job does to every sealed value.
    KeyJobKind {
        /// Wraps its data key under another key-encryption key; the ciphertext stays as it is.
        Rewrap = "rewrap",
        /// Seals it anew under a fresh data key.
        Renew = "renew",
    }

    /// Whether a part of the server can be used.
    Health {
        /// It can.
        Ok = "ok",
        /// It cannot; the server's log has the cause.
        Failed = "failed",
    }

    /// What a version of a service's key is made of, and what it is for.
    ServiceKeyAlgorithm {
        /// Two pairs to encrypt to the service with: ML-KEM-1024 and X25519, to be used together.
        MlKem1024X25519 = "ML-KEM-1024+X25519",
        /// Two pairs that the service signs with: ML-DSA-87 and Ed25519, of which both must verify.
        MlDsa87Ed25519 = "ML-DSA-87+Ed25519",
        /// An RSA pair that the service signs with, for clients that know nothing newer.
        Rs256 = "RS256",
    }

    /// Whether a version of a service's key is the one to use.
    ServiceKeyState {
        /// The one to encrypt to and to sign with.
        Active = "active",
        /// Replaced: what was signed or encrypted with it before is still read with it.
        Retired = "retired",
    }

    /// How keys of a service are written.
    ServiceKeyFormat {
        /// A JWK Set.
        Jwks = "jwks",
        /// PEM blocks.
        Pem = "pem",
    }

    /// Whether the server has a browser bundle to serve.
    BundleState {
        /// It has.
        Present = "present",
        /// It has none; the API works all the same.
        Missing = "missing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_json_and_in_the_database_and_leads_back() {
        for mode in RegistrationMode::ALL.iter().copied() {
            assert_eq!(RegistrationMode::named(mode.as_str()), Some(mode));
            let json = serde_json::to_string(&mode).unwrap();
            assert_eq!(json, format!("\"{mode}\""));
            assert_eq!(
                serde_json::from_str::<RegistrationMode>(&json).unwrap(),
                mode
            );
        }
        assert_eq!(RegistrationMode::named("Open"), None);
        assert!(serde_json::from_str::<Role>("\"root\"").is_err());
    }
}
