use protocol::DecodeError;
use protocol::envelope::SealedSlot;
use protocol::epoch::{ReplayError, SenderEpoch};
use protocol::opaque::ExportKey;
use protocol::recovery_key::RecoveryKey;
use protocol::safe::{
    Contact, ContactState, KEEP_SECS, PAD_STEP, PrekeySafe, QUIET_SECS, RecoveryAnchor, ResumeHalf,
    SafeContents, SafeError, SafeKey, SafeMark, open_prekey_safe, open_safe, passphrase_unwrap,
    passphrase_wrap, proof_hash, recovery_unwrap, recovery_wrap, resume_unwrap, resume_wrap,
    seal_prekey_safe, seal_safe,
};

use crate::support::{ALICE, BOB, NOW, SeededRng, Sent, open};

fn contents() -> SafeContents {
    let mut contents = SafeContents::new(ALICE.secrets.duplicate(), NOW);
    let mut bob = Contact::new(*BOB.keys.fingerprint(), ContactState::Accepted, NOW);
    bob.alias.set(NOW, "Bob".into());
    bob.receipts.set(NOW, Some(false));
    bob.life_secs.set(NOW, Some(3_600));
    bob.pin.set_verified(true, NOW);
    bob.said.set(NOW, Some(([9; 32], NOW + 60)));
    contents.contacts.insert(BOB.user_id, bob);
    contents.set_blocked(BOB.user_id, true, NOW);
    contents.settings.set_switch("typing", false, NOW);
    contents.settings.set_number("lock_after_secs", 900, NOW);
    contents.server.set(NOW, Some([8; 64]));
    let recovery = RecoveryKey::random(&mut SeededRng::new(7));
    contents.recovery = Some((NOW, RecoveryAnchor::of(&recovery)));
    contents
}

#[test]
fn the_key_safe_survives_sealing_and_is_bound_to_key_account_and_version() {
    let rng = &mut SeededRng::new(1);
    let key = SafeKey::random(rng);
    let sealed = seal_safe(rng, &key, &ALICE.user_id, 4, &contents());
    assert_eq!(sealed.len(), 3 + 24 + PAD_STEP + 16);
    let opened = open_safe(&key, &ALICE.user_id, 4, &sealed).unwrap();
    assert_eq!(opened, contents());
    assert!(opened.is_blocked(&BOB.user_id));
    assert!(!opened.settings.switch("typing", true));
    assert_eq!(opened.settings.number("lock_after_secs", 0), 900);
    assert!(opened.contacts[&BOB.user_id].pin.is_verified());

    let bad = |result: Result<SafeContents, SafeError>| result.unwrap_err();
    let other = SafeKey::random(rng);
    assert_eq!(
        bad(open_safe(&other, &ALICE.user_id, 4, &sealed)),
        SafeError::BadSeal
    );
    assert_eq!(
        bad(open_safe(&key, &BOB.user_id, 4, &sealed)),
        SafeError::BadSeal
    );
    assert_eq!(
        bad(open_safe(&key, &ALICE.user_id, 3, &sealed)),
        SafeError::BadSeal,
        "an older version under a newer number, or the other way round"
    );
    let mut changed = sealed.clone();
    changed[100] ^= 1;
    assert_eq!(
        bad(open_safe(&key, &ALICE.user_id, 4, &changed)),
        SafeError::BadSeal
    );
    // One safe is never read as the other.
    assert_eq!(
        open_prekey_safe(&key, &ALICE.user_id, 4, &sealed).unwrap_err(),
        SafeError::Decode(DecodeError::WrongType {
            expected: 0x41,
            found: 0x40
        })
    );
    let mut relabelled = sealed;
    relabelled[0] = 0x41;
    assert_eq!(
        open_prekey_safe(&key, &ALICE.user_id, 4, &relabelled).unwrap_err(),
        SafeError::BadSeal
    );
}

#[test]
fn a_rolled_back_and_a_forked_safe_are_refused_by_their_own_errors() {
    let seen = SafeMark::of(5, b"five");
    assert_eq!(seen.check(&SafeMark::of(5, b"five")), Ok(()));
    assert_eq!(seen.check(&SafeMark::of(6, b"six")), Ok(()));
    assert_eq!(
        seen.check(&SafeMark::of(4, b"four")),
        Err(SafeError::RolledBack { seen: 5, got: 4 })
    );
    assert_eq!(
        seen.check(&SafeMark::of(5, b"other")),
        Err(SafeError::Forked { version: 5 })
    );
}

