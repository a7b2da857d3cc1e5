//! actix-web's HTTP server, with bounds on what one client takes.
//!
//! Between the socket, plain or TLS, and the framework's dispatcher is a [stream](stream) that lets one request
//! at a time through, and that waits only so long for a head, for more of a body and for room to write. A
//! connection that becomes a WebSocket is [handed over](upgrade) by the dispatcher, whose buffers then end.
//!
//! What passes here of messages is sealed by the link; `docs/memory.md` says what is kept where.

mod gate;
mod give_back;
mod held;
mod limits;
mod networks;
mod patience;
mod places;
mod range;
mod server;
mod stream;
mod upgrade;

#[cfg(test)]
mod tests;

pub use limits::{FewDescriptors, Limits, Waits};
pub use networks::{Networks, Part, network_of};
pub use range::{AddressRange, NoRange};
pub use server::serve;
