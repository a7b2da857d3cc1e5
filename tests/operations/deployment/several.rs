//! The files for several instances: Compose, HAProxy, and what the engines and the database are made of.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::image::variables_of_image;
use super::proxies::haproxy_takes;
use super::{program, setting, text, top};
use crate::operations::{stderr, stdout};
use crate::support::binary;

const COMPOSE: &str = "deployment/scale-out/compose.yaml";

/// The lines below a name, which is given with the spaces before it.
fn block<'a>(file: &'a str, name: &str) -> Vec<&'a str> {
    let is_it = |line: &&str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(':'))
    };
    let mut lines = file.lines().skip_while(|line| !is_it(line));
    lines.next().unwrap_or_else(|| panic!("no {name}"));
    let depth = |line: &str| line.len() - line.trim_start().len();
    let inside = |line: &&str| line.trim().is_empty() || depth(line) > depth(name);
    let inside = lines.take_while(inside).map(str::trim);
    inside.filter(|line| !line.is_empty()).collect()
}

/// The lines of a service.
fn service<'a>(file: &'a str, name: &str) -> Vec<&'a str> {
    block(file, &format!("  {name}"))
}

/// What `check-config` says of settings beside those of a database that it cannot reach.
pub(super) fn problems(said: &str) -> Vec<&str> {
    let (_, problems) = said.split_once("Problems\n").unwrap_or_default();
    let lines = problems.lines().filter(|line| line.starts_with("- "));
    lines
        .filter(|line| {
            !line.starts_with("- the database postgres://127.0.0.1:1/messaging cannot be opened")
        })
        .collect()
}

#[test]
fn compose_takes_the_file_of_several_instances() {
    let Some(compose) = program("docker-compose") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("compose.yaml");
    let file = text(COMPOSE);
    let show = |file: &str| {
        std::fs::write(&path, file).unwrap();
        let mut command = Command::new(&compose);
        command.arg("--file").arg(&path).arg("config");
        let output = command.output().unwrap();
        (output.status.success(), stdout(&output) + &stderr(&output))
    };
    let (taken, said) = show(&file);
    assert!(taken, "{said}");
    // What several have in common reached each of them.
    assert_eq!(said.matches("read_only: true").count(), 10, "{said}");
    assert_eq!(said.matches("MALLOC_CONF: junk:free").count(), 3, "{said}");
    assert_eq!(said.matches("stop_grace_period: 45s").count(), 2, "{said}");
    assert_eq!(said.matches("VALKEY_URL_FILE: ").count(), 2, "{said}");
    let waits = "condition: service_completed_successfully";
    assert_eq!(said.matches(waits).count(), 2, "{said}");
    for (good, bad) in [
        ("mem_limit", "memory_limit"),
        ("*valkey\n", "*engine\n"),
        ("service_completed_successfully", "service_completed"),
        ("group_add:", "groups_add:"),
    ] {
        let altered = file.replace(good, bad);
        assert_ne!(altered, file, "{good}");
        assert!(!show(&altered).0, "the control: {bad}");
    }
}

