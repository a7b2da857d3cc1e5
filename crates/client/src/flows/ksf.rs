//! The hardening of passphrases is fixed by the protocol; a server that asks for less is refused.

use api::{Own, Words};
use protocol::opaque::{
    ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES, ExportKey, OpaqueError, RegisterState,
};

use crate::failure::Failure;
use crate::io::Io;
use crate::refusal::Refusal;
use crate::wire::{Blob, Ksf};

/// Refuses anything but the constants of this protocol version.
pub(super) fn check(io: &mut Io, offered: Option<&Ksf>) -> Result<(), Failure> {
    let ours = (ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES);
    if offered.is_some_and(|ksf| (ksf.memory_kib, ksf.passes, ksf.lanes) != ours) {
        io.refused(Refusal::LoweredKdf, None, None);
        return Err(Refusal::LoweredKdf.into());
    }
    Ok(())
}

/// Hardens a new passphrase: what the server stores of it, and the key that it gives.
pub(super) fn finish(
    io: &mut Io,
    offered: Option<&Ksf>,
    state: Option<RegisterState>,
    response: &Blob,
) -> Result<(Vec<u8>, ExportKey), Failure> {
    check(io, offered)?;
    let state = state.ok_or_else(|| Failure::new(Own::ServerReply))?;
    state
        .finish(&mut io.rng, response)
        .map_err(|error| failure(error, Own::ServerReply))
}

/// A sign-in message that cannot be used.
pub(super) fn failure(error: OpaqueError, refused: impl Into<Words>) -> Failure {
    match error {
        OpaqueError::Refused => Failure::new(refused),
        OpaqueError::Memory => Failure::new(Own::Memory),
        OpaqueError::Malformed | OpaqueError::Reflected => Failure::new(Own::ServerReply),
    }
}
