//! The text frames of the WebSocket and the words in them.

use std::collections::BTreeSet;

use crate::tree::{code, text};

/// The variants of an enum of the contract, as JSON has them.
fn variants(name: &str) -> BTreeSet<String> {
    let source = text("crates/api/src/frames.rs");
    let start = format!("pub enum {name} {{\n");
    let (_, body) = source.split_once(&start).unwrap();
    let body = body.split("\n}\n").next().unwrap();
    let declared = body.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?;
        let first = line.starts_with(|c: char| c.is_ascii_uppercase());
        let name = line.split(['(', ' ', ',']).next().unwrap();
        first.then(|| snake(name))
    });
    declared.filter(|name| name != "unknown").collect()
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// The first column of the table below a heading of the specification.
fn documented(heading: &str) -> BTreeSet<String> {
    let document = text("docs/protocol.md");
    let start = format!("\n### {heading}\n");
    let (_, section) = document
        .split_once(&start)
        .unwrap_or_else(|| panic!("protocol.md has no section {heading}"));
    let section = section.split("\n##").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.skip(1).map(code).collect()
}

#[test]
fn the_frames_of_a_client_are_those_of_the_document() {
    assert_eq!(documented("Frames of the client"), variants("ClientFrame"));
}

#[test]
fn the_frames_of_the_server_are_those_of_the_document() {
    assert_eq!(documented("Frames of the server"), variants("ServerFrame"));
}

#[test]
fn what_becomes_of_a_slot_and_where_a_message_is_are_told_in_the_words_of_the_document() {
    assert_eq!(documented("Changes of a slot"), variants("Change"));
    let states: BTreeSet<String> = variants("MessageState")
        .into_iter()
        .chain(["unknown".to_owned()])
        .collect();
    assert_eq!(documented("States of a message"), states);
}
