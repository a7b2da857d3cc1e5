//! The sans-I/O client core: sign-in, epochs, outbox, sync, timers, lock.
//!
//! One `Core` serves all tabs of a browser, or one native program. It is told what happened
//! ([`Input`]) and says what to do ([`Output`]); it never reads a clock, a network or a disk. Keys and
//! the plaintext of messages live here and nowhere else, and are overwritten on lock and sign-out.
#![forbid(unsafe_code)]

mod account;
mod activity;
mod answers;
mod boot;
mod clock;
pub mod command;
mod config;
mod conversations;
mod core;
mod drafts;
mod effects;
pub mod event;
mod failure;
pub mod id;
mod inbox;
mod input;
mod io;
mod link;
mod lock;
mod outbox;
mod output;
mod pause;
mod people;
mod prekeys;
mod presence;
mod purpose;
mod qr;
pub mod refusal;
mod refuse;
mod safe;
pub mod secret_text;
mod server;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod timers;
mod unlocked;
mod unsent;
mod wire;

pub use command::Command;
pub use config::{Config, CoreRng};
pub use core::Core;
pub use event::Event;
pub use input::Input;
pub use output::Output;
pub use unsent::Unsent;