#[test]
fn the_prekey_safe_survives_sealing() {
    let rng = &mut SeededRng::new(2);
    let key = SafeKey::random(rng);
    let (mut safe, batch) = BOB.prekeys(3, 1, NOW);
    safe.destroy(&[batch.leaves[0].prekey_id], NOW);
    let sealed = seal_prekey_safe(rng, &key, &BOB.user_id, 1, &safe);
    let opened = open_prekey_safe(&key, &BOB.user_id, 1, &sealed).unwrap();
    assert_eq!(opened, safe);
    assert_eq!(opened.iter().count(), 4);
    assert_eq!(opened.newest_batch(), Some(1));
}

#[test]
fn each_wrap_opens_with_its_own_secret_and_for_its_own_account_only() {
    let rng = &mut SeededRng::new(4);
    let safe_key = SafeKey::random(rng);
    let user = &ALICE.user_id;
    let bad = |result: Result<SafeKey, SafeError>| assert_eq!(result, Err(SafeError::BadWrap));

    let export = ExportKey::random(rng);
    let wrapped = passphrase_wrap(rng, &safe_key, &export, user);
    assert_eq!(
        passphrase_unwrap(&export, user, &wrapped).unwrap(),
        safe_key
    );
    bad(passphrase_unwrap(&ExportKey::random(rng), user, &wrapped));
    bad(passphrase_unwrap(&export, &BOB.user_id, &wrapped));

    let recovery = RecoveryKey::random(rng);
    let wrapped = recovery_wrap(rng, &safe_key, &recovery.public(), user).unwrap();
    assert_eq!(
        recovery_unwrap(&recovery, user, &wrapped).unwrap(),
        safe_key
    );
    bad(recovery_unwrap(&RecoveryKey::random(rng), user, &wrapped));
    bad(recovery_unwrap(&recovery, &BOB.user_id, &wrapped));
    for at in [4, 100, 1_660] {
        let mut changed = wrapped.clone();
        changed[at] ^= 1;
        assert!(
            recovery_unwrap(&recovery, user, &changed).is_err(),
            "byte {at}"
        );
    }

    let half = ResumeHalf::random(rng);
    let wrapped = resume_wrap(rng, &safe_key, &half, user);
    assert_eq!(resume_unwrap(&half, user, &wrapped).unwrap(), safe_key);
    bad(resume_unwrap(&ResumeHalf::random(rng), user, &wrapped));
}

#[test]
fn the_safe_key_is_wrapped_again_while_the_recovery_key_lies_in_a_drawer() {
    let rng = &mut SeededRng::new(5);
    let recovery = RecoveryKey::random(rng);
    let mut contents = contents();
    contents.recovery = Some((NOW, RecoveryAnchor::of(&recovery)));
    let old = SafeKey::random(rng);
    let sealed = seal_safe(rng, &old, &ALICE.user_id, 1, &contents);
    let opened = open_safe(&old, &ALICE.user_id, 1, &sealed).unwrap();
    let fresh = SafeKey::random(rng);
    let anchor = &opened.recovery.as_ref().unwrap().1;
    let wrapped = recovery_wrap(rng, &fresh, &anchor.public, &ALICE.user_id).unwrap();
    assert_eq!(
        recovery_unwrap(&recovery, &ALICE.user_id, &wrapped).unwrap(),
        fresh
    );
    let proof = recovery.sign_in_proof();
    assert_eq!(proof_hash(proof.expose()), anchor.proof_hash);
}

#[test]
fn a_proof_is_of_one_safe_key_and_does_not_show_it() {
    let rng = &mut SeededRng::new(6);
    let (one, other) = (SafeKey::random(rng), SafeKey::random(rng));
    let hash = |key: &SafeKey| proof_hash(key.write_proof().expose());
    assert_eq!(hash(&one), hash(&one));
    assert_ne!(hash(&one), hash(&other));
    assert_ne!(one.write_proof().expose(), one.expose());
}

