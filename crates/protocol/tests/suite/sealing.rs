//! A safe's plaintext has one length, one padding and one form.

use protocol::DecodeError;
use protocol::codec::Writer;
use protocol::ids::UserId;
use protocol::safe::{
    Contact, ContactState, PAD_STEP, PrekeySafe, SafeContents, SafeError, SafeKey,
    open_prekey_safe, open_safe, seal_prekey_safe, seal_safe,
};
use protocol::suite::ObjectType;

use crate::crafted::{contents_of, padded, seal_plain};
use crate::support::{ALICE, BOB, NOW, SeededRng};

const USER: UserId = UserId::from_bytes([1; 16]);

fn key() -> SafeKey {
    SafeKey::from_bytes(&[3; 32])
}

fn sealed(contents: &SafeContents) -> Vec<u8> {
    seal_safe(&mut SeededRng::new(80), &key(), &USER, 1, contents)
}

fn bytes_of(contents: &SafeContents) -> Vec<u8> {
    contents_of(ObjectType::KeySafe, &key(), &USER, 1, &sealed(contents))
}

/// Opens a key safe of any plaintext.
fn open(plain: &[u8]) -> Result<SafeContents, SafeError> {
    let sealed = seal_plain(ObjectType::KeySafe, &key(), &USER, 1, plain);
    open_safe(&key(), &USER, 1, &sealed)
}

/// Opens a prekey safe of any plaintext.
fn open_prekeys(plain: &[u8]) -> Result<PrekeySafe, SafeError> {
    let sealed = seal_plain(ObjectType::PrekeySafe, &key(), &USER, 1, plain);
    open_prekey_safe(&key(), &USER, 1, &sealed)
}

fn fresh() -> SafeContents {
    SafeContents::new(ALICE.secrets.duplicate(), NOW)
}

#[test]
fn what_another_program_seals_by_the_notes_is_opened() {
    let contents = fresh();
    assert_eq!(open(&padded(&bytes_of(&contents))), Ok(contents));
    let (prekeys, _) = BOB.prekeys(81, 1, NOW);
    let sealed = seal_prekey_safe(&mut SeededRng::new(82), &key(), &USER, 1, &prekeys);
    let bytes = contents_of(ObjectType::PrekeySafe, &key(), &USER, 1, &sealed);
    assert_eq!(open_prekeys(&padded(&bytes)), Ok(prekeys));
}

#[test]
fn padding_is_zeros_up_to_the_next_step_and_nothing_else() {
    let contents = bytes_of(&fresh());
    let good = padded(&contents);
    assert_eq!(good.len(), PAD_STEP);
    let end = 4 + contents.len();
    let with = |changes: &[(usize, u8)], len: usize| {
        let mut plain = good.clone();
        plain.resize(len, 0);
        for (at, byte) in changes {
            plain[*at] = *byte;
        }
        plain
    };
    assert!(open(&with(&[], PAD_STEP)).is_ok());
    let last = PAD_STEP - 1;
    for (what, plain) in [
        ("the first byte", with(&[(end, 1)], PAD_STEP)),
        ("the last byte", with(&[(last, 0x80)], PAD_STEP)),
        ("two equal bytes", with(&[(end, 1), (last, 1)], PAD_STEP)),
        (
            "three bytes",
            with(&[(end, 1), (end + 1, 2), (last, 3)], PAD_STEP),
        ),
        ("all bytes", {
            let mut plain = good.clone();
            plain[end..].fill(0xff);
            plain
        }),
        ("a step more", with(&[], 2 * PAD_STEP)),
        ("a step and a byte more", with(&[(last, 1)], 2 * PAD_STEP)),
        ("a byte more", with(&[], PAD_STEP + 1)),
        ("a byte less", with(&[], PAD_STEP - 1)),
        ("none", with(&[], end)),
    ] {
        let refused = SafeError::Decode(DecodeError::NotCanonical);
        assert_eq!(open(&plain).as_ref(), Err(&refused), "{what}");
        assert_eq!(open_prekeys(&plain).as_ref(), Err(&refused), "{what}");
    }
    for plain in [
        &[][..],
        &good[..3],
        &good[..end - 1],
        &with(&[(1, 1)], PAD_STEP),
    ] {
        let refused = Err(SafeError::Decode(DecodeError::Truncated));
        assert_eq!(open(plain), refused, "{} bytes", plain.len());
    }
}

