//! Messages: posting, claiming and acknowledging over HTTP and WebSocket.
//!
//! Data flows from a route to the service to the vault; nothing here knows the store.

mod events;
pub(crate) mod frames;
mod hub;
pub(crate) mod live;
mod outbox;
mod refusal;
pub(crate) mod service;

use events::Announcer;
pub use hub::{Hub, Socket};
pub use outbox::{Outbox, Outgoing};
