//! What watches the server: the alerts, what Prometheus reads, and the dashboard.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{program, text};
use crate::operations::{stderr, stdout};
use crate::support::Spawned;

const ALERTS: &str = "deployment/prometheus/alerts.yml";
const DASHBOARD: &str = "deployment/grafana/secure-messaging.json";
const PREFIX: &str = "secure_messaging_";

/// Every measurement that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.match_indices(PREFIX)
        .map(|(at, _)| text[at..].chars().take_while(|c| of_name(*c)).collect())
        .collect()
}

/// The measurements of a server, with the labels that each has.
fn shown(metrics: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in metrics.lines().filter(|line| line.starts_with(PREFIX)) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
        let labels = rest.split_once('}').map_or("", |(labels, _)| labels);
        let labels = labels.trim_start_matches('{').split("\",");
        let labels = labels.filter_map(|label| label.split_once("=\""));
        let known = shown.entry(name.to_owned()).or_default();
        known.extend(labels.map(|(name, _)| name.to_owned()));
    }
    shown
}

/// Every expression of the dashboard, as Prometheus is asked it.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&text(DASHBOARD)).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .map(|expression| expression.replace("$__rate_interval", "5m"))
        .collect()
}

/// Runs promtool in a folder.
fn promtool(program: &Path, folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    (output.status.success(), stdout(&output) + &stderr(&output))
}

