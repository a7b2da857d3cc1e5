//! The sans-I/O client core.
