//! The end-to-end protocol.
