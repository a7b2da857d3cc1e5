//! The zeroizing memory store.
