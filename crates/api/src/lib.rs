//! What server and clients say to each other when something is refused, written once for both.
//!
//! [`Code`] is what the server answers with, [`Own`] is what a client finds by itself. Either one has
//! words for people, so that a new one does not compile without them.

#![forbid(unsafe_code)]

mod code;
mod own;
mod words;

pub use code::Code;
pub use own::Own;
pub use words::{Words, try_again};
