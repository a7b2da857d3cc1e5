//! The example configuration, and the README's table of settings.

use std::collections::BTreeSet;

use secure_messaging::config::Config;
use tempfile::TempDir;

use super::text;
use crate::operations::{run, stdout};

#[test]
fn the_example_configuration_is_accepted_and_shows_every_default() {
    let data = TempDir::new().unwrap();
    let example = text("deployment/secure-messaging.toml");
    let here = data.path().to_str().unwrap();
    let set = example.replace("/var/lib/secure-messaging", here);
    std::fs::write(data.path().join("secure-messaging.toml"), &set).unwrap();
    let output = run(data.path(), &["check-config"], &[]);
    assert!(output.status.success(), "{}", stdout(&output));
    // What is commented out is the default, under its real name; where that is nothing, an example.
    let defaults = Config::defaults();
    for line in example.lines() {
        let Some((name, rest)) = line
            .strip_prefix("# ")
            .and_then(|line| line.split_once(" = "))
        else {
            continue;
        };
        if !Config::names().contains(name) {
            continue;
        }
        let value = rest.split("  #").next().unwrap().trim();
        let shown = match &defaults[name] {
            serde_json::Value::Null | serde_json::Value::Array(_) => continue,
            other => other.to_string(),
        };
        assert_eq!(value, shown, "{name}");
    }
}

#[test]
fn the_table_in_the_readme_holds_every_setting_and_secret_with_its_default() {
    let readme = text("README.md");
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .filter(|line| line.starts_with("| `") || line.starts_with("| – | `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let names = |cell: &str| -> Vec<String> {
        let parts = cell.split(',').map(|part| part.trim().trim_matches('`'));
        parts.map(str::to_owned).collect()
    };
    let mut shown = BTreeSet::new();
    for row in rows.iter().filter(|row| row.len() >= 4) {
        let together = names(row[0]);
        for name in together.iter().filter(|name| *name != "–") {
            let cell = row[2].trim_matches('`').replace(',', "");
            let holds = |default: &str| {
                // A row of several settings names the default of each.
                let mut words = cell.split_whitespace().map(|word| word.trim_matches('`'));
                cell == default || (together.len() > 1 && words.any(|word| word == default))
            };
            let held = match &Config::defaults()[name] {
                serde_json::Value::String(text) => holds(text),
                serde_json::Value::Number(number) => holds(&number.to_string()),
                serde_json::Value::Bool(truth) => holds(&truth.to_string()),
                _ => !cell.is_empty(),
            };
            assert!(held, "{name}: {cell}");
            shown.insert(name.clone());
        }
    }
    let known: BTreeSet<String> = Config::names().into_iter().collect();
    assert_eq!(shown, known);
    for (name, _) in secure_messaging::config::SECRETS {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}
