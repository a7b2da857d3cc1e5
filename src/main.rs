//! The `secure-messaging` binary.
fn main() {}
