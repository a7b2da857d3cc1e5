//! What people write down or type.

use proptest::prelude::*;
use protocol::passphrase;
use protocol::recovery_key::{RecoveryKey, RecoveryKeyError};

use crate::support::SeededRng;

#[test]
fn the_word_list_has_4096_distinct_words_without_separators() {
    let words: std::collections::BTreeSet<&str> = passphrase::words().collect();
    assert_eq!(words.len(), 1 << passphrase::BITS_PER_WORD);
    assert!(
        words
            .iter()
            .all(|word| word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
    );
}

#[test]
fn a_generated_passphrase_has_six_words_and_more_than_seventy_bits() {
    let rng = &mut SeededRng::new(1);
    let (one, other) = (passphrase::generate(rng), passphrase::generate(rng));
    assert_ne!(*one, *other);
    assert_eq!(one.split('-').count(), 6);
    let listed = |word: &str| passphrase::words().any(|listed| listed == word);
    assert!(one.split('-').all(listed));
    const { assert!(passphrase::BITS == 6 * passphrase::BITS_PER_WORD) };
    const { assert!(passphrase::BITS >= passphrase::WARN_BELOW_BITS) };
}

#[test]
fn six_words_are_the_same_passphrase_in_any_case_and_with_anything_between_them() {
    let words = passphrase::generate(&mut SeededRng::new(1));
    let capital = format!("{}{}", words[..1].to_uppercase(), &words[1..]);
    for typed in [
        words.to_string(),
        words.replace('-', " "),
        words.to_uppercase(),
        format!("{capital} "),
        format!("  {}. ", words.replace('-', "  ")),
        words.replace('-', "\u{a0}"),
        words.replace('-', "\u{2013}"),
        words.replace('-', "\n"),
    ] {
        assert_eq!(
            passphrase::prepare(&typed).as_str(),
            words.as_str(),
            "{typed:?}"
        );
    }
    let five = words.rsplit_once('-').expect("six words").0;
    for other in [
        five.to_uppercase(),
        format!("{} zzyzx", words.as_str()),
        format!("{}1", words.as_str()),
        // Six words, of which one or all are of no list.
        format!("{five} Zzyzx"),
        format!("Zzyzx {five}"),
        "Qqq Www Xxx Yyy Zzz Vvv".to_owned(),
    ] {
        assert_eq!(passphrase::prepare(&other).as_str(), other);
    }
}

#[test]
fn the_same_characters_typed_on_another_system_are_the_same_passphrase() {
    let same = |one: &str, other: &str| {
        assert_eq!(*passphrase::prepare(one), *passphrase::prepare(other));
    };
    same("caf\u{e9} gr\u{fc}n", "cafe\u{301} gru\u{308}n");
    same("a b", "a\u{a0}b");
    same("a b", "a\u{3000}b");
    same("\u{d55c}", "\u{1112}\u{1161}\u{11ab}");
    // Case, width and what stands at the ends are part of one's own passphrase.
    for own in [
        "Tr0ub4dor",
        " a ",
        "\u{ff21}",
        "\u{1f9d1}\u{200d}\u{1f680}",
        "\u{378}",
        "a\tb",
    ] {
        assert_eq!(*passphrase::prepare(own), own);
    }
}

#[test]
fn a_recovery_key_is_nine_groups_of_four() {
    let key = RecoveryKey::random(&mut SeededRng::new(2));
    let text = key.display();
    let groups: Vec<&str> = text.split('-').collect();
    assert_eq!(groups.len(), 9);
    assert!(groups.iter().all(|group| group.len() == 4));
    assert_eq!(RecoveryKey::parse(&text), Ok(key));
}

#[test]
fn known_recovery_keys_are_written_in_crockfords_letters_with_their_checksum() {
    for (bytes, text) in [
        (
            "0000000000000000000000000000000000000000",
            "0000-0000-0000-0000-0000-0000-0000-0000-P2V9",
        ),
        (
            "ffffffffffffffffffffffffffffffffffffffff",
            "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-DMCP",
        ),
        (
            "000102030405060708090a0b0c0d0e0f10111213",
            "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-6MEY",
        ),
        (
            "0123456789abcdef0123456789abcdef01234567",
            "04HM-ASW9-NF6Y-Y093-8NKR-KAYD-XW0J-6HB7-VQ9G",
        ),
    ] {
        let key = RecoveryKey::from_bytes(&hex::decode(bytes).unwrap().try_into().unwrap());
        assert_eq!(key.display().as_str(), text);
        assert_eq!(RecoveryKey::parse(text), Ok(key));
    }
}

#[test]
fn a_mistyped_recovery_key_says_what_is_wrong() {
    let key = RecoveryKey::random(&mut SeededRng::new(3));
    let text = key.display().to_string();
    assert_eq!(
        RecoveryKey::parse(&text[..text.len() - 5]),
        Err(RecoveryKeyError::WrongLength(32))
    );
    assert_eq!(
        RecoveryKey::parse(&format!("{text}0")),
        Err(RecoveryKeyError::WrongLength(37))
    );
    let mut strange = text.clone();
    strange.replace_range(2..3, "U");
    assert_eq!(
        RecoveryKey::parse(&strange),
        Err(RecoveryKeyError::WrongCharacter(3))
    );
    let swapped = if text.starts_with('0') { "1" } else { "0" };
    let mut wrong = text;
    wrong.replace_range(0..1, swapped);
    assert_eq!(
        RecoveryKey::parse(&wrong),
        Err(RecoveryKeyError::WrongChecksum)
    );
}

proptest! {
    #[test]
    fn every_recovery_key_survives_careless_typing(bytes: [u8; 20]) {
        let key = RecoveryKey::from_bytes(&bytes);
        let text = key.display().to_string();
        let careless = text
            .to_lowercase()
            .replace('-', " ")
            .replace('0', "o")
            .replace('1', "l");
        prop_assert_eq!(RecoveryKey::parse(&text), Ok(key.duplicate()));
        prop_assert_eq!(RecoveryKey::parse(&careless), Ok(key));
    }

    #[test]
    fn no_other_recovery_key_is_written_alike(one: [u8; 20], bit in 0_usize..160) {
        let mut other = one;
        other[bit / 8] ^= 1 << (bit % 8);
        let (one, other) = (RecoveryKey::from_bytes(&one), RecoveryKey::from_bytes(&other));
        prop_assert_ne!(one.display(), other.display());
    }

    #[test]
    fn parsing_any_text_never_panics(text in "\\PC{0,80}") {
        let _ = RecoveryKey::parse(&text);
        let once = passphrase::prepare(&text);
        prop_assert_eq!(&*passphrase::prepare(&once), &*once);
    }
}
