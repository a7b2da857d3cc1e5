//! Repositories over SQLite.