struct Used {
    safe: PrekeySafe,
    id: u32,
    last_resort: u32,
}

/// A prekey safe with one message opened at `opened_at`.
fn used(opened_at: u64) -> Used {
    let (mut safe, batch) = BOB.prekeys(8, 1, NOW);
    let target = BOB.waiting_target(&batch, Some(0), NOW);
    let rng = &mut SeededRng::new(9);
    let mut epoch = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    let sent = Sent::new(&mut epoch, &ALICE, &BOB, "x");
    let slot = SealedSlot::decode(&sent.slot.bytes).unwrap();
    let pairs = safe.pairs_for(&slot.handshake).unwrap();
    let (receiver, counter, ..) =
        open(&sent.parcel(), &BOB, pairs, &ALICE.keys, opened_at).unwrap();
    safe.opened(&receiver, counter, opened_at).unwrap();
    assert_eq!(
        safe.opened(&receiver, counter, opened_at),
        Err(ReplayError::Replayed)
    );
    Used {
        safe,
        id: batch.leaves[0].prekey_id,
        last_resort: batch.leaves[4].prekey_id,
    }
}

#[test]
fn a_used_one_time_pair_goes_ten_quiet_minutes_after_epoch_and_opening() {
    let opened = NOW + 5_000;
    let Used { safe, id, .. } = used(opened);
    assert!(safe.due(opened + QUIET_SECS - 1, &[]).is_empty());
    assert_eq!(safe.due(opened + QUIET_SECS, &[]), [id]);
    assert!(
        safe.due(opened + QUIET_SECS, &[id]).is_empty(),
        "something waits or is leased under it"
    );
    // Opened at once: the epoch's own end decides.
    let Used { safe, id, .. } = used(NOW);
    assert!(safe.due(NOW + 300 + QUIET_SECS - 1, &[]).is_empty());
    assert_eq!(safe.due(NOW + 300 + QUIET_SECS, &[]), [id]);
    // After eight days regardless of what the server says.
    assert_eq!(safe.due(NOW + KEEP_SECS, &[id]), [id]);
}

#[test]
fn replaced_prekeys_are_kept_eight_days() {
    let Used {
        mut safe,
        last_resort,
        ..
    } = used(NOW);
    assert!(!safe.due(NOW + KEEP_SECS, &[]).contains(&last_resort));
    safe.published(2, NOW + 86_400);
    assert_eq!(
        safe.get(last_resort).unwrap().replaced_at,
        Some(NOW + 86_400)
    );
    safe.published(3, NOW + 90_000);
    assert_eq!(
        safe.get(last_resort).unwrap().replaced_at,
        Some(NOW + 86_400),
        "the first replacement counts"
    );
    let in_use: Vec<u32> = safe.iter().map(|(id, _)| id).collect();
    assert!(
        !safe
            .due(NOW + 86_399 + KEEP_SECS, &in_use)
            .contains(&last_resort)
    );
    assert_eq!(safe.due(NOW + 86_400 + KEEP_SECS, &in_use), in_use);
}

#[test]
fn destroying_a_pair_forgets_its_replay_marks_and_never_draws_its_id_again() {
    let Used { mut safe, id, .. } = used(NOW);
    assert_eq!(safe.replay.len(), 1);
    safe.destroy(&[id], NOW + 1_000);
    assert!(safe.replay.is_empty());
    assert!(safe.get(id).is_none());
    assert!(safe.taken_ids().contains(&id));
}

#[test]
fn the_name_of_a_chat_in_an_address_needs_the_safe_key() {
    let key = SafeKey::from_bytes(&[3; 32]);
    let spot = key.chat_spot(&BOB.user_id);
    let mut info = b"secure-messaging/1 chat spot".to_vec();
    info.extend_from_slice(BOB.user_id.as_bytes());
    let mut expected = [0; 8];
    hkdf::Hkdf::<sha2::Sha512>::new(None, &[3; 32])
        .expand(&info, &mut expected)
        .unwrap();
    assert_eq!(spot, expected);
    assert_ne!(key.chat_spot(&ALICE.user_id), spot);
    assert_ne!(SafeKey::from_bytes(&[4; 32]).chat_spot(&BOB.user_id), spot);
}
