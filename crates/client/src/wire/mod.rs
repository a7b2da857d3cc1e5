//! The JSON of the server's HTTP interface and socket.

mod blob;
mod frames;
mod http;

pub(crate) use blob::{Blob, SecretBlob};
pub(crate) use frames::{ClientFrame, ServerFrame, StatusEntry, Stranded, Waiting};
pub(crate) use http::*;
