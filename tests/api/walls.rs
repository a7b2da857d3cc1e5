//! The walls between the parts: what cargo sees, and what a source file may name.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Names of everything that a package is built from, without what only its tests need.
fn reached_by(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
        ])
        .args(["--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[test]
fn the_ephemeral_plane_reaches_no_store_and_the_store_no_ephemeral_plane() {
    let has = |names: &[String], name: &str| names.iter().any(|other| other == name);
    let ephemeral = reached_by("ephemeral");
    for forbidden in ["store", "keyring", "rusqlite", "libsqlite3-sys", "serde"] {
        assert!(!has(&ephemeral, forbidden), "ephemeral reaches {forbidden}");
    }
    let store = reached_by("store");
    assert!(!has(&store, "ephemeral"));
    assert!(!has(&reached_by("protocol"), "store"));
    // The control: the server reaches both, so the names are the right ones.
    let server = reached_by("secure-messaging");
    for needed in [
        "store",
        "keyring",
        "rusqlite",
        "libsqlite3-sys",
        "serde",
        "ephemeral",
    ] {
        assert!(has(&server, needed), "{needed}");
    }
}

/// Paths that no product code below a folder may name, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "crates/api/src",
        &["std::fs", "std::net", "std::time", "tokio", "actix"],
        "the contract is data",
    ),
    (
        "crates/protocol/src",
        &["std::fs", "std::net", "std::time", "tokio", "api::Code"],
        "the protocol has no I/O and no clock",
    ),
    (
        "crates/client/src",
        &["std::fs", "std::net", "SystemTime", "Instant", "tokio"],
        "the client core has no I/O and no clock",
    ),
    (
        "crates/client/src/state",
        &["crate::unlocked", "crate::core", "Unlocked"],
        "a part of the client reaches no other through the core",
    ),
    (
        "crates/ephemeral/src",
        &[
            "std::fs", "std::net", "std::io", "serde", "tracing", "log::",
        ],
        "a message cannot leave memory",
    ),
    (
        "crates/audit/src",
        &["std::fs", "std::net", "std::time", "tokio", "rusqlite"],
        "the chain has no I/O",
    ),
    (
        "crates/store/src",
        &["actix", "ephemeral::", "std::net"],
        "the store does not know who asks",
    ),
    (
        "crates/backup/src",
        &["actix", "ephemeral::", "rusqlite"],
        "a backup is sealed bytes",
    ),
    (
        "src/app",
        &["actix", "crate::faces", "crate::routes", "HttpRe"],
        "a use case does not know the road",
    ),
    (
        "src/faces/http",
        &[
            "store()",
            "plane()",
            "vault()",
            "hub()",
            "limits()",
            "sessions().end",
        ],
        "a face makes one call to a use case",
    ),
    (
        "src/faces/socket",
        &["store()", "plane()", "vault()", "hub()", "limits()"],
        "a face makes one call to a use case",
    ),
    (
        "src/platform/net",
        &[
            "store::",
            "crate::app::accounts",
            "crate::app::sessions",
            "crate::app::messages",
        ],
        "connections do not know what they carry",
    ),
];

fn sources_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Lines of product code that name one of these paths, without comments and unit tests.
fn naming(text: &str, paths: &[&str]) -> Vec<String> {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let names = |line: &str, path: &str| {
        line.match_indices(path).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    };
    product
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
        .filter(|line| paths.iter().any(|path| names(line, path)))
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_part_names_what_is_behind_its_wall() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for (folder, paths, why) in FORBIDDEN {
        let mut files = Vec::new();
        sources_below(&top.join(folder), &mut files);
        assert!(!files.is_empty(), "{folder}");
        // Tests and what only tests use may measure and write.
        files.retain(|file| {
            !file
                .iter()
                .any(|part| matches!(part.to_str(), Some("tests" | "testing" | "tests.rs")))
        });
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for line in naming(&text, paths) {
                broken.push(format!("{}: {line} ({why})", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    // The control: what is there is seen.
    let seen = naming("use std::fs;\n// std::fs\nlet a = mystd::fs;", &["std::fs"]);
    assert_eq!(seen, ["use std::fs;"]);
}
