//! Use cases: what the server does for a caller, whichever road the call took.
//!
//! Nothing here knows HTTP, the WebSocket, the control socket or a terminal; [`crate::faces`] does.

pub mod accounts;
pub mod admin;
pub mod audit;
pub mod backups;
pub mod boot;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod messages;
pub mod metrics;
pub mod probe;
pub mod sessions;
pub mod state;
pub mod tokens;
