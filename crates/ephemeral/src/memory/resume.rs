//! Halves of resume wraps, by session.

use dashmap::DashMap;
use zeroize::Zeroizing;

use super::Memory;
use crate::{Answer, ResumeHalves, SessionId};

/// Each session's half, and until when it is kept.
#[derive(Default)]
pub(super) struct Halves(DashMap<SessionId, (Zeroizing<Vec<u8>>, u64)>);

impl Halves {
    pub(super) fn tidy(&self, now: u64) {
        self.0.retain(|_, (_, until)| *until > now);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl ResumeHalves for Memory {
    fn keep(&self, session: SessionId, half: Zeroizing<Vec<u8>>, until: u64) -> Answer<'_, ()> {
        self.halves.0.insert(session, (half, until));
        Answer::ready(())
    }

    fn half(&self, session: SessionId) -> Answer<'_, Option<Zeroizing<Vec<u8>>>> {
        let now = self.ambient.now();
        let kept = self.halves.0.get(&session);
        let half = kept.filter(|kept| kept.1 > now).map(|kept| kept.0.clone());
        Answer::ready(half)
    }

    fn erase(&self, sessions: &[SessionId]) -> Answer<'_, ()> {
        for session in sessions {
            self.halves.0.remove(session);
        }
        Answer::ready(())
    }
}
