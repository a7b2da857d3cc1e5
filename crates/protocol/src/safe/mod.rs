//! The key safe and the prekey safe.

mod mark;

pub use mark::SafeMark;
