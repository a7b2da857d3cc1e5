//! The lengths of the specification, in bytes; times in seconds.

use protocol::envelope::{CHUNK_LEN, MAX_BODY_LEN, SealedSlot, SlotContent};
use protocol::epoch::{Handshake, MAX_LIFE_SECS, OLDEST_EPOCH_SECS};
use protocol::identity::AccountKeys;
use protocol::opaque::{ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES};
use protocol::prekeys::{
    BATCH_LEAVES, BatchHead, LEAF_LIFE_SECS, PairPublic, PairSecrets, PrekeyLeaf, SessionBundle,
};
use protocol::primitives::signature::{SIGNATURE_LEN, VERIFY_KEY_LEN};
use protocol::safe::PAD_STEP;

#[test]
fn lengths_and_times_are_those_of_the_specification() {
    assert_eq!((SIGNATURE_LEN, VERIFY_KEY_LEN), (4_691, 2_624));
    assert_eq!((PairPublic::LEN, PairSecrets::LEN), (1_600, 96));
    assert_eq!(AccountKeys::ENCODED_LEN, 7_350);
    assert_eq!(Handshake::LEN, 1_716);
    assert_eq!(SlotContent::ENCODED_LEN, 215);
    assert_eq!(SealedSlot::ENCODED_LEN, 1_951);
    assert_eq!(SessionBundle::ENCODED_LEN, 6_402);
    assert_eq!(BatchHead::ENCODED_LEN, 4_830);
    assert_eq!((PrekeyLeaf::ENCODED_LEN, BATCH_LEAVES), (1_668, 101));
    assert_eq!((CHUNK_LEN, MAX_BODY_LEN), (65_536, 67_108_864));
    assert_eq!(PAD_STEP, 16_384);
    assert_eq!(MAX_LIFE_SECS, 604_800);
    assert_eq!(OLDEST_EPOCH_SECS, 691_200);
    assert_eq!(LEAF_LIFE_SECS, 2_592_000);
    let hardening = (ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES);
    assert_eq!(hardening, (65_536, 3, 1));
}
