//! What people may be called.

use proptest::prelude::*;
use protocol::name::{AliasError, HandleError, alias, bare_handle, check_handle, shown};

#[test]
fn joined_emoji_persian_joiners_and_flags_are_ordinary_in_names() {
    for name in [
        "Alice \u{1f469}\u{200d}\u{1f680}",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        "\u{2764}\u{fe0f}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "\u{5d0}\u{5d1}",
        "\u{d55c}\u{ad6d}",
        "O'Brien, Jr. (he)",
    ] {
        assert_eq!(alias(name).as_deref(), Ok(name));
        assert_eq!(shown(name), name);
    }
}

#[test]
fn what_turns_or_hides_text_is_refused_in_a_name_and_left_out_of_others_names() {
    for hidden in [
        '\u{202e}', '\u{202a}', '\u{2066}', '\u{2069}', '\u{200f}', '\u{200b}', '\u{ad}',
        '\u{feff}', '\u{7}', '\u{e000}', '\u{ffff}', '\u{3164}',
    ] {
        let name = format!("a{hidden}b");
        assert_eq!(alias(&name), Err(AliasError::Character), "{name:?}");
        assert_eq!(shown(&name), "ab");
    }
}

#[test]
fn a_name_is_trimmed_composed_and_has_at_most_sixty_four_characters() {
    assert_eq!(
        alias("  Alice \u{a0}\t Liddell ").as_deref(),
        Ok("Alice Liddell")
    );
    assert_eq!(alias("Zoe\u{308}").as_deref(), Ok("Zo\u{eb}"));
    assert_eq!(
        alias("\u{200d}a\u{200d}\u{200d} b\u{200c}").as_deref(),
        Ok("a b")
    );
    for length in ["", "   ", "\u{200d}", &"a".repeat(65), &"a".repeat(5_000)] {
        assert_eq!(alias(length), Err(AliasError::Length));
    }
    assert_eq!(shown(&"a".repeat(5_000)).len(), 64);
}

#[test]
fn a_handle_has_letters_digits_and_three_signs() {
    for good in [
        "alice",
        "a.b-c_9",
        "\u{438}\u{432}\u{430}\u{43d}",
        "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
    ] {
        assert_eq!(check_handle(good), Ok(()), "{good}");
    }
    for bad in [
        "a b",
        "a/b",
        "a@b",
        "...",
        "a\u{202e}b",
        "a\u{200b}b",
        "a\u{3000}b",
        "<a>",
    ] {
        assert_eq!(check_handle(bad), Err(HandleError::Character), "{bad:?}");
    }
    for handle in [String::new(), "a".repeat(33)] {
        assert_eq!(check_handle(&handle), Err(HandleError::Length));
    }
}

#[test]
fn a_handle_is_what_stands_behind_spaces_and_at_signs() {
    for typed in ["alice", "@alice", " alice ", "\t@alice\n", "@@alice"] {
        assert_eq!(bare_handle(typed), "alice", "{typed:?}");
    }
    for (typed, handle) in [
        ("", ""),
        ("@", ""),
        ("al@ice", "al@ice"),
        ("alice@", "alice@"),
    ] {
        assert_eq!(bare_handle(typed), handle);
    }
}

#[test]
fn lengths_are_counted_in_characters_of_whatever_size() {
    for letter in ["a", "\u{436}", "\u{10400}"] {
        assert_eq!(check_handle(&letter.repeat(32)), Ok(()), "{letter}");
        let longer = check_handle(&letter.repeat(33));
        assert_eq!(longer, Err(HandleError::Length), "{letter}");
        let longest = letter.repeat(64);
        assert_eq!(alias(&longest).as_ref(), Ok(&longest));
        assert_eq!(alias(&letter.repeat(65)), Err(AliasError::Length));
        assert_eq!(shown(&letter.repeat(65)), longest);
    }
}

#[test]
fn what_is_typed_around_a_name_counts_up_to_256_characters() {
    let typed = |spaces: usize| format!("a{}", " ".repeat(spaces));
    assert_eq!(alias(&typed(255)).as_deref(), Ok("a"));
    assert_eq!(alias(&typed(256)), Err(AliasError::Length));
    assert_eq!(shown(&format!("{}a", " ".repeat(255))), "a");
    assert_eq!(shown(&format!("{}a", " ".repeat(256))), "");
}

#[test]
fn a_joiner_stands_once_between_two_letters() {
    for joiner in ['\u{200c}', '\u{200d}'] {
        let once = format!("a{joiner}b");
        assert_eq!(alias(&once).as_ref(), Ok(&once));
        assert_eq!(alias(&format!("a{joiner}{joiner}{joiner}b")), Ok(once));
        assert_eq!(alias(&format!("{joiner}a{joiner}")).as_deref(), Ok("a"));
        let spaced = format!("a{joiner} {joiner}b");
        assert_eq!(alias(&spaced).as_deref(), Ok("a b"));
    }
    // Different ones, and selectors of variants, stay as they are.
    for name in ["a\u{200c}\u{200d}b", "a\u{fe0f}\u{fe0f}b"] {
        assert_eq!(alias(name).as_deref(), Ok(name));
    }
}

/// First and last of each range of characters that nobody sees or that turn others.
const HIDDEN: &[(char, char)] = &[
    ('\0', '\u{8}'),
    ('\u{e}', '\u{1f}'),
    ('\u{7f}', '\u{84}'),
    ('\u{86}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{e0000}', '\u{e001f}'),
    ('\u{e0080}', '\u{e00ff}'),
    ('\u{e01f0}', '\u{e0fff}'),
    ('\u{f0000}', '\u{10ffff}'),
];

#[test]
fn every_kind_of_hidden_character_is_refused_from_the_first_to_the_last() {
    for hidden in HIDDEN.iter().flat_map(|(first, last)| [*first, *last]) {
        let name = format!("a{hidden}b");
        assert_eq!(alias(&name), Err(AliasError::Character), "{name:?}");
        assert_eq!(shown(&name), "ab", "{name:?}");
        let refused = check_handle(&name);
        assert_eq!(refused, Err(HandleError::Character), "{name:?}");
    }
    // Beside them stands what people write, and what separates their words.
    for seen in [
        '!',
        '~',
        '\u{a1}',
        '\u{ac}',
        '\u{ae}',
        '\u{61b}',
        '\u{61d}',
        '\u{1161}',
        '\u{2010}',
        '\u{2027}',
        '\u{2030}',
        '\u{2801}',
        '\u{3163}',
        '\u{f900}',
        '\u{fffc}',
        '\u{fffd}',
        '\u{1bca4}',
        '\u{1d17b}',
        '\u{20000}',
    ] {
        assert_eq!(shown(&format!("a{seen}b")).chars().count(), 3, "{seen:?}");
        assert!(alias(&format!("a{seen}b")).is_ok(), "{seen:?}");
    }
    for space in [
        '\t', '\n', '\u{85}', '\u{a0}', '\u{1680}', '\u{2003}', '\u{3000}',
    ] {
        assert_eq!(alias(&format!("a{space}b")).as_deref(), Ok("a b"));
    }
}

proptest! {
    #[test]
    fn a_name_that_is_kept_is_kept_as_it_is_and_shown_as_it_is(text: String) {
        if let Ok(name) = alias(&text) {
            let again = alias(&name);
            prop_assert_eq!(again.as_ref(), Ok(&name));
            prop_assert_eq!(shown(&name), name);
        }
        prop_assert!(shown(&text).chars().count() <= 64);
    }
}
