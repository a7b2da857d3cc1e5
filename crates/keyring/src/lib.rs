//! Envelope encryption and KEK providers.
