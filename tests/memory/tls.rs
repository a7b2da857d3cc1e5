//! Over TLS.
