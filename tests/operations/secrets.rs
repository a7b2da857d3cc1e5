//! Secrets out of files and of the service manager's credentials.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use super::{stderr, stdout};
use crate::support::binary;

fn migrate(data: &Path, variables: &[(&str, &str)]) -> Output {
    binary()
        .args(["migrate", "--data-dir", "data"])
        .current_dir(data)
        .env_remove("DB_ENCRYPTION_KEY")
        .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn a_key_out_of_a_file_opens_what_the_same_key_in_the_environment_sealed() {
    let folder = TempDir::new().unwrap();
    let place = folder.path();
    let file = place.join("DB_ENCRYPTION_KEY");
    std::fs::write(&file, "the operator's key\n").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let direct = ("DB_ENCRYPTION_KEY", "the operator's key");
    let by_file = ("DB_ENCRYPTION_KEY_FILE", file.to_str().unwrap());
    let by_credential = ("CREDENTIALS_DIRECTORY", place.to_str().unwrap());
    for variables in [&[direct][..], &[by_file], &[by_credential]] {
        let output = migrate(place, variables);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert!(!place.join("data/secure_messaging.key").exists());
    std::fs::write(&file, "another key").unwrap();
    for variables in [&[by_file][..], &[by_credential]] {
        let refused = migrate(place, variables);
        assert!(stderr(&refused).contains("does not open"));
    }
    let both = migrate(place, &[direct, by_file]);
    assert!(!both.status.success() && stderr(&both).contains("unset one of them"));
    let wins = migrate(place, &[direct, by_credential]);
    assert!(
        wins.status.success(),
        "the environment goes over credentials"
    );
}

#[test]
fn a_key_file_that_everybody_may_read_is_warned_of_and_never_shown() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "never to be shown").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let output = binary()
        .args(["check-config", "--data-dir", "data"])
        .current_dir(folder.path())
        .env_remove("DB_ENCRYPTION_KEY")
        .env("DB_ENCRYPTION_KEY_FILE", &file)
        .output()
        .unwrap();
    let text = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        text.contains("every user of this machine may read"),
        "{text}"
    );
    assert!(text.contains("[redacted]") && !text.contains("never to be shown"));
}

#[test]
fn a_key_in_the_environment_with_a_line_end_is_the_key_in_a_file() {
    let folder = TempDir::new().unwrap();
    let direct = [("DB_ENCRYPTION_KEY", "as echo writes it\n")];
    assert!(migrate(folder.path(), &direct).status.success());
    let file = folder.path().join("key");
    std::fs::write(&file, "as echo writes it\n").unwrap();
    let by_file = [("DB_ENCRYPTION_KEY_FILE", file.to_str().unwrap())];
    let output = migrate(folder.path(), &by_file);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_blank_key_makes_no_database() {
    let folder = TempDir::new().unwrap();
    let output = migrate(folder.path(), &[("DB_ENCRYPTION_KEY", " \n")]);
    assert!(stderr(&output).contains("empty or blank"));
    assert!(!folder.path().join("data").exists());
}

#[test]
fn files_that_a_group_was_given_are_closed_again_at_the_start() {
    let folder = TempDir::new().unwrap();
    assert!(migrate(folder.path(), &[]).status.success());
    let files = ["data/secure_messaging.db", "data/secure_messaging.key"];
    let paths = files.map(|file| folder.path().join(file));
    for path in &paths {
        std::fs::set_permissions(path, Permissions::from_mode(0o660)).unwrap();
    }
    let output = migrate(folder.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    for path in &paths {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

/// Makes a pipe that nobody writes into.
fn pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let place = folder.path();
    std::fs::create_dir(place.join("data")).unwrap();
    let (named, beside) = (place.join("pipe"), place.join("data/secure_messaging.key"));
    let file = place.join("secure-messaging.toml");
    for path in [&named, &beside, &file] {
        pipe(path);
        let secret = match path == &named {
            true => ("DB_ENCRYPTION_KEY_FILE", named.to_str().unwrap()),
            false => ("SECURE_MESSAGING_LOG", "info"),
        };
        let refused = migrate(place, &[secret]);
        let said = stderr(&refused);
        assert!(!refused.status.success(), "{path:?}");
        assert!(said.contains("it is no regular file"), "{path:?}: {said}");
        std::fs::remove_file(path).unwrap();
    }
    let key = ("DB_ENCRYPTION_KEY", "the operator's key of the tests");
    let certificate = [
        key,
        ("SECURE_MESSAGING_TLS_CERT", named.to_str().unwrap()),
        ("SECURE_MESSAGING_TLS_KEY", named.to_str().unwrap()),
    ];
    pipe(&named);
    let checked = binary()
        .args(["check-config", "--data-dir", "data"])
        .current_dir(place)
        .envs(certificate)
        .output()
        .unwrap();
    let said = stdout(&checked);
    assert!(said.contains("it is no regular file"), "{said}");
}
