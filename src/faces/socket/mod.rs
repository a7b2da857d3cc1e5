//! The WebSocket.

mod acts;
mod channel;
mod connection;
mod deliver;
mod link;
mod wire;

pub use connection::{Opening, open};
