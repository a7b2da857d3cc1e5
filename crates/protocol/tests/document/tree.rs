//! Files of the repository, and the tables of a document.

use std::fs;
use std::path::{Path, PathBuf};

/// The top of the repository.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Reads a file by its path from the top of the repository.
pub(crate) fn text(path: &str) -> String {
    let full = top().join(path);
    fs::read_to_string(&full).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// Lists the files below a folder whose names end so, by their paths from the top.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![top().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("target") {
                    folders.push(path);
                }
            } else if path.to_string_lossy().ends_with(ending) {
                let path = path.strip_prefix(top()).unwrap().to_path_buf();
                found.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// Every Rust file of the product, without its test programs.
pub(crate) fn sources() -> Vec<String> {
    let mut all = files("src", ".rs");
    let crates = files("crates", ".rs");
    all.extend(crates.into_iter().filter(|path| path.contains("/src/")));
    all
}

/// The rows of the tables below a heading of `docs/protocol/constants.md`, cell by cell.
pub(crate) fn table(heading: &str) -> Vec<Vec<String>> {
    let document = text("docs/protocol/constants.md");
    let start = format!("\n## {heading}\n");
    let (_, after) = document
        .split_once(&start)
        .unwrap_or_else(|| panic!("constants.md has no section {heading}"));
    let section = after.split("\n## ").next().unwrap();
    let rows: Vec<Vec<String>> = section
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|---"))
        .skip(1)
        .map(|line| {
            let cells = line.trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect();
    assert!(!rows.is_empty(), "no table below {heading}");
    rows
}

/// What stands between the first pair of backticks; blanks within count.
pub(crate) fn code(cell: &str) -> String {
    cell.split('`')
        .nth(1)
        .unwrap_or_else(|| panic!("{cell} is not in backticks"))
        .to_owned()
}

/// The first number of a cell, whose thousands are set off by commas.
pub(crate) fn number(cell: &str) -> u64 {
    let digits: String = cell
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(char::is_ascii_digit)
        .collect();
    digits
        .parse()
        .unwrap_or_else(|_| panic!("{cell} begins with no number"))
}
