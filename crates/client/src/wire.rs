//! The JSON of the server's HTTP interface and socket, as [`api`] has it.

pub(crate) use api::Blob;
pub(crate) use api::bodies::*;
pub(crate) use api::frames::{ClientFrame, ServerFrame, StatusEntry, Stranded, Waiting};
