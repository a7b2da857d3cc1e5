//! Burned means gone: what the real process remembers of messages that were read or expired.
//!
//! Markers are planted in the bytes that the server receives, which is all of a message that it
//! ever has. They are found while the messages are held, which shows that the search works, and
//! looked for again in everything the process has mapped once the messages are gone: with the
//! connections that carried them still open, and after they closed.

mod http;
mod idle;
mod keys;
mod socket;
mod stage;
mod tls;
