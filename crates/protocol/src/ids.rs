//! Random 128-bit ids of accounts, messages, live sessions, attachments and groups.
//!
//! Specification: `docs/protocol.md#identifiers`.

pub use api::ids::{AttachmentId, GroupId, LiveId, MessageId, NotAnId, UserId};
