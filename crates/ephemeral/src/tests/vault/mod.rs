//! The vault.

pub(crate) mod claiming;
pub(crate) mod erasing;
pub(crate) mod events;
pub(crate) mod fates;
pub(crate) mod limits;
pub(crate) mod model;
pub(crate) mod posting;
pub(crate) mod presence;
pub(crate) mod turns;
pub(crate) mod upkeep;
pub(crate) mod waiting;

use super::*;
