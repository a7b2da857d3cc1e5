//! Key-encryption keys and the jobs on them, for administrators.

use serde::{Deserialize, Serialize};

use crate::{KekState, KeyJobKind};

/// A key-encryption key; never its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Kek {
    /// Identifier, in hexadecimal digits.
    pub id: String,
    /// `local`, `pkcs11`, `hashicorp_vault`, `aws_kms` or `azure_key_vault`.
    pub provider: String,
    /// Its name in the token, or that of the key which wrapped it in a key service.
    pub reference: Option<String>,
    /// What it is used for.
    pub state: KekState,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds at which the last value had left it.
    pub retired_at: Option<u64>,
}

/// A job over every sealed value; it survives the end of the process at any point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KeyJob {
    /// Counts up from 1.
    pub id: u64,
    /// What it does.
    pub kind: KeyJobKind,
    /// Whether it is over.
    pub finished: bool,
    /// Why it was begun.
    pub reason: String,
    /// Values that it is past.
    pub done: u64,
    /// Values that there were when it began.
    pub total: u64,
    /// Unix seconds.
    pub started_at: u64,
    /// Unix seconds.
    pub finished_at: Option<u64>,
}

/// The keys and what is being done to them.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Keys {
    /// Every key-encryption key, the newest first.
    pub keks: Vec<Kek>,
    /// The job that runs, or the last one.
    pub job: Option<KeyJob>,
    /// What keeps the running job from going on.
    pub trouble: Option<String>,
    /// Days after which a key rotates by itself; 0 for never.
    pub kek_days: u64,
    /// Unix seconds of the next rotation.
    pub next_rotation: Option<u64>,
}
