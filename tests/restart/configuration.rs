//! What the binary refuses at the start, with the reason, and what it accepts.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use clap::CommandFactory as _;
use secure_messaging::faces::commands::Cli;
use tempfile::TempDir;

use crate::support::{Spawned, binary};

fn run(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    binary()
        .args(arguments)
        .current_dir(data)
        .env_remove("DB_ENCRYPTION_KEY")
        .env_remove("PUBLIC_URL")
        .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[track_caller]
fn refused(data: &Path, variables: &[(&str, &str)], reason: &str) {
    let output = run(data, &["serve"], variables);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(text.contains(reason), "{text}");
}

#[test]
fn plain_http_that_is_not_on_this_machine_is_refused_with_the_reason() {
    let data = TempDir::new().unwrap();
    refused(
        data.path(),
        &[("PUBLIC_URL", "http://chat.example.org")],
        "plain HTTP",
    );
    refused(data.path(), &[("PUBLIC_URL", "chat")], "https://host");
    refused(
        data.path(),
        &[("SECURE_MESSAGING_KDF_ITERATIONS", "10")],
        "at least 100000",
    );
    refused(
        data.path(),
        &[("SECURE_MESSAGING_TLS_CERT", "cert.pem")],
        "tls_key",
    );
    refused(data.path(), &[("DATABASE_URL", "mysql://x")], "sqlite:");
    refused(
        data.path(),
        &[("DATABASE_URL", "sqlite:///srv/q.db?mode=rwc")],
        "without parameters",
    );
    refused(
        data.path(),
        &[("SECURE_MESSAGING_LOG", "verbose")],
        "warn, info, debug or trace",
    );
    assert!(!data.path().join("data").exists(), "nothing was created");
}

#[test]
fn a_wrong_or_missing_key_is_refused_and_nothing_is_created() {
    let data = TempDir::new().unwrap();
    drop(Spawned::start(data.path()));
    let files = || {
        let mut names: Vec<_> = std::fs::read_dir(data.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| !name.to_string_lossy().contains("-wal"))
            .filter(|name| !name.to_string_lossy().contains("-shm"))
            .collect();
        names.sort();
        names
    };
    let before = files();
    let here = ("SECURE_MESSAGING_DATA_DIR", data.path().to_str().unwrap());
    refused(
        data.path(),
        &[here, ("DB_ENCRYPTION_KEY", "another key")],
        "does not open",
    );
    refused(data.path(), &[here], "there is no key");
    assert_eq!(files(), before);
}

#[test]
fn the_command_line_goes_over_the_environment_and_that_over_the_file() {
    let data = TempDir::new().unwrap();
    std::fs::write(
        data.path().join("secure-messaging.toml"),
        "data_dir = \"from-file\"\n",
    )
    .unwrap();
    let made = |folder: &str| {
        data.path()
            .join(folder)
            .join("secure_messaging.db")
            .exists()
    };
    assert!(run(data.path(), &["migrate"], &[]).status.success());
    assert!(made("from-file"));
    let variable = [("SECURE_MESSAGING_DATA_DIR", "from-environment")];
    assert!(run(data.path(), &["migrate"], &variable).status.success());
    assert!(made("from-environment"));
    let arguments = ["migrate", "--data-dir", "from-command-line"];
    assert!(run(data.path(), &arguments, &variable).status.success());
    assert!(made("from-command-line"));
    let stats = run(data.path(), &["stats", "--data-dir", "from-file"], &[]);
    let figures: serde_json::Value = serde_json::from_slice(&stats.stdout).unwrap();
    assert_eq!(figures["users"], 0);
    let none = run(data.path(), &["stats", "--data-dir", "nowhere"], &[]);
    assert!(!none.status.success() && !data.path().join("nowhere").exists());
    std::fs::write(
        data.path().join("secure-messaging.toml"),
        "data_dri = \"typo\"\n",
    )
    .unwrap();
    refused(data.path(), &[], "data_dri");
}

#[test]
fn an_example_database_is_made_by_a_command_and_opens_with_the_key_that_it_prints() {
    let data = TempDir::new().unwrap();
    let arguments = ["migrate", "--example", "made.db.example"];
    let output = run(data.path(), &arguments, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(store::example::KEY), "{text}");
    let made = data.path().join("made.db.example");
    let store = store::Store::open(&store::example::config(&made)).unwrap();
    store.close().unwrap();
    assert!(
        !run(data.path(), &arguments, &[]).status.success(),
        "it replaces nothing"
    );
}

#[test]
fn migrate_says_that_it_made_a_key_file_and_what_that_is_worth() {
    let data = TempDir::new().unwrap();
    let migrate = |folder: &str, variables: &[(&str, &str)]| {
        let output = run(data.path(), &["migrate", "--data-dir", folder], variables);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        assert!(said.contains("secure_messaging.db is up to date"), "{said}");
        said
    };
    let first = migrate("new", &[]);
    let key = data.path().join("new/secure_messaging.key");
    assert!(key.exists());
    for part in ["new/secure_messaging.key was made", "back it up apart"] {
        assert!(first.contains(part), "{first}");
    }
    let second = migrate("new", &[]);
    assert!(!second.contains("was made"), "{second}");
    let given = migrate("given", &[("DB_ENCRYPTION_KEY", "a key of the tests")]);
    assert!(!given.contains("was made"), "{given}");
    assert!(!data.path().join("given/secure_messaging.key").exists());
}

/// The subcommands of a command, by the words that lead to them, and of theirs.
fn all_of(command: &clap::Command, path: &[String], found: &mut BTreeSet<String>) {
    found.insert(path.join(" "));
    for below in command.get_subcommands() {
        let longer = [path, &[below.get_name().to_owned()]].concat();
        let about = below.get_about().map(ToString::to_string);
        assert!(about.is_some_and(|it| it.len() > 5), "{longer:?}");
        all_of(below, &longer, found);
    }
}

/// The subcommands that a help text names.
fn named(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    list.lines()
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_subcommand_has_help() {
    let data = TempDir::new().unwrap();
    let mut waiting = vec![Vec::new()];
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let output = run(data.path(), &arguments, &[]);
        assert!(output.status.success(), "{path:?}");
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("Usage"), "{path:?}: {help}");
        for name in named(&help) {
            let mut longer = path.clone();
            longer.push(name);
            waiting.push(longer);
        }
        seen.insert(path.join(" "));
    }
    let cli = Cli::command();
    let mut all = BTreeSet::new();
    all_of(&cli, &[], &mut all);
    assert_eq!(seen, all);
    assert!(all.contains("admin erase") && all.contains("backup drill"));
    // In one line, what can be done to accounts.
    let admin = cli.find_subcommand("admin").unwrap();
    let line = admin.get_about().unwrap().to_string().to_lowercase();
    for below in admin.get_subcommands() {
        assert!(line.contains(below.get_name()), "{line}");
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
    let unknown = run(data.path(), &["bakcup"], &[]);
    assert!(!unknown.status.success() && unknown.stdout.is_empty());
    assert!(
        String::from_utf8(unknown.stderr)
            .unwrap()
            .contains("bakcup")
    );
}

#[test]
fn a_database_outside_an_absent_data_folder_leaves_the_server_within_reach() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let database = format!("sqlite:{}", folder.path().join("elsewhere.db").display());
    let variables = [
        ("DATABASE_URL", database.as_str()),
        ("DB_ENCRYPTION_KEY", "a key of the tests"),
        ("SECURE_MESSAGING_DATA_DIR", data.to_str().unwrap()),
    ];
    let first = format!("cd / && rmdir {}", data.display());
    let server = Spawned::start_after(&first, &data, &variables);
    let renewed = run(folder.path(), &["rotate-keys", "--data-keys"], &variables);
    let said = String::from_utf8_lossy(&renewed.stderr).into_owned();
    assert!(renewed.status.success(), "{said}");
    assert!(data.join("control.sock").exists());
    drop(server);
}
