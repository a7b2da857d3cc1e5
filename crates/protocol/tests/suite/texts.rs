use protocol::envelope::{SecretText, is_blank};

#[test]
fn a_text_is_taken_over_from_a_string_as_from_a_slice() {
    let words = "näve words";
    for text in [
        SecretText::from(words),
        SecretText::from(words.to_owned()),
        SecretText::new(words),
    ] {
        assert_eq!(text.as_str(), words);
    }
}

#[test]
fn a_text_of_which_nothing_can_be_seen_is_blank() {
    for blank in [
        "",
        " ",
        "\u{a0}\u{3000}",
        "\n\t",
        "\u{7}",
        "\u{ad}",
        "\u{200b}",
        "\u{2800}",
        "\u{3164}",
        "\u{fe0f}",
        "\u{e0020}",
        " \u{7}\u{200d}\u{2060} ",
    ] {
        assert!(is_blank(blank), "{blank:?}");
        assert!(SecretText::from(blank).is_blank(), "{blank:?}");
    }
    for seen in [
        "a",
        ".",
        "0",
        "\u{e9}",
        "\u{2801}",
        "\u{1f600}",
        " a ",
        "\u{200b}x",
        "x\u{7}",
    ] {
        assert!(!is_blank(seen), "{seen:?}");
        assert!(!SecretText::from(seen).is_blank(), "{seen:?}");
    }
}
