//! Cookie sessions: start, look-up, expiry and revocation.

mod activity;
pub(crate) mod claimant;
pub mod device;
mod live;
pub mod manage;
pub mod reauth;
mod registry;
pub mod sign_in;
mod signed_in;
mod start;

pub use activity::Deed;
pub use device::{DeviceCookie, Devices};
pub use live::LiveSession;
pub use registry::{Epoch, Registry};
pub use signed_in::SignedIn;
pub use start::{Entry, Opening, SessionSecret};
