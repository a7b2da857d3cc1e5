//! Used tokens, by nonce.

use dashmap::DashMap;

use super::Memory;
use crate::{Answer, OneTimeTokens};

/// When the tokens that were used expire, unix seconds.
#[derive(Default)]
pub(super) struct Used(DashMap<[u8; 24], u64>);

impl Used {
    pub(super) fn tidy(&self, now: u64) {
        self.0.retain(|_, expires_at| *expires_at > now);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl OneTimeTokens for Memory {
    fn use_up(&self, nonce: &[u8; 24], expires_at: u64) -> Answer<'_, bool> {
        Answer::ready(self.used.0.insert(*nonce, expires_at).is_none())
    }
}
