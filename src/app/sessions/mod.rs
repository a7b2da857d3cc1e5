//! Cookie sessions: start, look-up, expiry and revocation.

mod activity;
mod cookie;
pub mod device;
mod extract;
mod live;
pub mod reauth;
mod registry;
pub mod routes;
pub mod sign_in;
mod start;

pub use activity::Deed;
pub use cookie::{CookieStore, SECRET, cookie_name, middleware};
pub use device::Devices;
pub use extract::{Administrator, After, SignedIn};
pub(crate) use extract::{audit_refusal, signed_in, write};
pub use live::LiveSession;
pub use registry::{Epoch, Registry};
pub use start::{Opening, Origin};
