//! The WebSocket.

mod acts;
mod connection;
mod wire;

pub use connection::open;
