//! What the core asks of the world.

use zeroize::Zeroizing;

use crate::event::Event;
use crate::unsent::Unsent;

/// One thing to do, in the order given by [`crate::Core::handle`].
#[derive(Debug)]
pub enum Output {
    /// Make an HTTP request with the session's cookies and answer with [`crate::Input::Http`] or
    /// [`crate::Input::HttpFailed`].
    Http {
        /// Names the request; unique in this core.
        id: u64,
        /// `GET`, `POST`, `PUT` or `DELETE`.
        method: &'static str,
        /// Path and query, beginning with `/api/v1/`.
        path: String,
        /// The Content-Type of the body, where there is a body.
        content_type: Option<&'static str>,
        /// The body; empty for none.
        body: Zeroizing<Vec<u8>>,
    },
    /// Open `/api/v1/ws?live_id=…&deliver=1`; an open socket is closed first.
    SocketConnect {
        /// 32 hex digits.
        live_id: String,
    },
    /// Send a binary message, at most 16 KiB: a step of the link's handshake or one of its frames.
    SocketFrame(Vec<u8>),
    /// Close the socket; no [`crate::Input::SocketClosed`] is expected.
    SocketDisconnect,
    /// Keep a value in this browser.
    Store {
        /// The name, ASCII.
        key: String,
        /// The value.
        value: Zeroizing<Vec<u8>>,
        /// Encrypt it first with this browser's own key that cannot be exported.
        sealed: bool,
    },
    /// Read a value back; answer with [`crate::Input::Stored`] (`None` when absent or unreadable).
    Load {
        /// The name, ASCII.
        key: String,
        /// Whether it was stored sealed.
        sealed: bool,
    },
    /// Forget a value.
    Erase {
        /// The name, ASCII.
        key: String,
    },
    /// Call again with [`crate::Input::Tick`] at this time (unix milliseconds), or soon after; replaces
    /// the time asked for before.
    WakeAt(u64),
    /// The keys are gone from this core: the shim may now fill its whole memory with zeros and start anew.
    Wiped {
        /// What was not sent, sealed; the next core is given it with [`crate::Input::Unsent`].
        unsent: Option<Unsent>,
    },
    /// News for all tabs.
    Event(Event),
}
