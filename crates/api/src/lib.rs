//! The contract between server and clients, written once for both.
//!
//! [`ids`] name accounts, messages and sessions. [`bodies`] are what HTTP carries, [`frames`] what the
//! WebSocket does, [`close`] how that ends. [`Action`] is what the audit log records. [`Code`] is what the
//! server refuses with, [`Own`] what a client finds by itself; either has words for people, so that a new
//! one does not compile without them. With the feature `schema`, the OpenAPI document and the types of the
//! browser's code are made from it.

#![forbid(unsafe_code)]

mod action;
#[cfg(feature = "json")]
mod blob;
#[cfg(feature = "json")]
pub mod bodies;
pub mod close;
mod code;
#[cfg(feature = "json")]
pub mod frames;
pub mod ids;
mod names;
mod own;
#[cfg(feature = "schema")]
pub mod schema;
mod service_id;
#[cfg(feature = "schema")]
pub mod typescript;
mod words;
mod wrap_kind;

pub use action::Action;
#[cfg(feature = "json")]
pub use blob::Blob;
pub use code::Code;
pub use names::{
    BundleState, Health, KekState, KeyJobKind, RegistrationMode, Role, ServiceKeyAlgorithm,
    ServiceKeyFormat, ServiceKeyState,
};
pub use own::Own;
pub use service_id::{NotAServiceId, ServiceId};
pub use words::{Words, try_again};
pub use wrap_kind::WrapKind;
