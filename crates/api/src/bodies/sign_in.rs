//! Sign-in with OPAQUE (RFC 9807), and the passphrase again for what a cookie alone must not do.

use serde::{Deserialize, Serialize};

use super::Ksf;
use crate::Blob;

/// The first message of a sign-in.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignInStart {
    /// The handle.
    pub handle: String,
    /// OPAQUE credential request.
    pub request: Blob,
}

/// The answer to the first message of a sign-in or re-authentication.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignInStarted {
    /// OPAQUE credential response, a fake one where there is no such account.
    pub response: Blob,
    /// To be sent with the second message within sixty seconds, once.
    pub token: Blob,
    /// How the passphrase is hardened, where the server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub ksf: Option<Ksf>,
}

/// The second message of a sign-in.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignInFinish {
    /// From the answer to the first message.
    pub token: Blob,
    /// OPAQUE credential finalization.
    pub finalization: Blob,
    /// How the person calls this device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}

/// The first message of a re-authentication.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReauthStart {
    /// OPAQUE credential request.
    pub request: Blob,
}

/// The second message of a re-authentication.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReauthFinish {
    /// From the answer to the first message.
    pub token: Blob,
    /// OPAQUE credential finalization.
    pub finalization: Blob,
}

/// The answer to the second message of a re-authentication.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reauthenticated {
    /// Proof of the passphrase for this session, for five minutes and once.
    pub reauth_token: Blob,
}
