//! The interface over HTTP and WebSocket, as a client sees it.

mod accounts;
