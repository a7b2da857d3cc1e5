//! The WebSocket.

mod acts;
mod connection;
mod wire;

pub use connection::{Opening, open};
