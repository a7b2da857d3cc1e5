//! The server's boot id: when it changes, what waited is gone.
//!
//! Specification: `docs/protocol.md#boot-id`.

use protocol::boot::{BootError, ServerKey, SignedBoot};

use crate::id::BootId;
use crate::io::Io;
use crate::refusal::Refusal;
use crate::refuse::of_decode;
use crate::state::safes::Safe;

/// The run of the server that is known, and the server's key.
#[derive(Default)]
pub(crate) struct Boot(Option<(BootId, ServerKey)>);

impl Boot {
    /// Whether a boot id is that of the known run of the server.
    pub(crate) fn is(&self, boot: BootId) -> bool {
        self.0.as_ref().is_some_and(|(known, _)| *known == boot)
    }

    /// The pinned server key, if it has signed the known run.
    pub(crate) fn key(&self) -> Option<&ServerKey> {
        self.0.as_ref().map(|(_, key)| key)
    }

    /// A boot id was heard, with its signature unless it is the one known. True if another run was known
    /// before: what waited there is gone.
    pub(crate) fn heard(
        &mut self,
        io: &mut Io,
        boot: BootId,
        signed: &[u8],
        safe: &mut Safe,
    ) -> bool {
        if self.is(boot) {
            return false;
        }
        let pinned = safe.contents().server.value;
        let verified = SignedBoot::decode(signed)
            .map_err(BootError::Decode)
            .and_then(|signed| {
                let id = signed.verify(pinned.as_ref())?.boot_id;
                Ok((id, signed.server_key(pinned.as_ref())?))
            });
        let key = match verified {
            Ok((id, key)) if id == *boot.as_bytes() => key,
            Ok(_) | Err(BootError::BadSignature | BootError::OtherServer) => {
                io.refused(Refusal::ForgedBoot, None, None);
                return false;
            }
            Err(BootError::Decode(error)) => {
                let refusal = match of_decode(&error) {
                    Refusal::Malformed => Refusal::ForgedBoot,
                    other => other,
                };
                io.refused(refusal, None, None);
                return false;
            }
        };
        if pinned.is_none() {
            let now = io.stamp();
            safe.edit().server.set(now, Some(*key.fingerprint()));
        }
        let restarted = self.0.replace((boot, key)).is_some();
        if restarted {
            io.notice(
                "server-restarted",
                "The server was restarted. Messages that waited there are gone.",
                None,
            );
        }
        restarted
    }
}
