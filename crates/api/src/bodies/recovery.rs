//! Recovery: signing in with the recovery key and choosing a new passphrase.

use serde::{Deserialize, Serialize};

use super::{Ksf, SafeData, SafeRead, SafeWrite};
use crate::Blob;
use crate::ids::UserId;

/// The first message of a recovery.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecoveryStart {
    /// The handle.
    pub handle: String,
    /// Proof of the recovery key.
    pub proof: Blob,
    /// OPAQUE registration request for the new passphrase.
    pub request: Blob,
}

/// The answer to the first message of a recovery.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecoveryStarted {
    /// OPAQUE registration response.
    pub response: Blob,
    /// To be sent with the second message within ten minutes.
    pub token: Blob,
    /// The account.
    pub user_id: UserId,
    /// The key safe, which the recovery key opens.
    pub safe: SafeRead,
    /// The prekey safe.
    pub prekey_safe: SafeData,
    /// How the passphrase is hardened, where the server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub ksf: Option<Ksf>,
}

/// The second message of a recovery.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecoveryFinish {
    /// From the answer to the first message.
    pub token: Blob,
    /// OPAQUE registration upload.
    pub upload: Blob,
    /// The key safe under a new key.
    pub safe: SafeWrite,
    /// The prekey safe under a new key.
    pub prekey_safe: SafeData,
    /// How the person calls this device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}
