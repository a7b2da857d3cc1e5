//! `check-config`: every setting with its source, and every problem.

use serde_json::Value;
use tempfile::TempDir;

use super::{run, stderr, stdout};
use crate::support::binary;

fn source<'a>(report: &'a Value, name: &str) -> &'a str {
    let settings = report["settings"].as_array().unwrap().iter();
    let mut named = settings.filter(|setting| setting["name"] == name);
    named.next().unwrap()["source"].as_str().unwrap()
}

#[test]
fn every_setting_is_shown_with_the_source_that_won() {
    let data = TempDir::new().unwrap();
    std::fs::write(
        data.path().join("secure-messaging.toml"),
        "workers = 3\nlog = \"debug\"\nbind_addr = \"127.0.0.1:1\"\n",
    )
    .unwrap();
    let variables = [
        ("SECURE_MESSAGING_LOG", "warn"),
        ("BIND_ADDR", "127.0.0.1:2"),
        ("SECURE_MESSAGING_SERVICE_HOST", "10.0.0.1"),
    ];
    let arguments = ["check-config", "--json", "--bind-addr", "127.0.0.1:3"];
    let output = run(data.path(), &arguments, &variables);
    assert!(output.status.success(), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (name, expected) in [
        ("workers", "secure-messaging.toml"),
        ("log", "SECURE_MESSAGING_LOG"),
        ("bind_addr", "command line"),
        ("data_dir", "SECURE_MESSAGING_DATA_DIR"),
        ("log_format", "default"),
    ] {
        assert_eq!(source(&report, name), expected, "{name}");
    }
    let settings = report["settings"].as_array().unwrap();
    let mut shown: Vec<_> = settings.iter().map(|it| it["name"].as_str()).collect();
    let mut known: Vec<_> = secure_messaging::config::Config::names()
        .into_iter()
        .collect();
    known.sort();
    shown.sort();
    let shown: Vec<_> = shown.into_iter().flatten().collect();
    assert_eq!(shown, known);
    assert_eq!(
        report["precedence"].as_array().unwrap()[0],
        "command line",
        "{report}"
    );
    let key = &report["secrets"][0];
    assert_eq!(
        (key["name"].as_str(), key["source"].as_str()),
        (Some("DB_ENCRYPTION_KEY"), Some("environment"))
    );
    assert!(!stdout(&output).contains("a key of the tests"));
    assert_eq!(
        std::fs::read_dir(data.path()).unwrap().count(),
        1,
        "nothing is made"
    );
    let text = stdout(&run(data.path(), &["check-config"], &variables));
    assert!(text.contains("command line, environment, secure-messaging.toml, default"));
    assert!(text.contains("No problems."), "{text}");
}

#[test]
fn every_problem_is_named_at_once_and_the_status_says_so() {
    let data = TempDir::new().unwrap();
    let certificate = data.path().join("no-certificate.pem");
    let variables = [
        ("SECURE_MESSAGING_KDF_ITERATIONS", "10"),
        ("SECURE_MESSAGING_TLS_CERT", certificate.to_str().unwrap()),
        ("PUBLIC_URL", "http://chat.example.org"),
        ("SECURE_MESSAGING_LOG", "=nonsense=="),
        ("PKCS11_PIN", "1234"),
        ("PKCS11_PIN_FILE", "/nowhere"),
        ("DATABASE_URL", "mysql://somebody:secret@host/db"),
    ];
    let output = run(data.path(), &["check-config"], &variables);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1));
    for expected in [
        "at least 100000",
        "TLS needs both",
        "plain HTTP",
        "neither a level",
        "PKCS11_PIN and PKCS11_PIN_FILE are both set",
        "must begin with sqlite:",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(text.contains("mysql://somebody:[redacted]@host/db"));
    assert!(stderr(&output).contains("6 problems; correct them"));
    std::fs::write(data.path().join("secure-messaging.toml"), "wokers = 3\n").unwrap();
    let output = run(data.path(), &["check-config"], &[]);
    assert!(stdout(&output).contains("wokers"));
    assert!(stderr(&output).contains("1 problem; correct it"));
}

