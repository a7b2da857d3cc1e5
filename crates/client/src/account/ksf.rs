//! The hardening of passphrases is fixed by the protocol; a server that asks for less is refused.

use protocol::opaque::{ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES, OpaqueError};

use crate::failure::Failure;
use crate::refusal::Refusal;
use crate::wire::Ksf;

/// Refuses anything but the constants of this protocol version.
pub(super) fn check(offered: Option<&Ksf>) -> Result<(), Refusal> {
    match offered {
        None => Ok(()),
        Some(ksf)
            if ksf.memory_kib == ARGON2_MEMORY_KIB
                && ksf.passes == ARGON2_PASSES
                && ksf.lanes == ARGON2_LANES =>
        {
            Ok(())
        }
        Some(_) => Err(Refusal::LoweredKdf),
    }
}

/// A sign-in message that cannot be used.
pub(super) fn failure(error: OpaqueError, refused: &str) -> Failure {
    match error {
        OpaqueError::Refused => Failure::new(refused),
        OpaqueError::Memory => Failure::new("memory"),
        OpaqueError::Malformed | OpaqueError::Reflected => Failure::new("server-reply"),
    }
}
