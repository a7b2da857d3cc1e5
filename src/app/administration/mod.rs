//! Administration; nothing here reveals who talks to whom.

pub mod accounts;
pub mod audit_log;
pub mod audit_proof;
pub mod intent;
pub mod server;
