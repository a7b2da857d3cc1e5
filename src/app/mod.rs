//! Use cases: what the server does for a caller, whichever road the call took.
//!
//! Nothing here knows HTTP, the WebSocket, the control socket or a terminal; [`crate::faces`] does.

pub mod accounts;
pub mod administration;
pub mod audit;
pub mod authority;
pub mod backups;
pub mod boot;
pub mod gauges;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod links;
pub mod messages;
pub mod metrics;
pub mod origin;
pub mod probe;
mod problem;
pub mod readiness;
pub mod service_keys;
pub mod sessions;
mod state;
pub mod time;
pub mod tokens;

pub use problem::Problem;
pub use state::App;
