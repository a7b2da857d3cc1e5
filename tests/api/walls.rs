//! The wall between the planes, as cargo sees it.

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
fn the_vault_reaches_no_store_and_the_store_no_vault() {
    let has = |names: &[String], name: &str| names.iter().any(|other| other == name);
    let vault = reached_by("vault");
    for forbidden in ["store", "keyring", "rusqlite", "libsqlite3-sys", "serde"] {
        assert!(!has(&vault, forbidden), "vault reaches {forbidden}");
    }
    let store = reached_by("store");
    assert!(!has(&store, "vault"));
    assert!(!has(&reached_by("protocol"), "store"));
    // The control: the server reaches both, so the names are the right ones.
    let server = reached_by("secure-messaging");
    for needed in [
        "store",
        "keyring",
        "rusqlite",
        "libsqlite3-sys",
        "serde",
        "vault",
    ] {
        assert!(has(&server, needed), "{needed}");
    }
}