#[actix_web::test]
async fn alerts_and_dashboard_name_only_what_a_server_shows() {
    let data = TempDir::new().unwrap();
    let target = data.path().join("backups");
    let target = format!("file:{}", target.display());
    let variables = [
        ("SECURE_MESSAGING_BACKUP_TARGET", &*target),
        ("BACKUP_KEY", &*"0123456789abcdef".repeat(4)),
    ];
    let server = Spawned::start_with(data.path(), &variables);
    let admin = server.administrator().await;
    let address = "/api/v1/admin/backups";
    let begun = admin.client.post(address, &json!({"full": true})).await;
    begun.expect(202);
    let end = Instant::now() + Duration::from_secs(60);
    while admin.client.get(address).await.json()["count"] != 1 {
        assert!(Instant::now() < end, "{}", server.log());
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    let metrics = server.metrics().await;
    let shown = shown(&metrics);
    assert!(shown.len() > 20, "the control: {shown:?}");
    for file in [ALERTS, DASHBOARD, "deployment/prometheus/alerts.test.yml"] {
        let names = named(&text(file));
        assert!(names.len() > 15, "the control: {file}");
        for name in names {
            assert!(shown.contains_key(&name), "{file}: {name}");
        }
    }
    let labels = &shown["secure_messaging_request_duration_seconds_bucket"];
    assert!(
        ["method", "route", "status", "le"]
            .iter()
            .all(|label| labels.contains(*label))
    );
    // What a gauge of the server is for, an alert or the dashboard shows.
    let used: BTreeSet<String> = [ALERTS, DASHBOARD]
        .iter()
        .flat_map(|file| named(&text(file)))
        .collect();
    let sum = "secure_messaging_request_duration_seconds_sum".to_owned();
    let unused: Vec<_> = shown.keys().filter(|name| !used.contains(*name)).collect();
    assert_eq!(unused, [&sum]);
}

#[test]
fn every_alert_says_how_bad_it_is_what_happened_and_what_to_do() {
    let alerts = text(ALERTS);
    let rules: Vec<&str> = alerts.split("- alert: ").skip(1).collect();
    assert!(rules.len() > 15, "the control");
    let tested = text("deployment/prometheus/alerts.test.yml");
    for rule in rules {
        let name = rule.lines().next().unwrap();
        assert!(name.starts_with("SecureMessaging"), "{name}");
        for part in ["expr: ", "severity: ", "summary: ", "action: "] {
            assert_eq!(rule.matches(part).count(), 1, "{name}: {part}");
        }
        let severity = rule.split_once("severity: ").unwrap().1.lines().next();
        assert!(matches!(severity, Some("warning" | "critical")), "{name}");
        assert!(tested.contains(name), "{name} has no test");
    }
}

#[test]
fn prometheus_takes_its_files_and_the_alerts_do_what_their_tests_say() {
    let Some(program) = program("promtool") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    for name in ["alerts.yml", "alerts.test.yml", "prometheus.yml"] {
        let file = text(&format!("deployment/prometheus/{name}"));
        std::fs::write(folder.path().join(name), file).unwrap();
    }
    let run = |arguments: &[&str]| promtool(&program, folder.path(), arguments);
    let (taken, said) = run(&["check", "config", "prometheus.yml"]);
    assert!(taken && said.contains("1 rule files found"), "{said}");
    let (taken, said) = run(&["check", "rules", "alerts.yml"]);
    assert!(taken, "{said}");
    let (passed, said) = run(&["test", "rules", "alerts.test.yml"]);
    assert!(passed, "{said}");

    // The controls: an expression that cannot be read, and one that says something else.
    let alerts = text(ALERTS);
    let altered = |from: &str, to: &str| {
        assert!(alerts.contains(from), "{from}");
        std::fs::write(folder.path().join("alerts.yml"), alerts.replace(from, to)).unwrap();
    };
    altered("> 3 * 3600", "> 3 ** 3600");
    assert!(!run(&["check", "rules", "alerts.yml"]).0);
    for (from, to) in [
        ("> 3 * 3600", "> 300 * 3600"),
        (
            "min by (job) (secure_messaging_backup_age",
            "max by (job) (secure_messaging_backup_age",
        ),
        (
            "secure_messaging_ready_keys == 0",
            "secure_messaging_ready_keys == 1",
        ),
        ("{status=\"429\"}", "{status=\"428\"}"),
        ("or vector(0)) == 0", "or vector(1)) == 0"),
    ] {
        altered(from, to);
        assert!(!run(&["test", "rules", "alerts.test.yml"]).0, "{to}");
    }
}

#[test]
fn prometheus_understands_every_question_of_the_dashboard() {
    let expressions = expressions();
    assert!(expressions.len() > 15, "the control");
    let Some(program) = program("promtool") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let check = |expressions: &[String]| {
        let rules: Vec<Value> = expressions
            .iter()
            .enumerate()
            .map(|(number, expr)| json!({"record": format!("panel:{number}"), "expr": expr}))
            .collect();
        // JSON is YAML as well.
        let file = json!({"groups": [{"name": "dashboard", "rules": rules}]});
        std::fs::write(folder.path().join("rules.yml"), file.to_string()).unwrap();
        promtool(&program, folder.path(), &["check", "rules", "rules.yml"])
    };
    let (taken, said) = check(&expressions);
    assert!(taken, "{said}");
    assert!(!check(&["sum(rate(up)".to_owned()]).0, "the control");
}

#[test]
fn the_dashboard_is_one_that_grafana_places_and_asks_one_source() {
    let dashboard: Value = serde_json::from_str(&text(DASHBOARD)).unwrap();
    assert_eq!(dashboard["uid"], "secure-messaging");
    assert_eq!(dashboard["id"], Value::Null, "Grafana gives one");
    let panels = dashboard["panels"].as_array().unwrap();
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{title}");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(places.insert((x, y)), "{title} lies on another");
            }
        }
        if panel["type"] != "row" {
            assert_eq!(panel["datasource"]["uid"], "${source}", "{title}");
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{title}");
        }
    }
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!(variables[0]["name"], "source");
    assert_eq!(variables[0]["type"], "datasource");
    // What provides it looks where Compose mounts it, and asks the Prometheus that Compose starts.
    let compose = text("deployment/scale-out/compose.yaml");
    let provider = text("deployment/grafana/dashboards.yaml");
    let (_, folder) = provider.split_once("path: ").unwrap();
    assert!(compose.contains(&format!(":{}/secure-messaging.json:ro", folder.trim())));
    assert!(text("deployment/grafana/datasources.yaml").contains("url: http://prometheus:9090\n"));
    assert!(compose.contains("  prometheus:\n"));
    let targets = text("deployment/prometheus/prometheus.yml");
    for name in ["one", "two"] {
        assert!(targets.contains(&format!("- {name}:9464\n")));
        assert!(compose.contains(&format!("\n  {name}:\n")));
    }
}
