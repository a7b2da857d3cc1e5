//! Request and response bodies of the HTTP interface, a file for each area.
//!
//! What travels in an address instead of a body, such as [`KnownSafes`], stands beside the bodies of its
//! area.

mod account;
mod admin;
mod audit;
mod backups;
mod invites;
mod keys;
mod people;
mod prekeys;
mod problem;
mod recovery;
mod registration;
mod safes;
mod server;
mod service_keys;
mod sessions;
mod sign_in;

pub use account::{
    AccountChange, AccountDeletion, IdentityChange, PassphraseFinish, PassphraseStart,
    PassphraseStarted,
};
pub use admin::{Account, Accounts, AccountsWanted, DamagedAccount, Figures, RegistrationChoice};
pub use audit::{
    AuditKey, AuditPage, AuditProof, AuditRecord, NewestHead, RecordsWanted, Verification,
    Verified, WitnessState,
};
pub use backups::{Backup, BackupJob, BackupWanted, Backups};
pub use invites::{Invite, InviteMade, NewInvite, UseInvite};
pub use keys::{Kek, KeyJob, Keys};
pub use people::{Bundles, LiveBundle, Person, WantBundles};
pub use prekeys::{PrekeyBatch, PrekeyStock, PrekeysInUse};
pub use problem::Problem;
pub use recovery::{RecoveryFinish, RecoveryStart, RecoveryStarted};
pub use registration::{
    Entered, Ksf, RegistrationFinish, RegistrationStart, RegistrationStarted, RegistrationWish,
};
pub use safes::{
    KnownSafes, NewWrap, PrekeySafeChange, SafeChange, SafeConflict, SafeData, SafeRead, SafeWrite,
    Safes, Wrap,
};
pub use server::{Boot, Live, Ready, Restored, Server};
pub use service_keys::{
    DamagedService, NewServiceKey, PrivateKeyWanted, PublicKeysWanted, ServiceKey,
    ServiceKeyDeletion, ServiceKeyRotation, ServiceKeyWanted, Services, ServicesWanted,
};
pub use sessions::{CurrentSession, ResumeHalf, RevokeOthers, Session};
pub use sign_in::{
    ReauthFinish, ReauthStart, Reauthenticated, SignInFinish, SignInStart, SignInStarted,
};
