//! The transcript: a hash over everything that both sides of an epoch agreed on.
//!
//! Specification: `docs/protocol/constants.md#transcript-tags`.

use sha3::{Digest, Sha3_512};

use super::{EpochId, Handshake};
use crate::identity::AccountKeys;
use crate::ids::UserId;
use crate::labels;
use crate::primitives::agreement::AgreementPublic;
use crate::primitives::kem::KemPublic;
use crate::suite::{SUITE, VERSION};

/// Everything that goes into the transcript, from either side.
pub(super) struct Transcript<'a> {
    pub sender_id: &'a UserId,
    pub recipient_id: &'a UserId,
    pub sender: &'a AccountKeys,
    pub recipient: &'a AccountKeys,
    pub signed: &'a AgreementPublic,
    pub one_time: Option<&'a AgreementPublic>,
    pub kem: &'a KemPublic,
    pub handshake: &'a Handshake,
}

pub(super) struct TranscriptHash(pub [u8; 64]);

impl TranscriptHash {
    pub(super) fn epoch_id(&self) -> EpochId {
        match self.0.first_chunk() {
            Some(id) => EpochId(*id),
            None => unreachable!("64 bytes hold 32"),
        }
    }
}

impl Transcript<'_> {
    /// SHA3-512 over the label and the fields, each behind its own tag byte. Every field
    /// has one length, so that tags and values cannot be confused.
    pub(super) fn hash(&self) -> TranscriptHash {
        let handshake = self.handshake;
        let mut hash = Sha3_512::new();
        hash.update(labels::TRANSCRIPT);
        let mut field = |tag: u8, parts: &[&[u8]]| {
            hash.update([tag]);
            parts.iter().for_each(|part| hash.update(part));
        };
        field(0x01, &[&[VERSION]]);
        field(0x02, &[&[SUITE]]);
        field(0x03, &[&handshake.bucket().to_be_bytes()]);
        field(0x04, &[&[handshake.path() as u8]]);
        field(0x05, &[self.sender_id.as_bytes()]);
        field(0x06, &[self.recipient_id.as_bytes()]);
        field(0x07, &[&handshake.signed_id().to_be_bytes()]);
        field(0x08, &[&handshake.one_time_id().unwrap_or(0).to_be_bytes()]);
        field(0x09, &[self.sender.identity().as_bytes()]);
        let verify = self.sender.verify();
        field(0x0a, &[verify.ed25519(), verify.ml_dsa()]);
        field(0x0b, &[self.recipient.identity().as_bytes()]);
        let verify = self.recipient.verify();
        field(0x0c, &[verify.ed25519(), verify.ml_dsa()]);
        field(0x0d, &[self.signed.as_bytes()]);
        match self.one_time {
            Some(key) => field(0x0e, &[key.as_bytes()]),
            None => field(0x0f, &[]),
        }
        field(0x10, &[self.kem.as_bytes()]);
        field(0x11, &[handshake.ephemeral().as_bytes()]);
        field(0x12, &[handshake.ciphertext()]);
        TranscriptHash(hash.finalize().into())
    }
}
