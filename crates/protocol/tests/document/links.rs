//! Links: from documents to files and sections, and from comments of the code to documents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::tree::{files, sources, text, top};

/// Headings of a document, as addresses of its sections.
fn sections(document: &str) -> BTreeSet<String> {
    let text = text(document);
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        let heading = line.trim_start_matches('#');
        if !fenced && heading.len() < line.len() && heading.starts_with(' ') {
            found.insert(address(heading.trim()));
        }
    }
    found
}

/// A heading's address: lower case, without punctuation, hyphens for blanks.
fn address(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}

/// The documents of the repository.
fn documents() -> Vec<String> {
    let mut all = files("docs", ".md");
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ] {
        all.push(name.to_owned());
    }
    all
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain.to_string_lossy().into_owned()
}

/// Says what is wrong with a link, if anything is.
fn broken(target: &str, known: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let (path, section) = target.split_once('#').unwrap_or((target, ""));
    if !top().join(path).exists() {
        return Some(format!("there is no {path}"));
    }
    let unknown = |of: &BTreeSet<String>| !section.is_empty() && !of.contains(section);
    known
        .get(path)
        .is_some_and(unknown)
        .then(|| format!("{path} has no section {section}"))
}

fn known() -> BTreeMap<String, BTreeSet<String>> {
    let all = documents().into_iter();
    all.map(|path| (path.clone(), sections(&path))).collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let known = known();
    let mut all = 0;
    for document in documents() {
        let folder = Path::new(&document).parent().unwrap().to_path_buf();
        for after in text(&document).split("](").skip(1) {
            let target = after.split(')').next().unwrap();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let target = match target.strip_prefix('#') {
                Some(section) => format!("{document}#{section}"),
                None => plain(&folder.join(target)),
            };
            let wrong = broken(&target, &known);
            assert_eq!(wrong, None, "{document} links {target}");
            all += 1;
        }
    }
    assert!(all > 50, "{all} links");
}

/// Every `docs/….md#section` in the code's comments, with its file.
fn from_code() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in sources() {
        for line in text(&path).lines().filter(|line| line.contains("//")) {
            for after in line.split("docs/").skip(1) {
                let fits = |c: char| c.is_ascii_alphanumeric() || "/-_.#".contains(c);
                let end = after.find(|c| !fits(c)).unwrap_or(after.len());
                let target = format!("docs/{}", after[..end].trim_end_matches('.'));
                if target.contains(".md") {
                    found.push((path.clone(), target));
                }
            }
        }
    }
    found
}

#[test]
fn links_from_comments_to_documents_lead_somewhere() {
    let known = known();
    let links = from_code();
    assert!(links.len() > 50, "{} links", links.len());
    for (path, target) in links {
        let wrong = broken(&target, &known);
        assert_eq!(wrong, None, "{path} links {target}");
    }
}

#[test]
fn every_section_of_the_specification_is_linked_by_the_code_that_implements_it() {
    let linked: BTreeSet<String> = from_code().into_iter().map(|(_, target)| target).collect();
    for document in ["docs/protocol/messages.md", "docs/protocol/accounts.md"] {
        let text = text(document);
        for heading in text.lines().filter_map(|line| line.strip_prefix("## ")) {
            let target = format!("{document}#{}", address(heading));
            assert!(linked.contains(&target), "no code links {target}");
        }
    }
}

#[test]
fn no_comment_names_a_page_that_the_repository_does_not_have() {
    for path in sources() {
        for line in text(&path).lines().filter(|line| line.contains("//")) {
            let mut pages = line.split("page ").skip(1);
            let numbered = pages.any(|after| after.starts_with('0'));
            assert!(!numbered, "{path}: {line}");
        }
    }
}

#[test]
fn the_code_in_the_walks_is_code_of_this_tree() {
    let mut known = BTreeSet::new();
    for path in sources()
        .into_iter()
        .chain(files("crates/store/migrations", ".sql"))
    {
        known.extend(text(&path).lines().map(|line| line.trim().to_owned()));
    }
    let mut quoted = 0;
    let document = text("docs/adding-an-endpoint.md");
    for block in document.split("```").skip(1).step_by(2) {
        for line in block.lines().skip(1).map(str::trim) {
            // A row of the table may end behind what is quoted; a file's name stands in front.
            let closing = line.chars().all(|c| "[]{}();,".contains(c));
            if !closing && !line.starts_with("-- V") {
                assert!(known.contains(line), "no file has this line: {line}");
                quoted += 1;
            }
        }
    }
    assert!(quoted > 20, "{quoted} lines");
}
