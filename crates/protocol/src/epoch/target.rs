//! A recipient whose bundle or prekey was verified.

use super::EpochPath;
use crate::envelope::Target;
use crate::identity::{AccountKeys, Fingerprint};
use crate::primitives::agreement::AgreementPublic;
use crate::primitives::kem::KemPublic;

/// Proof that a session bundle or a claimed prekey was verified; only those checks make it.
#[derive(Debug, Clone)]
pub struct VerifiedTarget {
    pub(crate) keys: AccountKeys,
    pub(crate) target: Target,
    pub(crate) path: EpochPath,
    pub(crate) signed_id: u32,
    pub(crate) signed: AgreementPublic,
    pub(crate) one_time: Option<(u32, AgreementPublic)>,
    pub(crate) kem: KemPublic,
    pub(crate) bucket: Option<u64>,
}

impl VerifiedTarget {
    /// Where a slot for it goes.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Which pairs an epoch with it starts from.
    pub fn path(&self) -> EpochPath {
        self.path
    }

    /// Fingerprint of the identity that signed it.
    pub fn fingerprint(&self) -> &Fingerprint {
        self.keys.fingerprint()
    }

    /// The account's verified public keys.
    pub fn keys(&self) -> &AccountKeys {
        &self.keys
    }
}
