//! The image, and the file that starts it.

use std::process::Command;
use std::time::{Duration, Instant};

use secure_messaging::config::Config;
use serde_json::json;
use tempfile::TempDir;

use super::{program, text, top};
use crate::operations::mounts::way_to_mount;
use crate::operations::{run, stderr, stdout};
use crate::support::{Account, BINARY, Spawned, binary, not_tried};

/// An instruction of a Dockerfile, its lines joined.
struct Instruction {
    stage: usize,
    name: String,
    value: String,
}

fn instructions(dockerfile: &str) -> Vec<Instruction> {
    let lines = dockerfile.lines().filter(|line| !line.starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let mut stage = 0;
    let mut found = Vec::new();
    for line in joined.lines().filter(|line| !line.trim().is_empty()) {
        let (name, value) = line.trim().split_once(' ').unwrap_or((line, ""));
        stage += usize::from(name == "FROM");
        found.push(Instruction {
            stage,
            name: name.to_owned(),
            value: value.trim().to_owned(),
        });
    }
    found
}

/// What of a Dockerfile breaks the rules that matter here.
fn faults(dockerfile: &str) -> Vec<String> {
    let all = instructions(dockerfile);
    let last = all.iter().map(|it| it.stage).max().unwrap_or_default();
    let mut faults = Vec::new();
    let mut complain = |fault: &str| faults.push(fault.to_owned());
    for it in &all {
        let value = it.value.as_str();
        match it.name.as_str() {
            "FROM" => {
                let image = value.split_whitespace().next().unwrap_or_default();
                match image.rsplit_once(':') {
                    Some((_, tag)) if tag != "latest" => {}
                    _ => complain("a base without a tag of its own"),
                }
            }
            "ADD" => complain("ADD"),
            "ENTRYPOINT" | "CMD" if !value.starts_with("[\"") => complain("a shell at the start"),
            "HEALTHCHECK" if !value.contains("CMD [\"") => complain("a shell for the health check"),
            "RUN" if it.stage == last => complain("RUN in the image that is kept"),
            "ENV" | "ARG" if value.contains("KEY") || value.contains("SECRET") => {
                complain("a secret in the image");
            }
            "COPY" if it.stage == last && !value.starts_with("--from=") => {
                complain("a copy that was not built");
            }
            _ => {}
        }
    }
    let kept = |name: &str| -> Vec<&str> {
        let of_last = all.iter().filter(|it| it.stage == last && it.name == name);
        of_last.map(|it| it.value.as_str()).collect()
    };
    let user = kept("USER").last().copied().unwrap_or("0");
    let number: u32 = user
        .split(':')
        .next()
        .unwrap_or_default()
        .parse()
        .unwrap_or(0);
    if number == 0 {
        complain("root");
    }
    if kept("VOLUME") != ["[\"/data\"]"] {
        complain("not one volume");
    }
    if kept("HEALTHCHECK").is_empty() {
        complain("no health check");
    }
    faults
}

#[test]
fn the_image_is_pinned_runs_as_an_ordinary_user_and_needs_no_shell() {
    let dockerfile = text("deployment/Dockerfile");
    assert_eq!(faults(&dockerfile), Vec::<String>::new());
    for (good, bad, fault) in [
        (
            "debian:12-slim",
            "debian:latest",
            "a base without a tag of its own",
        ),
        (
            "debian:12-slim",
            "debian",
            "a base without a tag of its own",
        ),
        ("USER 10001:10001", "USER root", "root"),
        ("USER 10001:10001\n", "", "root"),
        ("CMD [\"serve\"]", "CMD serve", "a shell at the start"),
        (
            "CMD [\"/usr/local/bin/secure-messaging\", \"healthcheck\"]",
            "CMD curl localhost",
            "a shell for the health check",
        ),
        (
            "VOLUME [\"/data\"]",
            "VOLUME [\"/data\"]\nVOLUME [\"/etc\"]",
            "not one volume",
        ),
        (
            "EXPOSE 8080",
            "RUN apt-get update",
            "RUN in the image that is kept",
        ),
        ("EXPOSE 8080", "ADD x /x", "ADD"),
        ("EXPOSE 8080", "COPY . /x", "a copy that was not built"),
        (
            "EXPOSE 8080",
            "ENV DB_ENCRYPTION_KEY=x",
            "a secret in the image",
        ),
    ] {
        let altered = dockerfile.replace(good, bad);
        assert_ne!(altered, dockerfile, "{good}");
        assert!(faults(&altered).contains(&fault.to_owned()), "{fault}");
    }
    let all = instructions(&dockerfile);
    let environment = all.iter().find(|it| it.name == "ENV").unwrap();
    for name in environment.value.split_whitespace() {
        let name = name.split('=').next().unwrap();
        let setting = name.trim_start_matches("SECURE_MESSAGING_");
        assert!(Config::names().contains(&setting.to_lowercase()), "{name}");
    }
    // They are what the configuration takes.
    let data = TempDir::new().unwrap();
    let variables = variables_of_image(&dockerfile);
    assert_eq!(variables.len(), 3, "the control");
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| match &**name {
            "SECURE_MESSAGING_DATA_DIR" => (&**name, data.path().to_str().unwrap()),
            _ => (&**name, &**value),
        })
        .chain([("PUBLIC_URL", "https://chat.example.org")])
        .collect();
    let output = run(data.path(), &["check-config"], &variables);
    assert!(output.status.success(), "{}", stdout(&output));
    let ignored = text(".dockerignore");
    for entry in [
        "target",
        ".git",
        "data",
        "**/*.key",
        "**/*.db",
        "**/secrets",
    ] {
        assert!(ignored.lines().any(|line| line == entry), "{entry}");
    }
}

