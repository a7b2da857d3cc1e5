//! The specification says what the code does: its tables, addresses, frames and links.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod frames;
mod labels;
mod links;
mod numbers;
mod source;
mod suite;
mod tree;
mod value;
