//! What people may be called.

use proptest::prelude::*;
use protocol::name::{AliasError, HandleError, alias, check_handle, shown};

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
