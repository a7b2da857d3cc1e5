//! Which handshakes a session's pair belongs to.

use protocol::epoch::{EpochError, EpochPath};

use crate::crafted::handshake;
use crate::support::{BOB, NOW};

#[test]
fn a_session_pair_is_of_the_five_minutes_in_which_it_was_made() {
    for (now, bucket) in [(0, 0), (299, 0), (300, 1), (NOW, 6_000_000)] {
        let (secrets, bundle) = BOB.session(70, now);
        assert_eq!((secrets.bucket(), bundle.bucket), (bucket, bucket));
    }
}

#[test]
fn a_session_pair_opens_live_handshakes_that_name_it_and_no_others() {
    let (secrets, _) = BOB.session(71, NOW);
    let id = secrets.key_id();
    let found = |path, id| {
        let handshake = handshake(path, id, 0);
        secrets
            .pairs_for(&handshake)
            .map(|pairs| pairs.one_time.is_some())
    };
    assert_eq!(found(EpochPath::Live, id), Ok(false));
    let unknown = Err(EpochError::UnknownKey);
    assert_eq!(found(EpochPath::Live, id ^ 1), unknown);
    assert_eq!(found(EpochPath::LastResort, id), unknown);
    assert_eq!(found(EpochPath::LastResort, id ^ 1), unknown);
}
