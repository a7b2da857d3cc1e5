//! The sans-I/O client core: sign-in, epochs, outbox, sync, timers, lock.
//!
//! One `Core` serves all tabs of a browser, or one native program. It is told what happened
//! ([`Input`]) and says what to do ([`Output`]); it never reads a clock, a network or a disk. Keys and
//! the plaintext of messages live here and nowhere else, and are overwritten on lock and sign-out.
#![forbid(unsafe_code)]

mod activity;
mod answers;
mod clock;
pub mod command;
mod config;
mod core;
mod effects;
pub mod event;
mod failure;
mod flows;
pub mod id;
mod input;
mod io;
mod link;
mod lock;
mod output;
mod pause;
mod purpose;
mod qr;
pub mod refusal;
mod refuse;
pub mod secret_text;
mod server;
mod state;
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
