//! The sealed form: what is changed, cut, reordered or exchanged is refused by its own error.

use backup::{CHUNK, OpenError, Opener, SALT_LEN, Sealer};
use proptest::prelude::*;

use crate::support::{Numbers, key};

const HEAD: usize = 69;
const FRAME: usize = 9 + CHUNK + 16;

fn seal(name: &str, plaintext: &[u8], piece: usize) -> Vec<u8> {
    let mut salt = [0; SALT_LEN];
    let mut numbers = Numbers::from(plaintext.len() as u64 ^ name.len() as u64);
    salt.fill_with(|| numbers.next() as u8);
    let mut sealer = Sealer::new(&key(1), name, salt);
    let mut sealed = Vec::new();
    for bytes in plaintext.chunks(piece.max(1)) {
        sealer.push(bytes);
        sealed.extend(sealer.take());
    }
    sealed.extend(sealer.finish());
    sealed
}

fn open_with(seed: u64, name: &str, sealed: &[u8], piece: usize) -> Result<Vec<u8>, OpenError> {
    let key = key(seed);
    let mut opener = Opener::new(&key, name);
    let mut plaintext = Vec::new();
    for bytes in sealed.chunks(piece.max(1)) {
        opener.push(bytes, &mut plaintext)?;
    }
    opener.finish()?;
    Ok(plaintext)
}

fn open(name: &str, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    open_with(1, name, sealed, 100_000)
}

fn bytes(len: usize) -> Vec<u8> {
    let mut numbers = Numbers::from(len as u64);
    (0..len).map(|_| numbers.next() as u8).collect()
}

#[test]
fn lengths_around_the_size_of_a_frame_come_back() {
    for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
        let plaintext = bytes(len);
        let sealed = seal("a/pages", &plaintext, 10_000);
        assert!(open("a/pages", &sealed).unwrap() == plaintext, "{len}");
    }
}

#[test]
fn another_key_and_another_name_are_told_apart() {
    let sealed = seal("a/pages", b"something", 4);
    assert_eq!(
        open_with(2, "a/pages", &sealed, 7).unwrap_err(),
        OpenError::WrongKey
    );
    assert_eq!(
        open("b/pages", &sealed).unwrap_err(),
        OpenError::Swapped("b/pages".to_owned())
    );
    assert_eq!(open("a/pages", &sealed).unwrap(), b"something");
}

#[test]
fn a_flipped_bit_before_the_first_frame_is_damage_and_no_other_key() {
    let sealed = seal("a/pages", b"something", 4);
    let tags = 4 + 1 + SALT_LEN;
    for at in tags..HEAD {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        let refused = open("a/pages", &changed).unwrap_err();
        assert_eq!(refused, OpenError::DamagedHead, "byte {at}");
    }
    // Every tag hangs on the salt: the words name both that it may be.
    let mut changed = sealed;
    changed[tags - 1] ^= 1;
    let refused = open("a/pages", &changed).unwrap_err();
    assert_eq!(refused, OpenError::WrongKey);
    assert!(refused.to_string().contains("damaged"), "{refused}");
}

#[test]
fn the_same_bytes_are_sealed_differently_each_time() {
    let salts = [[1; SALT_LEN], [2; SALT_LEN]];
    let sealed = salts.map(|salt| {
        let mut sealer = Sealer::new(&key(1), "a", salt);
        sealer.push(b"the same");
        sealer.finish()
    });
    assert_ne!(sealed[0][HEAD..], sealed[1][HEAD..]);
}

#[test]
fn frames_in_another_order_are_refused_as_such() {
    let sealed = seal("a", &bytes(4 * CHUNK), CHUNK);
    let mut changed = sealed.clone();
    changed[HEAD..HEAD + FRAME].copy_from_slice(&sealed[HEAD + FRAME..HEAD + 2 * FRAME]);
    changed[HEAD + FRAME..HEAD + 2 * FRAME].copy_from_slice(&sealed[HEAD..HEAD + FRAME]);
    let reordered = OpenError::Reordered {
        expected: 0,
        found: 1,
    };
    assert_eq!(open("a", &changed).unwrap_err(), reordered);
    // Numbered anew they stand in order, and do not open.
    changed[HEAD..HEAD + 4].copy_from_slice(&0_u32.to_be_bytes());
    assert_eq!(open("a", &changed).unwrap_err(), OpenError::Damaged(0));
}

#[test]
fn a_frame_of_another_object_does_not_open_in_this_one() {
    let (one, other) = (
        seal("a", &bytes(CHUNK + 9), CHUNK),
        seal("b", &bytes(CHUNK + 8), CHUNK),
    );
    let mut changed = one.clone();
    changed[HEAD..HEAD + FRAME].copy_from_slice(&other[HEAD..HEAD + FRAME]);
    assert_eq!(open("a", &changed).unwrap_err(), OpenError::Damaged(0));
}

#[test]
fn an_object_that_ends_at_a_border_of_frames_is_refused_as_cut() {
    let sealed = seal("a", &bytes(3 * CHUNK), CHUNK);
    for frames in 0..3 {
        let cut = &sealed[..HEAD + frames * FRAME];
        assert_eq!(
            open("a", cut).unwrap_err(),
            OpenError::Truncated(frames as u32)
        );
    }
    // A frame in the middle that says it is the last one does not open.
    let mut lying = sealed[..HEAD + FRAME].to_vec();
    lying[HEAD + 4] = 1;
    assert_eq!(open("a", &lying).unwrap_err(), OpenError::Damaged(0));
}

#[test]
fn what_follows_the_end_is_refused() {
    let mut sealed = seal("a", b"something", 9);
    sealed.push(0);
    assert_eq!(open("a", &sealed).unwrap_err(), OpenError::Trailing);
}

#[test]
fn something_else_entirely_is_refused_as_no_backup() {
    assert_eq!(open("a", b"").unwrap_err(), OpenError::NotABackup);
    assert_eq!(open("a", &[b'x'; 500]).unwrap_err(), OpenError::NotABackup);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_sealed_in_any_pieces_opens_in_any_pieces(
        len in 0_usize..200_000, out in 1_usize..90_000, back in 1_usize..90_000,
    ) {
        let plaintext = bytes(len);
        let sealed = seal("x/pages", &plaintext, out);
        prop_assert!(open_with(1, "x/pages", &sealed, back).unwrap() == plaintext);
    }

    #[test]
    fn cut_anywhere_it_is_refused_as_cut(len in 0_usize..150_000, at in any::<prop::sample::Index>()) {
        let sealed = seal("x", &bytes(len), 40_000);
        let cut = at.index(sealed.len());
        let error = open("x", &sealed[..cut]).unwrap_err();
        let fits = matches!(error, OpenError::Truncated(_)) || (cut < 4 && error == OpenError::NotABackup);
        prop_assert!(fits, "{error:?} at {cut}");
    }

    #[test]
    fn any_flipped_bit_is_refused(
        len in 0_usize..150_000, at in any::<prop::sample::Index>(), bit in 0_u32..8,
    ) {
        let mut sealed = seal("x", &bytes(len), 40_000);
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(open("x", &sealed).is_err(), "byte {at}");
    }

    #[test]
    fn hostile_bytes_never_panic(hostile in prop::collection::vec(any::<u8>(), 0..400), whole: bool) {
        let mut sealed = seal("x", b"", 1);
        if whole {
            sealed.truncate(HEAD);
        } else {
            sealed.clear();
        }
        sealed.extend(hostile);
        prop_assert!(open("x", &sealed).is_err());
    }
}
