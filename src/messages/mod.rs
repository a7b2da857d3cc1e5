//! Messages: posting, claiming and acknowledging over HTTP and WebSocket.
//!
//! Data flows from a route to the service to the vault; nothing here knows the store.

mod acts;
mod events;
mod frames;
mod hub;
mod ingest;
mod refusal;
pub mod routes;
mod service;
pub mod socket;
mod wire;

pub use events::Announcer;
pub use hub::{Hub, Outgoing, Socket};
