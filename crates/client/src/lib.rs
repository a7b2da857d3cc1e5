//! The sans-I/O client core: sign-in, epochs, outbox, sync, timers, lock.
//!
//! One `Core` serves all tabs of a browser, or one native program. It is told what happened
//! ([`Input`]) and says what to do ([`Output`]); it never reads a clock, a network or a disk. Keys and
//! the plaintext of messages live here and nowhere else, and are overwritten on lock and sign-out.
#![forbid(unsafe_code)]

pub mod command;
pub mod event;
pub mod id;
pub mod input;
pub mod output;
pub mod secret_text;

pub use command::Command;
pub use event::Event;
pub use input::Input;
pub use output::Output;
