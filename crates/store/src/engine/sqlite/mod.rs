//! The engine over SQLite.

pub(crate) mod connection;
pub(crate) mod db;
pub(crate) mod first_start;
pub(crate) mod migrations;
pub(crate) mod readers;
pub(crate) mod standing;
pub(crate) mod writer;
