//! Accounts: registration, recovery, keys and safes, people and invites.

pub mod admin_link;
pub mod audit;
pub mod bundles;
mod claims;
pub mod erasure;
pub mod handle;
pub mod identity;
pub mod invites;
pub mod keys;
pub mod passphrase;
pub mod people;
pub mod prekeys;
pub mod recovery;
pub mod registration;
pub mod safes;
pub mod server;
mod setup;
mod tree;

pub use claims::Claims;
pub use setup::Setup;