#[test]
fn every_service_is_hardened_and_none_has_a_secret_in_the_clear() {
    let file = text(COMPOSE);
    let hardened = block(&file, "x-hardened");
    for line in ["read_only: true", "- ALL", "- no-new-privileges:true"] {
        assert!(hardened.contains(&line), "{line}");
    }
    for name in ["x-instance", "x-valkey"] {
        assert_eq!(block(&file, name)[0], "<<: *hardened", "{name}");
        assert!(block(&file, name).contains(&"core: 0"), "{name}");
    }
    // As much memory with swap space as without.
    for name in ["x-instance", "x-valkey", "  haproxy"] {
        let lines = block(&file, name);
        let of = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name));
        let least = of("mem_limit: ");
        assert!(least.is_some(), "{name}");
        assert_eq!(least, of("memswap_limit: "), "{name}");
    }
    for name in ["haproxy", "migrate", "postgres", "prometheus", "grafana"] {
        assert_eq!(service(&file, name)[0], "<<: *hardened", "{name}");
    }
    for name in ["one", "two"] {
        assert_eq!(service(&file, name)[0], "<<: *instance", "{name}");
        let own = format!("- data-{name}:/data");
        assert!(service(&file, name).contains(&&*own), "{name}");
    }
    for number in 1..=3 {
        assert_eq!(service(&file, &format!("valkey-{number}")), ["<<: *valkey"]);
    }
    // Whatever is secret is a file; a published port that is not the proxy's is on the loopback.
    for line in file.lines().map(str::trim) {
        let name = line.split(':').next().unwrap_or_default();
        let secret = ["PASSWORD", "KEY", "VALKEY_URL", "TOKEN"];
        if secret.iter().any(|word| name.contains(word)) && !name.starts_with('#') {
            assert!(line.ends_with(&format!(
                "/run/secrets/{}",
                line.rsplit('/').next().unwrap()
            )));
            assert!(name.ends_with("_FILE"), "{line}");
        }
    }
    assert!(!file.contains("privileged"));
    for name in ["prometheus", "grafana"] {
        let ports = service(&file, name);
        let ports: Vec<_> = ports
            .iter()
            .filter(|line| line.starts_with("- \""))
            .collect();
        assert!(ports.iter().all(|port| port.starts_with("- \"127.0.0.1:")));
        assert_eq!(ports.len(), 1);
    }
    for name in ["  postgres", "x-valkey", "x-instance", "  one", "  two"] {
        assert!(!block(&file, name).contains(&"ports:"), "{name}");
    }
    let networks = file.rsplit_once("\nnetworks:\n").unwrap().1;
    assert!(service(networks, "back").contains(&"internal: true"));
}

