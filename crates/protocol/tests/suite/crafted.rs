//! What nobody meets by chance: chosen ids, handshakes that name any pair, any plaintext of a safe.

use std::collections::VecDeque;
use std::convert::Infallible;

use protocol::codec::Writer;
use protocol::epoch::{EpochId, EpochPath, EpochRecord, Handshake, KeyRef, SenderClaim};
use protocol::ids::UserId;
use protocol::labels;
use protocol::primitives::agreement::AgreementSecret;
use protocol::primitives::{aead, kdf};
use protocol::safe::{PAD_STEP, SafeKey};
use protocol::suite::ObjectType;
use rand_core::{TryCryptoRng, TryRng};

use crate::support::{ALICE, NOW, SeededRng};

/// A generator whose numbers of 32 bits are given, as ids are drawn.
pub(crate) struct Ids {
    given: VecDeque<u32>,
    bytes: SeededRng,
}

impl Ids {
    pub(crate) fn new(given: impl IntoIterator<Item = u32>, seed: u64) -> Self {
        Self {
            given: given.into_iter().collect(),
            bytes: SeededRng::new(seed),
        }
    }
}

impl TryRng for Ids {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.given.pop_front().expect("enough ids were given"))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.bytes.try_next_u64()
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.bytes.try_fill_bytes(dst)
    }
}

impl TryCryptoRng for Ids {}

/// A handshake that names these pairs; there is nothing in it.
pub(crate) fn handshake(path: EpochPath, signed_id: u32, one_time_id: u32) -> Handshake {
    let ephemeral = AgreementSecret::from_bytes(&[5; 32]).public();
    let mut bytes = Writer::object(ObjectType::Handshake, 0);
    bytes
        .u64(NOW / 300)
        .u8(path as u8)
        .u32(signed_id)
        .u32(one_time_id)
        .raw(ephemeral.as_bytes());
    let mut bytes = bytes.into_bytes();
    bytes.resize(Handshake::LEN, 0);
    Handshake::decode(&bytes).unwrap()
}

/// The record of one of Alice's epochs under a pair of ours.
pub(crate) fn record(epoch: u8, path: EpochPath, id: u32) -> EpochRecord {
    EpochRecord {
        sender: SenderClaim {
            user_id: ALICE.user_id,
            fingerprint: *ALICE.keys.fingerprint(),
        },
        epoch_id: EpochId([epoch; 32]),
        bucket: NOW / 300,
        key: KeyRef { path, id },
    }
}

/// The only length, contents and padding of a safe's plaintext.
pub(crate) fn padded(contents: &[u8]) -> Vec<u8> {
    let mut plain = Writer::default();
    plain.bytes32(contents);
    let mut plain = plain.into_bytes();
    plain.resize(plain.len().div_ceil(PAD_STEP) * PAD_STEP, 0);
    plain
}

fn parts(kind: ObjectType, key: &SafeKey, user: &UserId, version: u64) -> ([u8; 32], Vec<u8>) {
    let label = match kind {
        ObjectType::PrekeySafe => labels::PREKEY_SAFE,
        _ => labels::KEY_SAFE,
    };
    let mut object_key = [0; 32];
    kdf::derive(&[key.expose()], &[label], &mut object_key);
    let mut ad = Writer::object(kind, 0);
    ad.raw(user.as_bytes()).u64(version);
    (object_key, ad.into_bytes())
}

/// Any plaintext, sealed as the notes on the protocol say.
pub(crate) fn seal_plain(
    kind: ObjectType,
    key: &SafeKey,
    user: &UserId,
    version: u64,
    plain: &[u8],
) -> Vec<u8> {
    let (key, ad) = parts(kind, key, user, version);
    let nonce = [0x24; 24];
    let mut sealed = vec![kind as u8, 1, 1];
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    aead::seal_x(&key, &nonce, &ad, &mut sealed, 27);
    sealed
}

/// The contents of a sealed safe, without their length and padding.
pub(crate) fn contents_of(
    kind: ObjectType,
    key: &SafeKey,
    user: &UserId,
    version: u64,
    sealed: &[u8],
) -> Vec<u8> {
    let (key, ad) = parts(kind, key, user, version);
    let nonce = sealed[3..27].try_into().unwrap();
    let mut text = sealed[27..].to_vec();
    let plain = aead::open_x(&key, &nonce, &ad, &mut text).unwrap();
    let (len, rest) = plain.split_first_chunk().unwrap();
    rest[..u32::from_be_bytes(*len) as usize].to_vec()
}
