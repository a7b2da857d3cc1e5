//! The single-use key that one link leaves for the next.

use std::collections::BTreeMap;

use subtle::ConstantTimeEq;

use crate::ids::{LiveId, UserId};
use crate::secret::secret;
use api::ids::SessionId;

secret! {
    /// psk', 32 bytes.
    pub(super) struct PskKey(32)
}

/// Public name of a pre-shared key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PskId(pub(super) [u8; 16]);

/// What a client keeps of a link, in memory only; using it consumes it.
#[derive(Debug)]
pub struct Psk {
    pub(super) id: PskId,
    pub(super) key: PskKey,
}

/// What a server keeps of a link, in memory only; using it consumes it.
#[derive(Debug)]
pub struct KnownSession {
    pub(super) psk: Psk,
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) live_id: LiveId,
}

/// A server's pre-shared keys: at most one for each live id.
#[derive(Debug, Default)]
pub struct Psks {
    known: BTreeMap<LiveId, KnownSession>,
}

impl KnownSession {
    /// The session that the key is good for.
    pub const fn session_id(&self) -> &SessionId {
        &self.session_id
    }
}

impl Psks {
    /// Keeps a key in the place of the one before.
    pub fn keep(&mut self, known: KnownSession) {
        self.known.insert(known.live_id, known);
    }

    /// Takes a key out, so that nobody takes it again; one of another name stays.
    pub fn take(&mut self, live_id: &LiveId, id: &PskId) -> Option<KnownSession> {
        let known = self.known.get(live_id)?;
        if !bool::from(known.psk.id.0.ct_eq(&id.0)) {
            return None;
        }
        self.known.remove(live_id)
    }

    /// Forgets the keys of a session that ended.
    pub fn forget_session(&mut self, session_id: &SessionId) {
        self.known
            .retain(|_, known| known.session_id != *session_id);
    }

    /// Forgets the key of a live session that ended.
    pub fn forget(&mut self, live_id: &LiveId) {
        self.known.remove(live_id);
    }
}