#[test]
fn a_safe_takes_the_next_sixteen_kibibytes_with_its_length_of_four_bytes() {
    let filled = |len: usize| {
        let mut contents = fresh();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            contents.settings.set(name, "", NOW);
        }
        let mut missing = len - bytes_of(&contents).len();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            let part = missing.min(4_096);
            contents.settings.set(name, &"x".repeat(part), NOW);
            missing -= part;
        }
        // Another value at the same second is one second later, in as many bytes.
        assert_eq!(bytes_of(&contents).len(), len);
        contents
    };
    for (len, steps) in [
        (1_000, 1),
        (5_000, 1),
        (PAD_STEP - 5, 1),
        (PAD_STEP - 4, 1),
        (PAD_STEP - 3, 2),
        (2 * PAD_STEP - 4, 2),
        (2 * PAD_STEP - 3, 3),
    ] {
        let contents = filled(len);
        let sealed = sealed(&contents);
        assert_eq!(sealed.len(), 3 + 24 + steps * PAD_STEP + 16, "{len}");
        assert_eq!(open_safe(&key(), &USER, 1, &sealed), Ok(contents));
    }
}

#[test]
fn a_prekey_safe_remembers_up_to_a_million_destroyed_prekeys() {
    let of = |count: u32| {
        let mut contents = Writer::object(ObjectType::PrekeySafeContents, 0);
        contents.u32(0).u32(count);
        open_prekeys(&padded(&contents.into_bytes()))
    };
    assert!(of(0).is_err(), "the replay record is missing");
    // None of them follows, which is asked after their number.
    assert_eq!(of(1 << 20), Err(DecodeError::Truncated.into()));
    assert_eq!(of((1 << 20) + 1), Err(DecodeError::TooLong.into()));
}

/// Contents with one contact of whom nothing is known, and where the contact ends in them.
fn with_contact() -> (Vec<u8>, usize) {
    let mut contents = fresh();
    let contact = Contact::new(*BOB.keys.fingerprint(), ContactState::Incoming, NOW);
    contents.contacts.insert(BOB.user_id, contact);
    let bytes = bytes_of(&contents);
    // Counts of blocks, settings and replay marks, the batch number and the last time follow.
    let end = bytes.len() - (4 + 2 + 4 + 8 + 4);
    (bytes, end)
}

#[test]
fn a_contact_to_whom_nothing_was_said_has_no_link_and_no_end() {
    let (good, end) = with_contact();
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        open(&padded(&bytes))
    };
    let contact = |contents: SafeContents| contents.contacts[&BOB.user_id].clone();
    assert_eq!(contact(changed(end - 1, 0).unwrap()).said.value, None);
    // Whether there is a link, the link, when it ends.
    let (there, link, until) = (end - 41, end - 40, end - 8);
    for at in [link, link + 31, until, until + 7] {
        let refused = Err(SafeError::Decode(DecodeError::NotCanonical));
        assert_eq!(changed(at, 1), refused, "byte {at}");
    }
    let said = contact(changed(there, 1).unwrap()).said.value;
    assert_eq!(said, Some(([0; 32], 0)));
    assert_eq!(
        changed(there, 2),
        Err(DecodeError::InvalidValue("said").into())
    );
}

#[test]
fn a_switch_of_a_contact_is_read_as_it_was_set() {
    for switch in [None, Some(false), Some(true)] {
        for life in [None, Some(0), Some(u32::MAX)] {
            let mut contents = fresh();
            let mut contact = Contact::new(*BOB.keys.fingerprint(), ContactState::Outgoing, NOW);
            contact.receipts.set(NOW, switch);
            contact.burn_on_read.set(NOW, switch.map(|on| !on));
            contact.life_secs.set(NOW, life);
            contents.contacts.insert(BOB.user_id, contact.clone());
            let read = open_safe(&key(), &USER, 1, &sealed(&contents)).unwrap();
            assert_eq!(read.contacts[&BOB.user_id], contact);
        }
    }
}
