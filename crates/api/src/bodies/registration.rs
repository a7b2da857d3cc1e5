//! Registration: OPAQUE's two messages.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{SafeData, SafeWrite};
use crate::ids::{SessionId, UserId};
use crate::{Blob, Role};

/// How a passphrase is hardened. A client knows it from the version of the protocol, and refuses a
/// server that says anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Ksf {
    /// Argon2id's memory in KiB.
    pub memory_kib: u32,
    /// Argon2id's passes.
    pub passes: u32,
    /// Argon2id's lanes.
    pub lanes: u32,
}

/// What a registration would say, to be checked before a passphrase is chosen.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegistrationWish {
    /// The handle that the person wants.
    pub handle: String,
    /// The name that others shall see.
    pub alias: String,
    /// The secret of the set-up link.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub setup: Option<Zeroizing<String>>,
    /// The code of an invite, 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// The first message of a registration.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegistrationStart {
    /// The handle that the person wants.
    pub handle: String,
    /// OPAQUE registration request.
    pub request: Blob,
    /// The secret of the set-up link.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub setup: Option<Zeroizing<String>>,
    /// The code of an invite, 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// The answer to the first message of a registration.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegistrationStarted {
    /// OPAQUE registration response.
    pub response: Blob,
    /// To be sent with the second message within ten minutes.
    pub token: Blob,
    /// The account's id, which its prekeys are signed for.
    pub user_id: UserId,
    /// How the passphrase is hardened, where the server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub ksf: Option<Ksf>,
}

/// The second message of a registration.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegistrationFinish {
    /// From the answer to the first message.
    pub token: Blob,
    /// OPAQUE registration upload.
    pub upload: Blob,
    /// The name that others see.
    pub alias: String,
    /// Encoded public keys.
    pub public_keys: Blob,
    /// The key safe.
    pub safe: SafeWrite,
    /// The prekey safe.
    pub prekey_safe: SafeData,
    /// Encoded batch of prekeys.
    pub prekeys: Blob,
    /// How the person calls this device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}

/// Who is signed in from this answer on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Entered {
    /// The account.
    pub user_id: UserId,
    /// What it may do.
    pub role: Role,
    /// The session that began; a link is opened for it.
    pub session_id: SessionId,
}
