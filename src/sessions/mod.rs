//! Cookie sessions: who is signed in, for how long, and how that ends.

mod cookie;
mod extract;
mod live;
pub mod reauth;
mod registry;
pub mod routes;
pub mod sign_in;
mod start;

pub use cookie::{CookieStore, SECRET, middleware};
pub use extract::{Administrator, After, SignedIn};
pub(crate) use extract::{audit_refusal, signed_in};
pub use live::LiveSession;
pub use registry::Registry;
pub use start::{Opening, Origin};
