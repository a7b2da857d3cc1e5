//! What `backup` leaves in a folder, and what it makes of what others put there.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{ran, run, stderr, stdout};
use crate::support::BINARY;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The target of a test, and the folder of the one backup in it.
fn backed_up(data: &Path, target: &Path) -> std::path::PathBuf {
    ran(data, &["migrate"]);
    let made = Command::new("sh")
        .args(["-c", "umask 022 && exec \"$0\" backup", BINARY])
        .current_dir(data)
        .env("DB_ENCRYPTION_KEY", "a key of the tests")
        .env("SECURE_MESSAGING_DATA_DIR", data)
        .env("SECURE_MESSAGING_BACKUP_TARGET", address(target))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    let mut found = std::fs::read_dir(target).unwrap();
    found.next().unwrap().unwrap().path()
}

fn address(target: &Path) -> String {
    format!("file:{}", target.display())
}

#[test]
fn folders_and_objects_of_backups_are_their_owners_only() {
    let (data, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let backup = backed_up(data.path(), &elsewhere.path().join("made"));
    assert_eq!(mode(&backup), 0o700);
    for object in std::fs::read_dir(&backup).unwrap() {
        let object = object.unwrap().path();
        assert_eq!(mode(&object), 0o600, "{}", object.display());
    }
}

#[test]
fn a_pipe_among_backups_holds_nothing_up_and_is_named() {
    let (data, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let backup = backed_up(data.path(), target.path());
    let manifest = backup.join("manifest");
    std::fs::remove_file(&manifest).unwrap();
    let made = Command::new("mkfifo").arg(&manifest).status().unwrap();
    assert!(made.success());
    let address = address(target.path());
    let variables = [("SECURE_MESSAGING_BACKUP_TARGET", address.as_str())];
    let name = backup.file_name().unwrap().to_str().unwrap();
    for command in [&["backup", "list"][..], &["backup", "drill"]] {
        let output = run(data.path(), command, &variables);
        let said = stdout(&output) + &stderr(&output);
        assert!(said.contains(&format!("{name}/manifest")), "{said}");
        assert!(said.contains("no regular file"), "{said}");
    }
    let pruned = run(data.path(), &["backup", "prune"], &variables);
    assert!(pruned.status.success(), "{}", stderr(&pruned));
    let again = run(data.path(), &["backup"], &variables);
    assert!(again.status.success(), "{}", stderr(&again));
    let restored = data.path().join("restored");
    let key = data.path().join("backup.key");
    let output = run(
        data.path(),
        &[
            "restore",
            "--from",
            &address,
            "--data-dir",
            restored.to_str().unwrap(),
        ],
        &[("BACKUP_KEY_FILE", key.to_str().unwrap())],
    );
    assert!(output.status.success(), "{}", stderr(&output));
}
