//! What a configuration may not be: refused by `serve` and by `check-config` in the same words, before
//! anything is made.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::{run, stderr, stdout};
use crate::support::binary;

const ADDRESS: (&str, &str) = ("BIND_ADDR", "127.0.0.1:0");

/// Both refuse in these words, and the data folder stays as it is.
#[track_caller]
fn refused(data: &Path, variables: &[(&str, &str)], words: &str) {
    let listed = || {
        let mut names: Vec<_> = std::fs::read_dir(data)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            // SQLite's own, which a look at the database brings.
            .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
            .collect();
        names.sort();
        names
    };
    let before = listed();
    let variables = [&[ADDRESS][..], variables].concat();
    for command in ["check-config", "serve"] {
        let output = run(data, &[command], &variables);
        let said = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert!(said.contains(words), "{command}: {said}");
    }
    assert_eq!(listed(), before, "nothing is made");
}

/// The warnings of `check-config`, which finds no problem.
#[track_caller]
fn warned(data: &Path, variables: &[(&str, &str)], words: &str) {
    let output = run(data, &["check-config"], variables);
    let said = stdout(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(words), "{said}");
}

#[test]
fn what_backups_cannot_use_is_refused_before_anything_is_made() {
    let data = TempDir::new().unwrap();
    let name = "SECURE_MESSAGING_BACKUP_TARGET";
    for target in ["ftp://x", "file:relative", "s3://", "file:/x?y"] {
        refused(data.path(), &[(name, target)], "is no place for backups");
    }
    let elsewhere = TempDir::new().unwrap();
    let target = format!("file:{}", elsewhere.path().join("backups").display());
    let wrong = [(name, target.as_str()), ("BACKUP_KEY", "zz")];
    refused(data.path(), &wrong, "the backup key in BACKUP_KEY");
    assert!(!elsewhere.path().join("backups").exists());
    std::fs::write(data.path().join("backup.key"), "zz").unwrap();
    refused(data.path(), &wrong[..1], "backup.key cannot be used");
}

#[test]
fn settings_that_contradict_one_another_are_refused() {
    let data = TempDir::new().unwrap();
    let address = [
        ("BIND_ADDR", "127.0.0.1:47"),
        ("SECURE_MESSAGING_METRICS_ADDR", "127.0.0.1:47"),
    ];
    refused(data.path(), &address, "set another port");
    for (name, value, words) in [
        (
            "SECURE_MESSAGING_VAULT_BYTES",
            "5000",
            "max_message_bytes is more than vault_bytes",
        ),
        (
            "SECURE_MESSAGING_VAULT_ACCOUNT_BYTES",
            "5000",
            "max_message_bytes is more than vault_account_bytes",
        ),
        (
            "SECURE_MESSAGING_SESSION_IDLE_SECS",
            "50000",
            "session_idle_secs is more than session_absolute_secs",
        ),
        ("SECURE_MESSAGING_SECURITY_CONTACT", "", "mailto:"),
        (
            "SECURE_MESSAGING_SECURITY_CONTACT",
            "mailto:a@b.example\nContact: mailto:c@d.example",
            "on one line",
        ),
    ] {
        refused(data.path(), &[(name, value)], words);
    }
}

