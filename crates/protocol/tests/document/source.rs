//! Constants as the source declares them.

use std::collections::BTreeMap;

use crate::tree;

/// A file's constants: name, with its owner where it stands in an `impl`, and expression.
pub(crate) type Constants = BTreeMap<String, String>;

/// Reads the constants, fields with a value and secrets of one file, without its unit tests.
pub(crate) fn constants(path: &str) -> Constants {
    let text = tree::text(path);
    let text = text.split("\nmod tests {").next().unwrap();
    let mut found = Constants::new();
    let mut owner = String::new();
    let mut secret = false;
    let mut declaration = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("impl") {
            let name = rest.split(" for ").last().unwrap();
            let name = name.trim_start_matches("<'a>").trim();
            owner = name.split(['<', ' ']).next().unwrap().to_owned();
        } else if line == "}" {
            owner.clear();
            secret = false;
        }
        secret |= line.starts_with("secret!");
        let line = line.split(" //").next().unwrap().trim();
        if declaration.is_empty() && is_constant(line) || !declaration.is_empty() {
            declaration.push_str(line);
            declaration.push(' ');
            if line.ends_with(';') {
                let (name, value) = declared(&declaration);
                let full = match owner.is_empty() {
                    true => name,
                    false => format!("{owner}::{name}"),
                };
                found.insert(full, value);
                declaration.clear();
            }
        } else if secret && let Some((_, of)) = line.split_once("struct ") {
            let (name, length) = of.trim_end_matches(')').split_once('(').unwrap();
            found.insert(format!("{name}::LEN"), length.to_owned());
        } else if let Some((name, value)) = line.trim_end_matches([',', ';']).split_once(": ") {
            let lower = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let number = value.starts_with(|c: char| c.is_ascii_digit() || c == 'D');
            if lower(name) && number {
                found.insert(name.to_owned(), value.to_owned());
            } else if path.ends_with("api/src/ids.rs") && value.parse::<u8>().is_ok() {
                found.insert(format!("{name}::LEN"), value.to_owned());
            }
        }
    }
    found
}

fn is_constant(line: &str) -> bool {
    let rest = line.trim_start_matches("pub").trim_start();
    let rest = match rest.strip_prefix('(') {
        Some(rest) => rest.split_once(") ").map_or("", |(_, rest)| rest),
        None => rest,
    };
    let number = ["usize", "u8", "u16", "u32", "u64", "Duration"];
    let kind = |kind: &&str| rest.contains(&format!(": {kind} =")) || rest.ends_with(": usize =");
    rest.starts_with("const ") && number.iter().any(kind)
}

fn declared(declaration: &str) -> (String, String) {
    let (front, value) = declaration.split_once('=').unwrap();
    let (_, name) = front.split_once("const ").unwrap();
    let name = name.split(':').next().unwrap().trim().to_owned();
    (name, value.trim().trim_end_matches(';').to_owned())
}
