//! A native client over the client core.
