//! Sealing: which values are sealed and how, and tags over those in the clear that decide.

pub(crate) mod binding;
pub(crate) mod bound_setting;
pub(crate) mod bound_user;
pub(crate) mod codec;
pub(crate) mod columns;
pub(crate) mod in_flight;
pub(crate) mod sealer;
pub(crate) mod tags;

pub use binding::ROWS_BOUND;
#[cfg(feature = "testing")]
pub(crate) use binding::untag;
