//! What can go wrong between a native client and the server.

use std::time::Duration;

use api::bodies::Problem;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The address is not `http://host:port`.
    #[error("{0} is not an http:// address; give one such as http://127.0.0.1:8080")]
    BadAddress(String),
    /// Nobody answered, or the connection broke.
    #[error("the server did not answer ({0}); is it running?")]
    Transport(String),
    /// The answer is not what the contract says.
    #[error("the answer makes no sense; is this the right server?")]
    NotJson,
    /// The server refused.
    #[error("the server refused with {}: {}", .0.code, .0.detail)]
    Refused(Box<Problem>),
    /// The server did not accept the socket.
    #[error("the server refused the socket with status {status}; sign in first")]
    SocketRefused {
        /// The status of the answer to the handshake.
        status: u16,
        /// Its body.
        body: Vec<u8>,
    },
}

/// Why a headless client gave up.
#[derive(Debug, thiserror::Error)]
pub enum HeadlessError {
    /// A call failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The event did not come in time.
    #[error("no such event within {0:?}; events since: {1:?}")]
    TimedOut(Duration, Vec<String>),
    /// The core said that the command failed.
    #[error("{during} failed with {code}: {text}")]
    Failed {
        /// The command's tag.
        during: String,
        /// The stable code.
        code: String,
        /// The text for people.
        text: String,
    },
    /// The runner has ended.
    #[error("the client has been closed; connect again")]
    Closed,
}