#[test]
fn a_folder_of_credentials_that_is_not_there_is_refused() {
    let data = TempDir::new().unwrap();
    let gone = data.path().join("gone");
    let value = [("CREDENTIALS_DIRECTORY", gone.to_str().unwrap())];
    for subcommand in ["check-config", "serve"] {
        let output = binary()
            .args([subcommand, "--data-dir"])
            .arg(data.path())
            .current_dir(data.path())
            .env_remove("DB_ENCRYPTION_KEY")
            .envs(value)
            .output()
            .unwrap();
        let said = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("CREDENTIALS_DIRECTORY is"), "{said}");
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn a_database_that_is_a_link_or_no_file_is_refused_by_all_that_open_it() {
    let data = TempDir::new().unwrap();
    let made = run(data.path(), &["migrate"], &[]);
    assert!(made.status.success(), "{}", stderr(&made));
    let file = data.path().join("secure_messaging.db");
    let elsewhere = TempDir::new().unwrap();
    let link = elsewhere.path().join("link.db");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let url = format!("sqlite:{}", link.display());
    let linked = [("DATABASE_URL", url.as_str())];
    let advice = format!("set DATABASE_URL to sqlite:{}", file.display());
    refused(data.path(), &linked, &advice);
    for (command, words) in [("migrate", "not a link to it"), ("stats", advice.as_str())] {
        let output = run(data.path(), &[command], &linked);
        let said = stdout(&output) + &stderr(&output);
        assert!(!output.status.success(), "{command}: {said}");
        assert!(said.contains(words), "{command}: {said}");
    }
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    let device = [("DATABASE_URL", "sqlite:/dev/null")];
    refused(data.path(), &device, "/dev/null is a device");
}

#[test]
fn a_witness_is_never_a_file_that_holds_something_else() {
    let data = TempDir::new().unwrap();
    let made = run(data.path(), &["migrate"], &[]);
    assert!(made.status.success(), "{}", stderr(&made));
    let name = "SECURE_MESSAGING_AUDIT_WITNESSES";
    for own in [
        "secure_messaging.db",
        "secure_messaging.db-wal",
        "secure_messaging.db.lock",
        "secure_messaging.key",
        "backup.key",
        "control.sock",
    ] {
        let witness = format!("file:{}", data.path().join(own).display());
        refused(data.path(), &[(name, &witness)], "name another file");
    }
    let socket = format!("syslog:{}", data.path().join("control.sock").display());
    refused(data.path(), &[(name, &socket)], "the control socket");
    let elsewhere = TempDir::new().unwrap();
    let notes = elsewhere.path().join("notes");
    for content in [
        "what somebody wrote down\n",
        "\n\nx",
        "{\"format\":\"other\"}\n",
    ] {
        std::fs::write(&notes, content).unwrap();
        let witness = format!("file:{}", notes.display());
        refused(
            data.path(),
            &[(name, &witness)],
            "nothing is appended to it",
        );
        assert_eq!(std::fs::read_to_string(&notes).unwrap(), content);
    }
    let linked = elsewhere.path().join("linked");
    std::os::unix::fs::symlink(data.path().join("secure_messaging.db"), &linked).unwrap();
    let witness = format!("file:{}", linked.display());
    refused(
        data.path(),
        &[(name, &witness)],
        "the database of this server",
    );
    let whole = "{\"format\":\"secure-messaging/1 audit head\",\"number\":1";
    for content in ["", "\n", "{\"form", whole] {
        std::fs::write(&notes, content).unwrap();
        let witness = format!("file:{}", notes.display());
        let output = run(data.path(), &["check-config"], &[(name, &witness)]);
        assert!(output.status.success(), "{content:?} {}", stdout(&output));
    }
}

#[test]
fn a_setting_never_names_what_the_server_keeps_for_something_else() {
    let data = TempDir::new().unwrap();
    let named = |file: &str| data.path().join(file).display().to_string();
    for file in ["my.key", "backup.key", "control.sock"] {
        let url = format!("sqlite:{}", named(file));
        refused(data.path(), &[("DATABASE_URL", &url)], "DATABASE_URL names");
    }
    for file in ["", "secure_messaging.key", "secure_messaging.db"] {
        let target = format!("file:{}", named(file));
        let target = ("SECURE_MESSAGING_BACKUP_TARGET", target.as_str());
        refused(data.path(), &[target], "backup_target names");
    }
    // A rotation makes this one, and nobody made it yet.
    let next = named("secure_messaging.key.next");
    let dangling = named("dangling");
    std::os::unix::fs::symlink(&next, &dangling).unwrap();
    for file in [next, dangling] {
        let witness = format!("file:{file}");
        let witness = ("SECURE_MESSAGING_AUDIT_WITNESSES", witness.as_str());
        refused(data.path(), &[witness], "audit_witnesses names");
    }
}

#[test]
fn a_database_whose_key_would_be_the_key_of_its_backups_is_refused() {
    let data = TempDir::new().unwrap();
    let url = format!("sqlite:{}", data.path().join("backup.db").display());
    refused(data.path(), &[("DATABASE_URL", &url)], "would both be");
    let elsewhere = TempDir::new().unwrap();
    let url = format!("sqlite:{}", elsewhere.path().join("backup.db").display());
    warned(
        data.path(),
        &[
            ("DATABASE_URL", &url),
            ("SECURE_MESSAGING_METRICS_ADDR", "0.0.0.0:9464"),
        ],
        "measurements",
    );
}

#[test]
fn a_place_that_is_none_for_what_goes_there_is_refused() {
    let data = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    let file = elsewhere.path().join("file");
    std::fs::write(&file, "").unwrap();
    let target = format!("file:{}", file.display());
    let target = ("SECURE_MESSAGING_BACKUP_TARGET", target.as_str());
    refused(data.path(), &[target], "backups go into a folder");
    let witness = format!("file:{}", elsewhere.path().join("missing/heads").display());
    let witness = ("SECURE_MESSAGING_AUDIT_WITNESSES", witness.as_str());
    warned(
        data.path(),
        &[witness],
        "no head is kept there until it does",
    );
}

#[test]
fn what_stands_where_the_control_socket_should_is_left_alone() {
    let data = TempDir::new().unwrap();
    let socket = data.path().join("control.sock");
    std::fs::write(&socket, "somebody's notes").unwrap();
    refused(data.path(), &[], "is no socket");
    assert_eq!(
        std::fs::read_to_string(&socket).unwrap(),
        "somebody's notes"
    );
}

#[test]
fn a_data_folder_that_is_a_file_is_named_as_one() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("file");
    std::fs::write(&file, "").unwrap();
    let value = [("SECURE_MESSAGING_DATA_DIR", file.to_str().unwrap())];
    refused(data.path(), &value, "a folder is needed there");
}

#[test]
fn what_may_be_meant_is_a_warning() {
    let data = TempDir::new().unwrap();
    let metrics = ("SECURE_MESSAGING_METRICS_ADDR", "0.0.0.0:9464");
    warned(
        data.path(),
        &[metrics],
        "measurements are served at 0.0.0.0",
    );
    let target = format!("file:{}", data.path().join("backups").display());
    let target = ("SECURE_MESSAGING_BACKUP_TARGET", target.as_str());
    warned(data.path(), &[target], "lies in the data folder");
    std::fs::set_permissions(data.path(), Permissions::from_mode(0o777)).unwrap();
    warned(data.path(), &[], "run chmod 700 on it");
    std::fs::set_permissions(data.path(), Permissions::from_mode(0o700)).unwrap();
    let key = data.path().join("secure_messaging.key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef\n").unwrap();
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    warned(data.path(), &[], "its database");
}
