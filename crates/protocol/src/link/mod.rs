//! The link: what crosses buffers is sealed once more, under keys that are erased at once.
//!
//! A server's instance signs a *link pair* for each five-minute bucket. A client opens a link to it with
//! fresh keys of its own, proves its account by signature or by the single-use key of the link before,
//! and from then on each frame has a key of its own. `docs/protocol/link.md` is the specification.
//!
//! | message | made by | read by |
//! |---|---|---|
//! | hello | [`LinkPair::generate`] | [`Hello::verify`] |
//! | open | [`client::Opening`] | [`server::Open::decode`] |
//! | opened | [`server::answer`] | [`client::Opening`] |
//! | proof | [`client::Opening`] | [`server::Answered::read`] |
//! | active | [`server::Ready::activate`] | [`client::Proving::active`] |
//!
//! Each step consumes the one before, so that steps out of order do not compile. Large bodies travel
//! under a [`Ticket`].

mod chain;
pub mod client;
mod frame;
mod hello;
mod messages;
mod psk;
mod renewal;
mod schedule;
pub mod server;
mod ticket;

pub use frame::{FRAME_SIZES, MAX_PAYLOAD};
pub use hello::{Hello, InstanceId, LinkPair, SignedHello, VerifiedHello};
pub use messages::LinkId;
pub use psk::{KnownSession, MAX_PSKS_OF_SESSION, Psk, PskId, Psks};
pub use ticket::{Direction, Ticket, TicketOpener, TicketSealer, sealed_len};

use crate::codec::DecodeError;
use crate::primitives::agreement::ZeroSharedSecret;
use crate::primitives::signature::BadSignature;

/// After so many seconds a link is renewed.
pub const RENEW_AFTER_SECS: u64 = 300;
/// After so many frames in one direction a link is renewed.
pub const RENEW_AFTER_FRAMES: u64 = 1_000;
/// A link is not renewed again within so many seconds, unless [`RENEW_LEAST_FRAMES`] went in a direction.
pub const RENEW_LEAST_SECS: u64 = 60;
/// A link is not renewed again within so many frames, unless [`RENEW_LEAST_SECS`] went by.
pub const RENEW_LEAST_FRAMES: u64 = 500;
/// A link that was not renewed until then ends: twice the seconds.
pub const END_AFTER_SECS: u64 = 2 * RENEW_AFTER_SECS;
/// A link that was not renewed until then ends: twice the frames.
pub const END_AFTER_FRAMES: u64 = 2 * RENEW_AFTER_FRAMES;

/// Why a step of a link is refused; the link is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The bytes are not the message that belongs here.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A signature does not hold.
    #[error("a signature of the link does not hold; do not use this server")]
    BadSignature,
    /// Signed by another key than the pinned one.
    #[error("the server signs its link with another key than before; ask its administrator why")]
    OtherServer,
    /// The hello is not of this time.
    #[error("the server's hello is not of this time; set this device's clock and connect again")]
    OtherTime,
    /// The open answers another hello than the current one.
    #[error("the open answers another hello; connect again")]
    OtherHello,
    /// The session is not that of the cookie.
    #[error("the link is for another session than its cookie; sign in again")]
    OtherSession,
    /// The account is not the one that the session belongs to.
    #[error("the link is for another account than its session; sign in again")]
    OtherAccount,
    /// The pre-shared key is unknown or used up.
    #[error("the key of the last link is used up; open the link with a signature")]
    UnknownPsk,
    /// A MAC or seal does not verify.
    #[error("a message of the link does not verify; connect again")]
    BadSeal,
    /// A key agreement gave nothing secret.
    #[error("a key agreement of the link gave nothing secret; connect again")]
    ZeroSharedSecret,
    /// The payload is larger than a frame or a ticket allows.
    #[error("the payload is too long for the link; use a ticket")]
    TooLong,
    /// A renewal is under way, was not asked for, or comes too soon after the one before.
    #[error("the renewal of the link is out of order; connect again")]
    OutOfOrder,
    /// The link ended, or was not renewed in time.
    #[error("the link ended; connect again")]
    Ended,
}

impl From<BadSignature> for LinkError {
    fn from(_: BadSignature) -> Self {
        Self::BadSignature
    }
}

impl From<ZeroSharedSecret> for LinkError {
    fn from(_: ZeroSharedSecret) -> Self {
        Self::ZeroSharedSecret
    }
}

impl From<crate::primitives::aead::BadTag> for LinkError {
    fn from(_: crate::primitives::aead::BadTag) -> Self {
        Self::BadSeal
    }
}

/// Overwrites the part of the stack that sealing and opening used.
#[inline(never)]
fn overwrite_stack() {
    // Whoever gets the address might write there: the zeros have to be in place.
    let mut words = [0_u64; 512];
    core::hint::black_box(&mut words);
}
