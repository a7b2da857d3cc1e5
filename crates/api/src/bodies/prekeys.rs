//! One's own prekeys.

use serde::{Deserialize, Serialize};

use crate::Blob;

/// A batch of prekeys to publish.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PrekeyBatch {
    /// Encoded signed batch; its private halves must be committed before.
    pub batch: Blob,
}

/// What is left of one's prekeys.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PrekeyStock {
    /// One-time prekeys left.
    pub stock: u32,
    /// Number of the newest batch.
    pub batch_number: u32,
    /// Unix seconds at which the last-resort pair was made.
    pub last_resort_created_at: u64,
}

/// Prekeys under which something waits or is being read.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PrekeysInUse {
    /// Numbers of the pairs.
    pub ids: Vec<u32>,
}
