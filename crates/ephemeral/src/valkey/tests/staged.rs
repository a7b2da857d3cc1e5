//! What an instance had begun to post when it ended.

use super::*;

#[test]
fn what_was_staged_by_an_instance_that_is_gone_is_wiped_and_its_room_given_back() {
    let engine = engine();
    let prefix = prefix();
    let gone = instance(&[&engine], &prefix);
    let room = gone.vault.reserve(ALICE, 4096, 1).unwrap();
    let name = room.name().unwrap();
    let name = String::from_utf8_lossy(&name).into_owned();
    // As if it had ended between two steps: its room was never given back.
    std::mem::forget(room);
    let other = instance(&[&engine], &prefix);
    assert_eq!(other.vault.stats().bytes, crate::cost(4096, 1));
    other.clock.advance(MINUTE * 2);
    other.vault.purge_due(10);
    assert!(!other.is_pristine(), "the instance still runs ({name})");
    drop(gone);
    let ended = engine.ask(&["ZREMRANGEBYRANK", &format!("{prefix}instances"), "0", "-1"]);
    assert!(ended.starts_with(':'), "{ended}");
    other.clock.advance(MINUTE * 2);
    other.vault.purge_due(10);
    assert!(other.is_pristine());
}

#[test]
fn a_body_that_did_not_arrive_whole_is_not_posted() {
    let engine = engine();
    let prefix = prefix();
    let b = instance(&[&engine], &prefix);
    let room = b.vault.reserve(ALICE, 4096, 1).unwrap();
    b.vault.wait(b.vault.plane.vault().forget_fates(ALICE));
    drop(room);
    assert!(b.is_pristine(), "room that was not used is given back");
}
