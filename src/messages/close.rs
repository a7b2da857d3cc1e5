//! Close codes of the WebSocket.

/// The session has expired, was revoked or signed out: the client locks.
pub const SESSION_OVER: u16 = 4401;

/// The client broke the protocol.
pub const MISUSE: u16 = 4400;

/// The client reads too slowly, or holds too many sockets.
pub const TOO_MUCH: u16 = 4429;

/// The server shuts down.
pub const SHUTTING_DOWN: u16 = 4503;

/// Another socket of the same live session took its place.
pub const REPLACED: u16 = 4409;
