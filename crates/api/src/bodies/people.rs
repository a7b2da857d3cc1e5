//! Other people, and what is needed to write to them.

use serde::{Deserialize, Serialize};

use crate::Blob;
use crate::ids::{LiveId, UserId};

/// Somebody, as others see them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Person {
    /// The account.
    pub user_id: UserId,
    /// Its handle.
    pub handle: String,
    /// Its name.
    pub alias: String,
    /// Encoded public keys with their signatures.
    pub public_keys: Blob,
}

/// What is wanted to write to somebody.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WantBundles {
    /// Whether a prekey is wanted although somebody is live.
    #[serde(default)]
    pub want_prekey: bool,
}

/// One live session of the recipient.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LiveBundle {
    /// Which session.
    pub live_id: LiveId,
    /// Its encoded bundle.
    pub bundle: Blob,
}

/// What there is to write to somebody with.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Bundles {
    /// Encoded public keys.
    pub public_keys: Blob,
    /// Every live session that published a bundle.
    pub live: Vec<LiveBundle>,
    /// An encoded claimed prekey, where it was wanted or nobody is live.
    pub prekey: Option<Blob>,
}
