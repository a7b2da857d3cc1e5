//! Purpose strings: those of the protocol and those of the server.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{code, sources, table, text};

const BEGINNING: &str = "\"secure-messaging/1";
const FILE: &str = "crates/protocol/src/labels.rs";

/// The labels that the protocol declares, by their names.
pub(crate) fn of_the_protocol() -> BTreeMap<String, String> {
    let source = text(FILE);
    let declared = source.lines().filter_map(|line| {
        let (front, label) = line.split_once(": &[u8] = b\"")?;
        let (_, name) = front.split_once("const ")?;
        Some((name.to_owned(), label.trim_end_matches("\";").to_owned()))
    });
    declared.collect()
}

/// Every text of the product's code that begins as a label does, with its file; not those of unit tests.
fn of_the_server() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for path in sources().into_iter().filter(|path| path != FILE) {
        let source = text(&path);
        let product = source.split("\nmod tests {").next().unwrap();
        for line in product.lines().map(str::trim_start) {
            for after in line.split(BEGINNING).skip(1) {
                if !line.starts_with("//") {
                    let label = after.split('"').next().unwrap();
                    found.insert((format!("secure-messaging/1{label}"), path.clone()));
                }
            }
        }
    }
    found
}

#[test]
fn the_labels_of_the_protocol_are_those_of_the_document() {
    let documented: BTreeMap<String, String> = table("Labels of the protocol")
        .iter()
        .map(|row| (code(&row[3]), code(&row[0])))
        .collect();
    assert_eq!(documented, of_the_protocol());
}

#[test]
fn every_other_label_of_the_code_is_in_the_document_and_there_is_no_more() {
    let documented: BTreeSet<(String, String)> = table("Labels of the server")
        .iter()
        .map(|row| (code(&row[0]), code(&row[1])))
        .collect();
    assert_eq!(documented, of_the_server());
}

#[test]
fn no_label_stands_twice_and_none_of_the_server_is_one_of_the_protocol() {
    let mut all = BTreeSet::new();
    let server = of_the_server().into_iter().map(|(label, _)| label);
    for label in of_the_protocol().into_values().chain(server) {
        assert!(all.insert(label.clone()), "{label} has two uses");
    }
}
