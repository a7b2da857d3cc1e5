//! Connections whose buffers forget.
//!
//! A web framework copies what passes through it into buffers that live as long as their
//! connection, and overwrites them only when more comes. Here bodies never enter those buffers. The
//! stream under the HTTP dispatcher takes them out as they are read and puts them in as they are
//! written:
//!
//! ```text
//! socket ─▶ Guarded::poll_read ─ heads, and as many zeros as the body has bytes ─▶ dispatcher
//!               └─ the body itself ─▶ Intake ─▶ GuardedPayload ─▶ handler
//! handler ─▶ GuardedBody ─ a nonce and zeros, as many as the body has bytes ─▶ dispatcher
//!               └─ the body itself ─▶ Outlet ─▶ Guarded::poll_write ─▶ socket
//! ```
//!
//! Handlers see ordinary payloads and return ordinary bodies. The pieces handed to them are
//! allocations of their own, which the wiping allocator overwrites when they are freed.
//! `docs/memory.md` says why it is done so, what was measured and what remains.
//!
//! The stream lets one request at a time reach the dispatcher, waits only so long for a head, for
//! the next piece of a body and for room to write, and keeps nothing that nobody has asked for: what
//! one connection holds is bounded, whatever is sent.

mod body;
mod connection;
mod give_back;
mod held;
mod intake;
mod limits;
mod networks;
mod outlet;
mod patience;
mod payload;
mod places;
mod server;
mod stream;
mod tls;
mod transport;
mod upgrade;

#[cfg(test)]
mod tests;

pub use limits::{FewDescriptors, Limits, Waits};
pub use networks::{Networks, Part, network_of};
pub use server::serve;