#[test]
fn every_file_and_secret_that_compose_mounts_is_there() {
    let file = text(COMPOSE);
    let here = top().join("deployment/scale-out");
    let mounted: Vec<&str> = file
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- ")?.strip_suffix(":ro"))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(mounted.len(), 8);
    for path in mounted {
        assert!(here.join(path).is_file(), "{path}");
    }
    let used: BTreeSet<String> = file
        .lines()
        .filter_map(|line| line.split_once("/run/secrets/"))
        .map(|(_, name)| name.to_owned())
        .collect();
    let top_level = file.rsplit_once("\nsecrets:\n").unwrap().1;
    let made: BTreeSet<&str> = top_level
        .lines()
        .take_while(|line| line.starts_with(' '))
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .collect();
    for name in &used {
        assert!(made.contains(&**name), "{name}");
    }
    // HAProxy's file and the engines' name the others.
    let others = ["tls_pem", "valkey_users"];
    assert_eq!(made.len(), used.len() + others.len());
    let [proxy, engine] = ["haproxy.cfg", "valkey.conf"].map(|name| {
        let file = text(&format!("deployment/scale-out/{name}"));
        file.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    assert!(proxy.contains(&"/run/secrets/tls_pem".to_owned()));
    assert!(engine.contains(&"/run/secrets/valkey_users".to_owned()));
    // The page says how each is made.
    let page = text("docs/several-instances.md");
    for name in made {
        assert!(page.contains(name), "{name}");
    }
}

#[test]
fn the_settings_of_the_instances_are_what_the_configuration_takes() {
    let data = TempDir::new().unwrap();
    let file = text(COMPOSE);
    let instance = block(&file, "x-instance").join("\n");
    let (_, environment) = instance.split_once("environment:\n").unwrap();
    let (environment, _) = environment.split_once("secrets:").unwrap();
    let secrets = [
        (
            "DB_ENCRYPTION_KEY_FILE",
            "a key of the tests, long enough for it",
        ),
        ("DATABASE_PASSWORD_FILE", "a password"),
        ("BACKUP_KEY_FILE", &*"0123456789abcdef".repeat(4)),
        ("VALKEY_URL_FILE", "valkey://server:secret@valkey-1:6379"),
    ];
    let mut variables = Vec::new();
    for line in environment.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        let secret = secrets.iter().find(|(known, _)| *known == name);
        let value = match secret {
            Some((_, secret)) => {
                let path = data.path().join(name);
                std::fs::write(&path, secret).unwrap();
                path.to_str().unwrap().to_owned()
            }
            None => value
                .trim_matches('"')
                .replace("@postgres/", "@127.0.0.1:1/"),
        };
        variables.push((name.to_owned(), value));
    }
    assert_eq!(variables.len(), 11, "the control: {variables:?}");
    let output = binary()
        .arg("check-config")
        .current_dir(data.path())
        .env_remove("DB_ENCRYPTION_KEY")
        .env("SECURE_MESSAGING_DATA_DIR", data.path())
        .envs(variables)
        .output()
        .unwrap();
    let said = stdout(&output);
    assert!(said.contains("Problems\n"), "the control: {said}");
    assert_eq!(problems(&said), Vec::<&str>::new());
    for shown in ["172.31.252.2", "VALKEY_URL", "drain_secs", "file:/backups"] {
        assert!(said.contains(shown), "{shown}: {said}");
    }
}

/// The variables of one container, each with what stands for a secret or a place of the tests.
pub(super) fn stand_ins(
    variables: impl IntoIterator<Item = (String, String)>,
    folder: &Path,
) -> Vec<(String, String)> {
    let stand_in = |(name, value): (String, String)| {
        let secret = match &*name {
            "DB_ENCRYPTION_KEY_FILE" => "a key of the tests, long enough for it",
            "BACKUP_KEY_FILE" => "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "VALKEY_URL_FILE" => "valkey://server:secret@valkey-1:6379",
            _ => "a secret of the tests",
        };
        let value = match &*name {
            "SECURE_MESSAGING_DATA_DIR" => folder.join("data").display().to_string(),
            "DATABASE_URL" => {
                let (role, _) = value.split_once('@').unwrap();
                format!("{role}@127.0.0.1:1/messaging?sslmode=disable")
            }
            file if file.ends_with("_FILE") => {
                let path = folder.join(file);
                std::fs::write(&path, secret).unwrap();
                path.display().to_string()
            }
            _ => value,
        };
        (name, value)
    };
    variables.into_iter().map(stand_in).collect()
}

/// What `migrate` says by the image's variables and these: the database is not there, and nothing else is wrong.
pub(super) fn migrate_says(variables: Vec<(String, String)>) -> String {
    let folder = TempDir::new().unwrap();
    let image = variables_of_image(&text("deployment/Dockerfile"));
    let variables = stand_ins(image.into_iter().chain(variables), folder.path());
    let output = binary()
        .args(["migrate", "--grant", "messaging"])
        .current_dir(folder.path())
        .env_remove("DB_ENCRYPTION_KEY")
        .env_remove("PUBLIC_URL")
        .envs(variables)
        .output()
        .unwrap();
    assert!(!output.status.success(), "there is no database");
    stderr(&output)
}

/// What `migrate` says where only the database is missing.
pub(super) const NO_DATABASE: &str =
    "the database postgres://127.0.0.1:1/messaging cannot be opened";

#[test]
fn composes_migrate_is_told_all_that_it_needs() {
    let file = text(COMPOSE);
    let migrate = service(&file, "migrate").join("\n");
    let (_, environment) = migrate.split_once("environment:\n").unwrap();
    let (environment, _) = environment.split_once("secrets:").unwrap();
    let variables: Vec<(String, String)> = environment
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(variables.len(), 4, "the control: {variables:?}");
    let said = migrate_says(variables.clone());
    assert!(said.contains(NO_DATABASE), "{said}");
    let without = variables
        .into_iter()
        .filter(|(name, _)| name != "PUBLIC_URL");
    let said = migrate_says(without.collect());
    assert!(said.contains("PUBLIC_URL"), "the control: {said}");
}

#[test]
fn haproxy_takes_its_file_of_several_instances() {
    haproxy_takes(
        &text("deployment/scale-out/haproxy.cfg"),
        "/run/secrets/tls_pem",
    );
}

#[test]
fn the_proxy_asks_the_instances_that_compose_starts_and_hears_in_time_that_one_stops() {
    let proxy = text("deployment/scale-out/haproxy.cfg");
    let compose = text(COMPOSE);
    for name in ["one", "two"] {
        let service = service(&compose, name);
        let address = service
            .iter()
            .find_map(|line| line.strip_prefix("ipv4_address: "))
            .unwrap();
        let server = format!("server {name} {address}:8080\n");
        assert_eq!(proxy.matches(&server).count(), 2, "in both backends");
    }
    let own = setting(COMPOSE, "SECURE_MESSAGING_TRUSTED_PROXIES");
    let address = own.trim_matches(['[', ']']);
    assert!(service(&compose, "haproxy").contains(&&*format!("ipv4_address: {address}")));
    for part in [
        "http-request set-header X-Forwarded-For %[src]",
        "http-request return status 404 if { path /metrics }",
        "timeout tunnel  1h",
        "http-check send meth GET uri /health/ready ",
        "http-check send meth GET uri /health/live ",
        "default-server check inter 1s fall 2 rise 2",
        "retry-on conn-failure\n",
        "option redispatch 1\n",
        "use_backend ready if { nbsrv(ready) gt 0 }",
        "ssl-default-bind-curves X25519MLKEM768:",
    ] {
        assert!(proxy.contains(part), "{part}");
    }
    // What an instance has begun is asked for again only for files; and nobody writes down who asked.
    let (_, files) = proxy.split_once("\nbackend files\n").unwrap();
    assert!(files.starts_with("    http-request disable-l7-retry unless METH_GET\n"));
    assert_eq!(proxy.matches("empty-response").count(), 1);
    for part in ["all-retryable", "\n    log ", "compression "] {
        assert!(!proxy.contains(part), "{part}");
    }
    let drain: u64 = setting(COMPOSE, "SECURE_MESSAGING_DRAIN_SECS")
        .parse()
        .unwrap();
    // Two answers, a second between them, the second one up to four seconds late.
    assert!(drain >= 2 + 4);
    let instance = block(&compose, "x-instance");
    let grace = instance
        .iter()
        .find_map(|line| line.strip_prefix("stop_grace_period: ")?.strip_suffix('s'))
        .unwrap();
    assert!(grace.parse::<u64>().unwrap() >= drain + 20);
}

#[test]
fn the_engines_are_set_up_as_their_page_says() {
    let page = text("docs/scale-out.md");
    let conf = text("deployment/scale-out/valkey.conf");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let mut compared = 0;
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for name in cells[1].split(", ").map(|name| name.trim_matches('`')) {
            let line = format!("{name} {}", cells[2].trim_matches('`'));
            assert!(conf.lines().any(|found| found == line), "{line}");
            compared += 1;
        }
    }
    assert_eq!(compared, 7, "the control");
    // Kubernetes is given the same.
    let manifest = text("deployment/kubernetes/valkey.yaml");
    let (_, rest) = manifest.split_once("  valkey.conf: |\n").unwrap();
    let (same, _) = rest.split_once("\n---").unwrap();
    let same: Vec<&str> = same.lines().map(str::trim).collect();
    assert_eq!(same, conf.lines().collect::<Vec<_>>());
    let image = text("deployment/scale-out/valkey.Dockerfile");
    for line in [
        "ENV MALLOC_CONF=junk:free",
        "USER 10001:10001",
        "FROM debian:13-slim",
    ] {
        assert!(image.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn the_roles_of_the_script_are_those_that_the_handbook_makes() {
    let script = text("deployment/scale-out/postgres.sh");
    let page = text("docs/postgresql.md");
    for statement in [
        "CREATE ROLE messaging_owner LOGIN CREATEROLE PASSWORD ",
        "CREATE ROLE messaging LOGIN PASSWORD ",
        "GRANT messaging TO messaging_owner WITH ADMIN OPTION;",
    ] {
        assert!(script.contains(statement), "{statement}");
        assert!(page.contains(statement), "{statement}");
    }
    // PostgreSQL's image reads a script that cannot be run into its own shell, with what it sets there.
    let script = top().join("deployment/scale-out/postgres.sh");
    let mode = std::fs::metadata(script).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111);
}
