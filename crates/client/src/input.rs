//! What the world tells the core.

use zeroize::Zeroizing;

use crate::command::Command;

/// One thing that happened, handed to [`crate::Core::handle`] together with the time.
#[derive(Debug)]
pub enum Input {
    /// A tab asks for something.
    Command(Command),
    /// The answer to [`crate::Output::Http`] with the same `id`.
    Http {
        /// The request's id.
        id: u64,
        /// The HTTP status code.
        status: u16,
        /// The whole body, JSON or octets, at most 2 MiB.
        body: Vec<u8>,
    },
    /// The request with this `id` got no answer.
    HttpFailed {
        /// The request's id.
        id: u64,
    },
    /// A binary message of the socket asked for by [`crate::Output::SocketConnect`]. A message of text is
    /// handed on as an empty one, which ends the link.
    SocketFrame(Vec<u8>),
    /// The server answered the socket's handshake with something else than an open socket. A browser hides
    /// this answer and gives [`Input::SocketClosed`].
    SocketRefused {
        /// The HTTP status code.
        status: u16,
        /// The body; JSON where the server itself answered.
        body: Vec<u8>,
    },
    /// The socket is closed, or could not be opened.
    SocketClosed {
        /// The close code; 1006 when there was none.
        code: u16,
    },
    /// The time asked for by [`crate::Output::WakeAt`] has come; harmless at any time.
    Tick,
    /// The answer to [`crate::Output::Load`].
    Stored {
        /// The key asked for.
        key: String,
        /// What was stored under it, if anything.
        value: Option<Zeroizing<Vec<u8>>>,
    },
    /// What the core before this one gave with [`crate::Output::Wiped`], before the first command.
    Unsent(Zeroizing<Vec<u8>>),
}