#[test]
fn keys_in_a_token_need_its_driver_and_its_pin() {
    let data = TempDir::new().unwrap();
    let variables = [
        ("SECURE_MESSAGING_KEK_PROVIDER", "pkcs11"),
        ("SECURE_MESSAGING_PKCS11_MODULE", "/nowhere/driver.so"),
        ("SECURE_MESSAGING_PKCS11_TOKEN", "a token"),
    ];
    let output = run(data.path(), &["check-config"], &variables);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("/nowhere/driver.so does not exist"), "{text}");
    assert!(text.contains("set PKCS11_PIN or"), "{text}");
    let module = ("SECURE_MESSAGING_PKCS11_MODULE", "/bin/true");
    let variables = [variables[0], module, variables[2], ("PKCS11_PIN", "1234")];
    let output = run(data.path(), &["check-config"], &variables);
    assert!(output.status.success(), "{}", stdout(&output));
}

#[test]
fn a_database_without_its_key_is_a_problem_before_the_start() {
    let data = TempDir::new().unwrap();
    let made = run(data.path(), &["migrate"], &[]);
    assert!(made.status.success(), "{}", stderr(&made));
    let with_key = run(data.path(), &["check-config"], &[]);
    assert!(with_key.status.success());
    let without = binary()
        .args(["check-config", "--data-dir"])
        .arg(data.path())
        .current_dir(data.path())
        .env_remove("DB_ENCRYPTION_KEY")
        .output()
        .unwrap();
    assert_eq!(without.status.code(), Some(1));
    assert!(stdout(&without).contains("there is no key"));
    let wrong = [("DB_ENCRYPTION_KEY", "another key of the tests")];
    let wrong = run(data.path(), &["check-config"], &wrong);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stdout(&wrong).contains("does not open the database"));
}

#[test]
fn a_database_that_was_emptied_is_a_problem_and_no_first_start() {
    let data = TempDir::new().unwrap();
    assert!(run(data.path(), &["migrate"], &[]).status.success());
    let database = data.path().join("secure_messaging.db");
    std::fs::write(&database, b"").unwrap();
    let checked = run(data.path(), &["check-config"], &[]);
    assert!(
        stdout(&checked).contains("is empty"),
        "{}",
        stdout(&checked)
    );
    for arguments in [
        &["stats"][..],
        &["migrate"],
        &["audit", "verify"],
        &["service-keys", "list"],
        &["serve"],
    ] {
        let refused = run(data.path(), arguments, &[("BIND_ADDR", "127.0.0.1:0")]);
        assert!(!refused.status.success());
        let said = stderr(&refused);
        assert!(said.contains("put it back from a backup"), "{said}");
    }
    assert_eq!(std::fs::metadata(&database).unwrap().len(), 0);
    std::fs::remove_file(&database).unwrap();
    assert!(run(data.path(), &["migrate"], &[]).status.success());
}

