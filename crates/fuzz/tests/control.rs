//! The control: faults that were planted are found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use fuzz::Target;

/// Long enough on any machine; a fault ends the search when it is found.
const LONG: Duration = Duration::from_secs(120);

/// Reads a count, and as many pieces with a length each.
fn pieces(bytes: &[u8], careful: bool) -> Option<usize> {
    let (magic, rest) = bytes.split_at_checked(4)?;
    if magic != b"TOY\x01" {
        return None;
    }
    let (count, mut rest) = rest.split_first()?;
    for _ in 0..*count {
        let (length, after) = rest.split_first()?;
        let length = usize::from(*length);
        if careful && length > after.len() {
            return None;
        }
        rest = &after[length..];
    }
    Some(usize::from(*count))
}

fn toy() -> Target {
    Target::new("toy", "cargo test --package fuzz").seed(b"TOY\x01\x02\x01a\x02bc")
}

#[test]
fn a_length_that_is_believed_is_found() {
    let crash = toy()
        .search(LONG, |bytes| pieces(bytes, false))
        .unwrap_err();
    assert!(crash.said.contains("out of range"), "{}", crash.said);
    assert!(crash.input.starts_with(b"TOY\x01"));
    assert!(
        crash.input.len() <= 8,
        "it was not shrunk: {:?}",
        crash.input
    );
}

#[test]
fn the_same_parser_without_its_fault_passes() {
    let summary = toy().search(Duration::from_millis(200), |bytes| pieces(bytes, true));
    assert!(summary.unwrap().inputs > 1_000);
}

#[test]
fn a_fault_behind_a_word_of_the_language_is_found() {
    let parse = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).ok()?;
        let (name, value) = text.split_once(": ")?;
        assert!(
            name != "content-length" || value != "+5",
            "a sign is taken for a number"
        );
        Some(name == "content-length")
    };
    let target = Target::new("words", "cargo test --package fuzz")
        .seed("content-type: text")
        .words(&["content-length", "+5"]);
    let crash = target.search(LONG, parse).unwrap_err();
    assert_eq!(crash.input, b"content-length: +5");
}

#[test]
fn a_fault_behind_several_steps_is_found_by_what_each_step_says() {
    let parse = |bytes: &[u8]| {
        let right = bytes
            .iter()
            .zip(b"abcdef")
            .take_while(|(a, b)| a == b)
            .count();
        assert!(right < 6, "all six");
        right
    };
    let crash = Target::new("steps", "cargo test --package fuzz").seed([0; 6]);
    assert_eq!(crash.search(LONG, parse).unwrap_err().input, b"abcdef");
}
