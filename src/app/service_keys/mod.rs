//! Keys of services: made, rotated and deleted by administrators, read by everybody or by those who may.
//!
//! Documentation: `docs/service-keys.md`.

mod changing;
mod desk;
mod making;
mod presence;
mod public;
mod reading;
mod refusal;
mod shown;
mod terminal;

pub use desk::Desk;
pub use making::Upserted;
pub use presence::Present;
pub use public::{PublicKeys, public};
pub use reading::Written;
pub use refusal::Refusal;
pub use terminal::{Answer, Question};
