//! Close codes of the WebSocket.
//!
//! Specification: `docs/protocol/constants.md#close-codes`.

/// The client broke the protocol.
pub const MISUSE: u16 = 4400;

/// The session has expired, or is over for a reason that has no code of its own.
pub const SESSION_OVER: u16 = 4401;

/// Another session of the account ended this one.
pub const SESSION_ENDED: u16 = 4402;

/// The account's passphrase was changed in another session.
pub const PASSPHRASE_CHANGED: u16 = 4403;

/// The account was recovered with its recovery key.
pub const ACCOUNT_RECOVERED: u16 = 4404;

/// The account was deleted, or an administrator disabled it.
pub const ACCOUNT_CLOSED: u16 = 4405;

/// The link was refused, or one of its frames did not open: connect again.
pub const LINK: u16 = 4406;

/// Another socket of the same live session took its place.
pub const REPLACED: u16 = 4409;

/// The client reads too slowly, or holds too many sockets.
pub const TOO_MUCH: u16 = 4429;

/// The server shuts down.
pub const SHUTTING_DOWN: u16 = 4503;

/// Returns the reason for which a session is over, as clients name it; `None` for a code that ends only
/// the connection.
pub const fn session_over(code: u16) -> Option<&'static str> {
    match code {
        SESSION_OVER => Some("expired"),
        SESSION_ENDED => Some("ended_elsewhere"),
        PASSPHRASE_CHANGED => Some("passphrase_elsewhere"),
        ACCOUNT_RECOVERED => Some("recovered_elsewhere"),
        ACCOUNT_CLOSED => Some("account_closed"),
        _ => None,
    }
}
