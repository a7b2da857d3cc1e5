//! The JSON of the server's HTTP interface and socket.

mod http;

pub(crate) use api::Blob;
pub(crate) use api::frames::{ClientFrame, ServerFrame, StatusEntry, Stranded, Waiting};
pub(crate) use http::*;
