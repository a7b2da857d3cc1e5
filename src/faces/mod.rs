//! The roads to the use cases: HTTP, the WebSocket, the control socket and the command line.

pub mod commands;
pub mod control;
pub mod http;
pub mod socket;
