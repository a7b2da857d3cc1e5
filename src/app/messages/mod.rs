//! Messages: posting, claiming and acknowledging at a socket.
//!
//! Data flows from a route to the service to the vault; nothing here knows the store.

mod caller;
mod deliveries;
mod events;
pub(crate) mod frames;
mod hub;
pub(crate) mod live;
mod outbox;
mod refusal;
pub(crate) mod service;

pub(crate) use caller::Caller;
pub use deliveries::Deliveries;
pub(crate) use deliveries::Due;
use events::Announcer;
pub use hub::{Hub, Socket};
pub use outbox::{Outbox, Outgoing};
