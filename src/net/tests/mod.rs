#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;
mod crowds;
mod following;
mod serving;
mod wire;
