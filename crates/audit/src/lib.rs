//! The proof of the audit log: a hash chain, heads signed by two schemes, and a verifier that names
//! changes.
//!
//! No I/O: records, heads and lines come in, findings come out. The store appends to the chain, the server
//! signs heads and sends them to witnesses, and `audit verify` checks a database or an export with this
//! crate alone.
//!
//! - A [`Record`] carries the SHA3-512 of its predecessor, so that whoever changes one must change
//!   all that follow.
//! - A [`SignedHead`] says which record had which hash at a time, signed with Ed25519 and
//!   ML-DSA-87, so that whoever has the file but not the key cannot do even that.
//! - Heads kept by witnesses, [`Outside`], show that the end was cut or an older file was put back.
//! - A [`Door`] is the only way to remove old records; a record of the chain vouches for it.
#![forbid(unsafe_code)]

mod door;
mod encoding;
mod export;
mod finding;
mod head;
mod outside;
mod pin;
mod reader;
mod record;
mod verifier;

pub use door::{Door, RETENTION};
pub use export::{ExportWriter, Header, MAX_LINE};
pub use finding::Finding;
pub use head::{
    Fingerprint, Head, HeadKeyError, HeadLineError, HeadSigningKey, HeadVerifyKey, SignedHead,
    Witnessed,
};
pub use outside::Outside;
pub use pin::{ParsePinError, Pin};
pub use reader::{ExportVerifier, NotAnExport};
pub use record::{Fields, Record, ZERO_HASH};
pub use verifier::{Verdict, Verifier};
