//! One's own account: name, passphrase, identity, end.

use serde::{Deserialize, Serialize};

use super::{Ksf, SafeData, SafeWrite};
use crate::Blob;

/// A change of one's own account.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AccountChange {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// What erasing one's own account needs.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AccountDeletion {
    /// From a re-authentication: a cookie alone must not erase an account.
    pub reauth_token: Blob,
}

/// The first message of a change of passphrase.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PassphraseStart {
    /// OPAQUE registration request for the new passphrase.
    pub request: Blob,
}

/// The answer to the first message of a change of passphrase.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PassphraseStarted {
    /// OPAQUE registration response.
    pub response: Blob,
    /// To be sent with the second message within ten minutes.
    pub token: Blob,
    /// How the passphrase is hardened, where the server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub ksf: Option<Ksf>,
}

/// The second message of a change of passphrase.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PassphraseFinish {
    /// From the answer to the first message.
    pub token: Blob,
    /// From the re-authentication with the old passphrase.
    pub reauth_token: Blob,
    /// OPAQUE registration upload.
    pub upload: Blob,
    /// The key safe under a new key, one version up.
    pub safe: SafeWrite,
    /// The prekey safe under a new key, one version up.
    pub prekey_safe: SafeData,
}

/// A new identity: public keys, prekeys and safes are replaced together.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IdentityChange {
    /// From a re-authentication: a cookie alone must not swap an identity.
    pub reauth_token: Blob,
    /// Encoded public keys.
    pub public_keys: Blob,
    /// Encoded batch of prekeys, signed by them.
    pub prekeys: Blob,
    /// The key safe, one version up.
    pub safe: SafeWrite,
    /// The prekey safe, one version up.
    pub prekey_safe: SafeData,
}