#[test]
fn a_bucket_without_an_access_key_is_a_problem() {
    let data = TempDir::new().unwrap();
    let target = ("SECURE_MESSAGING_BACKUP_TARGET", "s3://bucket/prefix");
    let output = run(data.path(), &["check-config"], &[target]);
    assert!(stdout(&output).contains("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
    let role = ("SECURE_MESSAGING_BACKUP_S3_INSTANCE_ROLE", "true");
    let output = run(data.path(), &["check-config"], &[target, role]);
    assert!(output.status.success(), "{}", stdout(&output));
}

#[test]
fn a_misspelt_variable_is_a_problem() {
    let data = TempDir::new().unwrap();
    let misspelt = [("SECURE_MESSAGING_WOKERS", "2")];
    for command in ["check-config", "migrate"] {
        let output = run(data.path(), &[command], &misspelt);
        let said = stdout(&output) + &stderr(&output);
        assert!(!output.status.success());
        assert!(said.contains("SECURE_MESSAGING_WOKERS"), "{said}");
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn each_number_that_is_out_of_its_range_is_refused_with_its_bounds() {
    let data = TempDir::new().unwrap();
    let defaults = secure_messaging::config::Config::defaults();
    let numbers: Vec<_> = defaults.iter().filter(|(_, it)| it.is_number()).collect();
    assert!(numbers.len() > 20);
    for (name, _) in numbers {
        let variable = format!("SECURE_MESSAGING_{}", name.to_ascii_uppercase());
        let value = (variable.as_str(), "18446744073709551615");
        let output = run(data.path(), &["check-config"], &[value]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let expected = format!("{name} is 18446744073709551615; set it to at least");
        assert!(stdout(&output).contains(&expected), "{}", stdout(&output));
    }
    for (name, value) in [
        ("SECURE_MESSAGING_SESSION_IDLE_SECS", "0"),
        ("SECURE_MESSAGING_VAULT_BYTES", "0"),
        ("SECURE_MESSAGING_WORKERS", "100000"),
    ] {
        for command in ["check-config", "serve"] {
            let values = [(name, value), ("BIND_ADDR", "127.0.0.1:0")];
            let output = run(data.path(), &[command], &values);
            let said = stdout(&output) + &stderr(&output);
            assert!(
                !output.status.success() && said.contains("at most"),
                "{said}"
            );
        }
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn a_number_with_a_unit_is_refused_by_the_name_of_its_setting() {
    let data = TempDir::new().unwrap();
    let value = [("SECURE_MESSAGING_DRAIN_SECS", "10s")];
    let said = stdout(&run(data.path(), &["check-config"], &value));
    for word in ["SECURE_MESSAGING_DRAIN_SECS", "10s", "a whole number"] {
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn instances_on_postgresql_are_warned_of_keys_of_their_own_and_of_no_missing_file() {
    let data = TempDir::new().unwrap();
    std::fs::create_dir(data.path().join("data")).unwrap();
    std::fs::write(data.path().join("data/secure_messaging.key"), "left over").unwrap();
    let target = format!("file:{}", data.path().join("backups").display());
    let settings = [
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing"),
        ("SECURE_MESSAGING_BACKUP_TARGET", target.as_str()),
    ];
    let said = stdout(&run(data.path(), &["check-config"], &settings));
    assert!(said.contains("BACKUP_KEY, the same for every"), "{said}");
    assert!(!said.contains("without any account"), "{said}");
}

#[test]
fn a_variable_that_resembles_one_is_told_of_and_refused_where_a_key_is_meant() {
    let data = TempDir::new().unwrap();
    let address = [("BIND_ADRR", "127.0.0.1:1")];
    let output = run(data.path(), &["check-config"], &address);
    let said = stdout(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("sets BIND_ADRR") && said.contains("BIND_ADDR is"),
        "{said}"
    );
    for name in ["DB_ENCRYPTION_KEYS", "DB_ENCRYPTION_KEY_FLIE", "BACKUP_KEX"] {
        for command in ["check-config", "migrate"] {
            let output = run(data.path(), &[command], &[(name, "a value")]);
            let said = stdout(&output) + &stderr(&output);
            assert!(!output.status.success(), "{name} {said}");
            assert!(said.contains(&format!("sets {name}")), "{said}");
            assert!(!said.contains("a value"), "{said}");
        }
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn a_list_may_be_written_as_a_single_value() {
    let data = TempDir::new().unwrap();
    for proxies in ["127.0.0.1", "[\"127.0.0.1\", \"::1\"]", "::1"] {
        let value = [("SECURE_MESSAGING_TRUSTED_PROXIES", proxies)];
        let output = run(data.path(), &["check-config"], &value);
        assert!(output.status.success(), "{proxies}: {}", stdout(&output));
    }
    let value = [("SECURE_MESSAGING_TRUSTED_PROXIES", "127.0.0.1, ::1")];
    let output = run(data.path(), &["check-config"], &value);
    assert!(
        stdout(&output).contains("[\"one\", \"another\"]"),
        "{}",
        stdout(&output)
    );
}
