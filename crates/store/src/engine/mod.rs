//! Engines: databases that hold rows.

pub(crate) mod sqlite;
