//! See the crate overview.
