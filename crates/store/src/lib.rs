//! Repositories of the durable plane: accounts, public keys, sessions and audit.
//!
//! Everything sensitive is sealed by [`keyring`] before it reaches the database. Nothing of a message is
//! written. The traits are the interface of a backend; [`Store`] holds one as a trait object and is what the
//! server uses.
//!
//! The future of a write resolves only after its commit is on stable storage.
#![deny(unsafe_code)]

mod administration;
mod audit;
mod classes;
mod config;
mod damage;
mod engine;
pub mod example;
mod fault;

mod intent;
mod invites;
mod keys;
mod leases;
mod moving;
mod postgres;
mod prekeys;
mod public_keys;
mod repository;
mod safes;
mod sealing;
mod service_keys;
mod sessions;
mod settings;
mod snapshot;
mod statistics;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod users;

pub use crate::audit::{
    AuditEvent, AuditFilter, AuditLog, AuditPage, AuditRecord, ChainError, ChainHead,
};
pub use administration::{AccountChangeError, AdminLink, Administration};
pub use api::bodies::{KeyJob, Wrap};
pub use api::ids::{InviteCode, InviteHash, SessionId, UserId, WrapId};
pub use api::{
    KekState, KeyJobKind, RegistrationMode, Role, ServiceId, ServiceKeyAlgorithm, ServiceKeyState,
    WrapKind,
};
pub use audit::file::AuditFile;
pub use audit::proof::{AuditChunk, AuditItem, AuditProof, Foreign, Own, Seen};
pub use classes::{Critical, Public, Sealed, Sensitive};
pub use config::{OpenError, OpenReport, StoreConfig};
pub use damage::{Damage, Listed};
pub use engine::{Bindable, Plain, Value};
pub use fault::Fault;
pub use intent::{Act, Declaration, Intent};
pub use invites::{Invite, InviteUse, Invites, UseInviteError, hash_invite_code};
pub use keyring::{KekId, KekSource, KeyOrigin, KeySource, LocalSource, ProviderTag, Suite};
pub use keys::{
    BeginError, KekInfo, KeyManagement, NewKey, RENEWAL_DONE, RENEWAL_FINISHED, RENEWAL_STARTED,
    ROTATION_DONE, ROTATION_FINISHED, ROTATION_STARTED,
};
pub use leases::{Holder, Leases};
pub use moving::{MoveError, Moved, move_database};
pub use postgres::PostgresConfig;
pub use prekeys::{Claim, ClaimedLeaf, Leaf, MAX_LEAVES, NewBatch, Prekeys, PublishError, Stock};
pub use public_keys::{PublicKeyDirectory, PublicKeys, StoredPublicKeys};
pub use safes::{
    PrekeySafe, SafeConflict, SafeError, SafeKind, SafeRead, SafeUpdate, SafeWrite, Safes,
};
pub use sealing::ROWS_BOUND;
pub use service_keys::{
    MAX_SERVICE_KEY_VERSIONS, MAX_SERVICES, NewServiceKey, PrivateServiceKey, ServiceKey,
    ServiceKeyError, ServiceKeys,
};
pub use sessions::{
    CLOCK_TOLERANCE_SECS, CreateSessionError, ExpiredChunk, NewSession, SESSION_EXPIRED,
    SessionDetails, SessionRow, Sessions,
};
pub use settings::{SecretGenerator, ServerSecret, ServerSecrets, ServerSettings, Settings};
pub use snapshot::{
    OnCopied, Restored, Samples, Snapshot, SnapshotError, Snapshots, mark_restored,
};
pub use statistics::{ReplicaUse, Statistics, StatisticsSource};
pub use store::{Backend, Store};
pub use users::{
    Admission, Credential, CredentialChange, IdentityChange, KeepSessions, NewUser, RegisterError,
    ReplaceError, UserRow, Users,
};
