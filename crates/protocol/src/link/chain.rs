//! One direction of a link: a chain that steps with each frame.

use zeroize::Zeroizing;

use super::frame::{self, Kind};
use super::{
    END_AFTER_FRAMES, END_AFTER_SECS, LinkError, RENEW_AFTER_FRAMES, RENEW_AFTER_SECS,
    RENEW_LEAST_FRAMES, RENEW_LEAST_SECS, overwrite_stack,
};
use crate::labels;
use crate::primitives::{aead, kdf};
use crate::secret::secret;

secret! {
    /// Opens the next frame and all after it, 32 bytes.
    pub(super) struct ChainKey(32)
}

secret! {
    /// What a renewal starts from besides its own keys, 32 bytes.
    pub(super) struct Root(32)
}

secret! {
    /// Seals or opens one frame, 32 bytes.
    struct FrameKey(32)
}

/// Who sends in this direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client = 1,
    Server = 2,
}

/// A chain; over when its key is gone.
#[derive(Debug)]
pub(super) struct Chain {
    key: Option<ChainKey>,
    side: Side,
    frames: u64,
    since: u64,
}

impl ChainKey {
    pub(super) fn copied(bytes: &[u8; 32]) -> Self {
        let mut key = Self::zeroed();
        key.expose_mut().copy_from_slice(bytes);
        key
    }

    /// HMAC-SHA-512(chain_i, "link frame") = frame key ‖ chain_{i+1}; chain_i is overwritten.
    fn step(&mut self) -> FrameKey {
        let mut out = Zeroizing::new([0; 64]);
        kdf::mac(self.expose(), &[labels::LINK_FRAME], &mut out);
        let mut key = FrameKey::zeroed();
        let (frame, next) = out.split_at(32);
        key.expose_mut().copy_from_slice(frame);
        self.expose_mut().copy_from_slice(next);
        key
    }
}

impl Chain {
    pub(super) const fn new(key: ChainKey, side: Side, now: u64) -> Self {
        Self {
            key: Some(key),
            side,
            frames: 0,
            since: now,
        }
    }

    /// Whether it is time to renew.
    pub(super) const fn is_worn(&self, now: u64) -> bool {
        self.frames >= RENEW_AFTER_FRAMES || now.saturating_sub(self.since) >= RENEW_AFTER_SECS
    }

    /// Whether it has just begun, so that a renewal has no reason.
    pub(super) const fn is_new(&self, now: u64) -> bool {
        self.frames < RENEW_LEAST_FRAMES && now.saturating_sub(self.since) < RENEW_LEAST_SECS
    }

    /// Erases the key.
    pub(super) fn end(&mut self) {
        self.key = None;
    }

    /// Seals a payload as a frame.
    pub(super) fn seal(
        &mut self,
        now: u64,
        kind: Kind,
        payload: &[u8],
    ) -> Result<Vec<u8>, LinkError> {
        let mut frame = frame::padded(kind, payload)?;
        let (key, ad) = self.next(now)?;
        aead::seal(key.expose(), &[0; 12], &ad, &mut frame, 0);
        drop(key);
        overwrite_stack();
        Ok(frame)
    }

    /// Opens a frame in place; one that does not open ends the chain.
    pub(super) fn open<'a>(
        &mut self,
        now: u64,
        frame: &'a mut [u8],
    ) -> Result<(Kind, &'a [u8]), LinkError> {
        let opened = self.try_open(now, frame);
        overwrite_stack();
        if opened.is_err() {
            self.end();
        }
        opened
    }

    fn try_open<'a>(
        &mut self,
        now: u64,
        frame: &'a mut [u8],
    ) -> Result<(Kind, &'a [u8]), LinkError> {
        frame::check_size(frame.len())?;
        let (key, ad) = self.next(now)?;
        let plain = aead::open(key.expose(), &[0; 12], &ad, frame)?;
        Ok(frame::stripped(plain)?)
    }

    /// The key of the next frame and what it is bound to: direction and number.
    fn next(&mut self, now: u64) -> Result<(FrameKey, [u8; 9]), LinkError> {
        let late = now.saturating_sub(self.since) >= END_AFTER_SECS;
        if late || self.frames >= END_AFTER_FRAMES {
            self.end();
        }
        let key = self.key.as_mut().ok_or(LinkError::Ended)?.step();
        let mut ad = [self.side as u8; 9];
        let (_, number) = ad.split_at_mut(1);
        number.copy_from_slice(&self.frames.to_be_bytes());
        self.frames += 1;
        Ok((key, ad))
    }
}

#[cfg(feature = "vectors")]
impl Chain {
    /// The chain's key and that of its next frame.
    pub(super) fn exposed(&self) -> Vec<[u8; 32]> {
        let Some(key) = &self.key else {
            return Vec::new();
        };
        let frame = ChainKey::copied(key.expose()).step();
        vec![*key.expose(), *frame.expose()]
    }
}
