//! The one place from which tests start the binary.

use std::process::Command;

/// Where the binary lies, for what copies it or becomes it.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_secure-messaging");

/// A command of the binary. Whatever it serves, it serves on a port that is free: the usual one may
/// be taken on the machine of whoever runs the tests.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(BINARY);
    command.env("BIND_ADDR", "127.0.0.1:0");
    command
}

/// Every source file below a folder of this repository.
fn sources(folder: &str) -> Vec<(std::path::PathBuf, String)> {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

#[test]
fn no_test_starts_the_binary_in_another_way() {
    let own = file!().rsplit('/').next().unwrap();
    let sources = sources("tests");
    let named: Vec<_> = sources
        .iter()
        .filter(|(_, text)| text.contains("CARGO_BIN_EXE"))
        .map(|(path, _)| path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(named, [own], "start it by support::binary()");
}

#[test]
fn no_test_listens_on_a_port_of_its_own_choice() {
    let fixed = |text: &str| {
        text.split("::bind(\"").skip(1).any(|rest| {
            let address = rest.split('"').next().unwrap_or_default();
            !address.ends_with(":0")
        })
    };
    assert!(
        fixed("TcpListener::bind(\"127.0.0.1:4711\")"),
        "the control"
    );
    for (path, text) in sources("tests")
        .iter()
        .filter(|(p, _)| !p.ends_with(file!()))
    {
        assert!(!fixed(text), "{}: take port 0", path.display());
    }
}

#[test]
fn a_server_that_is_not_told_its_port_takes_a_free_one() {
    let data = tempfile::TempDir::new().unwrap();
    let settings = binary()
        .arg("check-config")
        .current_dir(data.path())
        .env("DB_ENCRYPTION_KEY", "a key of the tests")
        .output()
        .unwrap();
    let text = String::from_utf8(settings.stdout).unwrap();
    assert!(text.contains("127.0.0.1:0"), "{text}");
    assert!(!text.contains("8080"), "{text}");
}
