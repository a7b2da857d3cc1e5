//! What survives the end of the process, and what must not.

mod configuration;
mod kill;
mod rotation;
mod survival;
