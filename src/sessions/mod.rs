//! Cookie sessions: who is signed in, for how long, and how that ends.

mod cookie;
mod extract;
mod live;
mod registry;
pub mod reauth;
pub mod routes;
pub mod sign_in;
mod start;

pub use cookie::{CookieStore, middleware, SECRET};
pub use extract::{Administrator, SignedIn};
pub(crate) use extract::{audit_refusal, signed_in};
pub use live::LiveSession;
pub use registry::Registry;
pub use start::{Opening, Origin};
