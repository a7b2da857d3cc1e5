//! The line between policy and databases: no statement above an engine, no key and no rule below.

use std::path::{Path, PathBuf};

/// Words that begin a statement; both of a pair must stand in one string.
const STATEMENTS: [(&str, &str); 6] = [
    ("SELECT ", ""),
    ("INSERT INTO ", ""),
    ("DELETE FROM ", ""),
    ("UPDATE ", " SET "),
    ("PRAGMA ", ""),
    ("CREATE TABLE ", ""),
];
/// Crates of databases.
const DATABASES: [&str; 4] = ["rusqlite", "refinery", "tokio_postgres", "deadpool"];
/// What is below the line.
const BELOW: [&str; 4] = [
    "engine/opening.rs",
    "engine/sql/",
    "engine/sqlite/",
    "engine/postgres/",
];
/// Engines; what is above names their trait.
const ENGINES: [&str; 3] = ["engine::sqlite", "engine::postgres", "engine::sql::"];
/// What decides, and so stands above the line.
const POLICY: [&str; 6] = [
    "keyring::",
    "audit::",
    "crate::sealing",
    "crate::keys",
    "crate::repository",
    "crate::intent",
];
/// What an engine may name of them: helpers for files, which no key goes through.
const HELPERS: [&str; 3] = [
    "use keyring::{private_file, regular_file};",
    "keyring::regular_file::open(",
    "keyring::regular_file::open_unfollowed(",
];

fn is_below(name: &str) -> bool {
    BELOW.iter().any(|folder| name.starts_with(folder))
}

fn sources() -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![top.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(path);
            }
        }
    }
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path
            .strip_prefix(&top)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        (name, product(&text))
    };
    files.into_iter().map(read).collect()
}

/// The text without comments, unit tests and line breaks.
fn product(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = product.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("//")).collect();
    lines.join(" ")
}

/// Statements and database types in a text.
fn of_a_database(text: &str) -> Vec<String> {
    let names = DATABASES.iter().chain(&ENGINES);
    let mut found: Vec<String> = names
        .filter(|name| text.contains(*name))
        .map(|name| (*name).to_owned())
        .collect();
    // Every second piece between quotes is a string.
    for string in text.split('"').skip(1).step_by(2) {
        let begins = |(verb, then): &&(&str, &str)| {
            string
                .find(verb)
                .is_some_and(|at| string[at..].contains(then))
        };
        if STATEMENTS.iter().any(|words| begins(&words)) {
            found.push(string.to_owned());
        }
    }
    found
}

/// Policy that a text names.
fn of_policy(text: &str) -> Vec<String> {
    let mut text = text.to_owned();
    for helper in HELPERS {
        text = text.replace(helper, "");
    }
    let names = |name: &&&str| {
        text.match_indices(**name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    };
    let found = POLICY.iter().filter(names);
    found.map(|name| (*name).to_owned()).collect()
}

#[test]
fn no_statement_and_no_database_stands_above_an_engine() {
    let above: Vec<_> = sources()
        .into_iter()
        .filter(|(name, _)| !is_below(name))
        .collect();
    assert!(above.iter().any(|(name, _)| name == "repository/users.rs"));
    for (name, text) in above {
        let found = of_a_database(&text);
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

#[test]
fn no_key_and_no_rule_stands_below_the_line() {
    let below: Vec<_> = sources()
        .into_iter()
        .filter(|(name, _)| is_below(name))
        .collect();
    for seen in [
        "engine/sql/users.rs",
        "engine/sqlite/writer.rs",
        "engine/postgres/writer.rs",
    ] {
        assert!(below.iter().any(|(name, _)| name == seen), "{seen}");
    }
    for (name, text) in below {
        let found = of_policy(&text);
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

#[test]
fn what_crosses_the_line_is_seen() {
    for wrong in [
        "let sql = \"SELECT 1\";",
        "let sql = format!(\"UPDATE {table}\n  SET a = 1\");",
        "use rusqlite::Row;",
        "use crate::engine::sqlite::Sqlite;",
    ] {
        assert_eq!(of_a_database(&product(wrong)).len(), 1, "{wrong}");
    }
    assert_eq!(of_a_database("\"UPDATE the key\""), Vec::<String>::new());
    for wrong in ["use crate::sealing::tags::Tags;", "use ::audit::Fields;"] {
        assert_eq!(of_policy(wrong).len(), 1, "{wrong}");
    }
    assert_eq!(
        of_policy("use keyring::{private_file, regular_file};"),
        Vec::<String>::new()
    );
}
