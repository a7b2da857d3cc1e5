//! The server of Secure Messaging.
