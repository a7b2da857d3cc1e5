//! Addresses of the HTTP interface, close codes and refusals that the documents name.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{code, number, table, text};

/// Method and address of every row of the route table.
fn routes() -> BTreeSet<(String, String)> {
    let source = text("src/routes.rs");
    let (_, rows) = source.split_once("\ntable! {\n").unwrap();
    let rows = rows.split("\n}\n").next().unwrap();
    let mut found = BTreeSet::new();
    let mut path = "";
    for line in rows.lines() {
        let mut line = line.trim();
        if let Some((front, rest)) = line.split_once("=> [") {
            path = front.split('"').nth(1).unwrap();
            line = rest.trim();
        }
        let method = line.split(' ').next().unwrap();
        if matches!(method, "GET" | "POST" | "PUT" | "DELETE") {
            found.insert((method.to_owned(), path.to_owned()));
        }
    }
    assert!(found.len() > 60, "{} routes", found.len());
    found
}

/// Every `METHOD /path` in backticks of a document.
fn named(document: &str) -> BTreeSet<(String, String)> {
    let text = text(document);
    let spans = text.split('`').skip(1).step_by(2);
    let calls = spans.filter_map(|span| {
        let (method, path) = span.split_once(" /")?;
        let method_fits = matches!(method, "GET" | "POST" | "PUT" | "DELETE");
        let path = path.split('?').next().unwrap();
        method_fits.then(|| (method.to_owned(), format!("/{path}")))
    });
    calls.collect()
}

#[test]
fn every_address_that_the_specification_names_exists() {
    let routes = routes();
    let mut all = 0;
    for document in [
        "docs/protocol.md",
        "docs/protocol/messages.md",
        "docs/protocol/accounts.md",
    ] {
        for (method, path) in named(document) {
            all += 1;
            let full = format!("/api/v1{path}");
            let exists = routes.contains(&(method.clone(), full));
            assert!(exists, "{document}: {method} {path}");
        }
    }
    assert!(all > 30, "{all} addresses");
}

#[test]
fn every_address_that_a_client_calls_is_in_the_specification() {
    let mut documented = BTreeSet::new();
    for part in ["", "/messages", "/accounts"] {
        documented.extend(named(&format!("docs/protocol{part}.md")));
    }
    for (method, path) in routes() {
        let Some(path) = path.strip_prefix("/api/v1") else {
            continue;
        };
        let of_operators = path.starts_with("/admin/") || path == "/openapi.json";
        let known = documented.contains(&(method.clone(), path.to_owned()));
        assert!(of_operators || known, "{method} {path} is in no document");
    }
}

#[test]
fn the_close_codes_are_those_of_the_document() {
    let source = text("crates/api/src/close.rs");
    let declared: BTreeMap<String, u64> = source
        .lines()
        .filter_map(|line| {
            let (name, value) = line.strip_prefix("pub const ")?.split_once(": u16 = ")?;
            Some((name.to_owned(), value.trim_end_matches(';').parse().ok()?))
        })
        .collect();
    let documented: BTreeMap<String, u64> = table("Close codes")
        .iter()
        .map(|row| (code(&row[2]), number(&row[0])))
        .collect();
    assert_eq!(documented, declared);
}

#[test]
fn every_refusal_that_the_document_names_has_its_status() {
    let source = text("crates/api/src/code.rs");
    for row in table("Refusals") {
        let (name, status) = (code(&row[0]), number(&row[1]));
        let declared = format!(" = \"{name}\", {status}, ");
        assert!(source.contains(&declared), "{name} with status {status}");
    }
}
