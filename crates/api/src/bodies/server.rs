//! What the server says of itself to everybody.

use serde::{Deserialize, Serialize};

use crate::ids::{BootId, RestoreId};
use crate::{Blob, BundleState, Health, RegistrationMode};

/// What the sign-in page needs to know of the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Server {
    /// Version of the program.
    pub version: String,
    /// Which start of the server this is.
    pub boot: Boot,
    /// Unix seconds.
    pub now: u64,
    /// Who may register.
    pub registration: RegistrationMode,
    /// Whether the first administrator has been made.
    pub setup_done: bool,
    /// Hash of the browser bundle, if there is one.
    pub bundle_hash: Option<String>,
    /// That the database came out of a backup, if it did.
    pub restored: Option<Restored>,
}

/// The id of this start of the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Boot {
    /// Random at every start.
    pub id: BootId,
    /// The id and the time of the start, signed.
    pub signed: Blob,
}

/// A restore, as the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Restored {
    /// Random at each restore.
    pub epoch: RestoreId,
    /// Unix seconds of the backup: what changed later is as it was then.
    pub at: u64,
}

/// Whether the process runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Live {
    /// Always `live`.
    pub status: String,
}

/// What a server that can serve says; one that cannot answers with a problem document that has the
/// last three members too.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Ready {
    /// Always `ready`.
    pub status: String,
    /// Whether the database takes writes.
    pub database: Health,
    /// Whether the keys can be used.
    pub keys: Health,
    /// Whether there is a browser bundle.
    pub bundle: BundleState,
}