/// What the image sets.
pub(super) fn variables_of_image(dockerfile: &str) -> Vec<(String, String)> {
    let all = instructions(dockerfile);
    let environment = all.iter().find(|it| it.name == "ENV").unwrap();
    let pairs = environment.value.split_whitespace();
    pairs
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Every path that an image takes out of an earlier stage, and whether that stage makes it.
fn copied(dockerfile: &str) -> Vec<(String, bool)> {
    let all = instructions(dockerfile);
    let stages: Vec<&str> = all
        .iter()
        .filter(|it| it.name == "FROM")
        .filter_map(|it| it.value.split_once(" AS ").map(|(_, name)| name))
        .collect();
    let folder = |stage: usize| {
        let mut of_stage = all.iter().filter(|it| it.stage == stage);
        let found = of_stage.find(|it| it.name == "WORKDIR");
        found.map_or("/", |it| it.value.as_str())
    };
    let made = |stage: usize, path: &str| {
        let runs = all.iter().filter(|it| it.stage == stage);
        let ran: String = runs
            .filter(|it| it.name == "RUN")
            .map(|it| format!("{} ", it.value))
            .collect();
        let ran: Vec<&str> = ran.split("&&").map(str::trim).collect();
        match path.strip_prefix(folder(stage)) {
            // Where cargo and `cargo xtask bundle` leave what they make.
            Some("/target/release/secure-messaging") => {
                ran.contains(&"cargo build --release --locked --bin secure-messaging")
            }
            Some("/target/bundle") => ran.contains(&"cargo xtask bundle"),
            _ => ran
                .iter()
                .any(|it| it.starts_with("install -") && it.ends_with(path)),
        }
    };
    all.iter()
        .filter(|it| it.name == "COPY")
        .filter_map(|it| {
            let rest = it.value.strip_prefix("--from=")?;
            let mut words = rest.split_whitespace();
            let stage = words.next().unwrap();
            let source = words.find(|word| !word.starts_with("--")).unwrap();
            let number = stages.iter().position(|name| *name == stage);
            let there = number.is_some_and(|number| made(number + 1, source));
            Some((source.to_owned(), there))
        })
        .collect()
}

#[test]
fn everything_that_the_image_copies_is_made_by_the_stage_before() {
    let dockerfile = text("deployment/Dockerfile");
    let found = copied(&dockerfile);
    assert_eq!(found.len(), 5);
    for (path, there) in &found {
        assert!(there, "{path}");
    }
    for (good, bad) in [
        ("AS build", "AS builder"),
        ("cargo xtask bundle", "true"),
        ("--bin secure-messaging", "--bin server"),
        ("install -d -m 0700 /empty", "true"),
        (
            "ca-certificates.crt /authorities.crt",
            "ca-certificates.crt",
        ),
        ("/source/target/bundle", "/source/bundle"),
    ] {
        let altered = dockerfile.replace(good, bad);
        assert!(copied(&altered).iter().any(|(_, there)| !there), "{bad}");
    }
    // Where rustls looks for this machine's authorities on Debian.
    let authorities = "COPY --from=build /authorities.crt /etc/ssl/certs/ca-certificates.crt";
    assert!(dockerfile.lines().any(|line| line == authorities));
    // The names that the build is given are there, and nothing that it needs is left at home.
    let manifest = text("Cargo.toml");
    assert!(manifest.contains("[[bin]]\nname = \"secure-messaging\"\n"));
    assert!(text(".cargo/config.toml").contains("xtask = \"run --package xtask --\""));
    let left: Vec<String> = text(".dockerignore")
        .lines()
        .filter(|line| !line.starts_with('#') && top().join(line).exists())
        .map(str::to_owned)
        .collect();
    for name in left {
        let needless = [".git", "target", "node_modules", "data", "docs/screenshots"];
        assert!(needless.contains(&&*name), "{name}");
    }
    let compose = text("deployment/compose.yaml");
    assert!(compose.contains("      context: ..\n      dockerfile: deployment/Dockerfile\n"));
}

#[test]
fn hadolint_finds_nothing_in_the_dockerfiles() {
    let Some(hadolint) = program("hadolint") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("Dockerfile");
    let dockerfile = text("deployment/Dockerfile");
    let engine = text("deployment/scale-out/valkey.Dockerfile");
    let lint = |dockerfile: &str| {
        std::fs::write(&path, dockerfile).unwrap();
        // Nobody's own configuration counts.
        let output = Command::new(&hadolint)
            .args(["--no-color", "Dockerfile"])
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env_remove("XDG_CONFIG_HOME")
            .output();
        let output = output.unwrap();
        (output.status.success(), stdout(&output) + &stderr(&output))
    };
    for dockerfile in [&dockerfile, &engine] {
        let (clean, said) = lint(dockerfile);
        assert!(clean && said.is_empty(), "{said}");
    }
    let (clean, said) = lint(&dockerfile.replace("debian:12-slim", "debian:latest"));
    assert!(!clean && said.contains("DL3007"), "the control: {said}");
}

#[test]
fn compose_takes_its_file() {
    let Some(compose) = program("docker-compose") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("compose.yaml");
    let file = text("deployment/compose.yaml");
    let show = |file: &str| {
        std::fs::write(&path, file).unwrap();
        let mut command = Command::new(&compose);
        command.arg("--file").arg(&path).arg("config");
        let output = command.output().unwrap();
        (output.status.success(), stdout(&output) + &stderr(&output))
    };
    let (taken, said) = show(&file);
    assert!(taken, "{said}");
    for kept in ["read_only: true", "stop_grace_period: 30s", "memlock: -1"] {
        assert!(said.contains(kept), "{kept}: {said}");
    }
    let (taken, said) = show(&file.replace("read_only:", "readonly:"));
    assert!(!taken && said.contains("readonly"), "the control: {said}");
}

#[actix_web::test]
async fn a_root_that_is_read_only_is_enough_for_the_server() {
    let data = TempDir::new().unwrap();
    let way = match way_to_mount(data.path()) {
        Ok(way) => way,
        Err(why) => return not_tried("a root that is read-only", &format!("no mount: {why}")),
    };
    let only = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro / && \
                if touch /tmp/written 2>/dev/null; then exit 9; fi; cd \"$0\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args(way)
        .args(["sh", "-c", only])
        .arg(data.path())
        .arg(BINARY);
    let target = data.path().join("backups");
    let target = format!("file:{}", target.display());
    let variables = [
        ("SECURE_MESSAGING_BACKUP_TARGET", &*target),
        ("BACKUP_KEY", &*"0123456789abcdef".repeat(4)),
    ];
    let server = Spawned::start_by(command, data.path(), &variables);
    let secret = server.setup_secret();
    let right = Some(("setup", secret.as_str()));
    let admin = Account::register(server.client(), "admin", right)
        .await
        .unwrap();
    let address = "/api/v1/admin/backups";
    let begun = admin.client.post(address, &json!({"full": true})).await;
    begun.expect(202);
    let end = Instant::now() + Duration::from_secs(60);
    while admin.client.get(address).await.json()["count"] != 1 {
        assert!(Instant::now() < end, "{}", server.log());
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    server.client().get("/health/ready").await.expect(200);
    let log = server.stop();
    assert!(!log.contains("Read-only file system"), "{log}");
}

#[test]
fn the_compose_files_settings_are_what_the_configuration_takes() {
    let data = TempDir::new().unwrap();
    let key = data.path().join("db_encryption_key");
    std::fs::write(&key, "a key of the tests").unwrap();
    let compose = text("deployment/compose.yaml");
    let (_, rest) = compose.split_once("    environment:\n").unwrap();
    let variables: Vec<(&str, &str)> = rest
        .lines()
        .take_while(|line| line.starts_with("      "))
        .filter_map(|line| line.trim().split_once(": "))
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, value)| match name {
            "DB_ENCRYPTION_KEY_FILE" => (name, key.to_str().unwrap()),
            _ => (name, value.trim_matches('"')),
        })
        .collect();
    assert_eq!(variables.len(), 3, "the control");
    let output = binary()
        .arg("check-config")
        .current_dir(data.path())
        .env_remove("DB_ENCRYPTION_KEY")
        .env("SECURE_MESSAGING_DATA_DIR", data.path())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = stdout(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("172.31.251.1"), "{said}");
}

#[test]
fn the_compose_file_gives_no_rights_and_a_root_that_is_read_only() {
    let compose = text("deployment/compose.yaml");
    for line in [
        "    read_only: true",
        "      - ALL",
        "      - no-new-privileges:true",
        "      core: 0",
        "      memlock: -1",
        "    mem_limit: 1g",
        "    memswap_limit: 1g",
        "      DB_ENCRYPTION_KEY_FILE: /run/secrets/db_encryption_key",
        "      - \"127.0.0.1:8080:8080\"",
    ] {
        assert!(compose.lines().any(|found| found == line), "{line}");
    }
    assert!(
        !compose.contains("DB_ENCRYPTION_KEY:"),
        "never in the clear"
    );
    assert!(!compose.contains("privileged: true"));
}
