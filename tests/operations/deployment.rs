//! The files that others start the server with: what they say must be so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use secure_messaging::config::Config;
use tempfile::TempDir;

use super::{run, stderr, stdout};
use crate::support::not_tried;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(top().join(name)).unwrap()
}

/// A program that `cargo xtask test` names, or that is on the path, or that the test command left in
/// its folder of tools.
fn program(name: &str) -> Option<PathBuf> {
    let variable = name.to_uppercase().replace('-', "_");
    let variable = format!("SECURE_MESSAGING_TEST_{variable}");
    if let Some(named) = std::env::var_os(variable) {
        return Some(named.into());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let fetched = target
        .join("tools")
        .join(name)
        .join(format!("start-{name}"));
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .chain([fetched])
        .find(|path| path.is_file())
        .or_else(|| {
            let why = "the program is not here, and could not be fetched";
            not_tried(&format!("the examples before {name}"), why);
            None
        })
}

fn systemd_analyze(arguments: &[&str], unit: &Path) -> Option<(bool, String)> {
    let program = program("systemd-analyze")?;
    let output = Command::new(program).args(arguments).arg(unit).output();
    let output = output.unwrap();
    let said = format!("{}{}", stdout(&output), stderr(&output));
    Some((output.status.success(), said))
}

/// The unit with a program that exists on this machine.
fn unit(folder: &TempDir, change: impl Fn(&str) -> String) -> PathBuf {
    let path = folder.path().join("secure-messaging.service");
    let text = text("deployment/secure-messaging.service");
    let text = text.replace("/usr/local/bin/secure-messaging", "/bin/true");
    std::fs::write(&path, change(&text)).unwrap();
    path
}

/// What each section of a service may hold, as far as ours uses it.
const UNIT: [(&str, &[&str]); 3] = [
    (
        "Unit",
        &[
            "Description",
            "After",
            "Wants",
            "StartLimitIntervalSec",
            "StartLimitBurst",
        ],
    ),
    (
        "Service",
        &[
            "Type",
            "NotifyAccess",
            "ExecStart",
            "WorkingDirectory",
            "Environment",
            "Restart",
            "RestartSec",
            "TimeoutStartSec",
            "TimeoutStopSec",
            "WatchdogSec",
            "LoadCredential",
            "User",
            "Group",
            "StateDirectory",
            "StateDirectoryMode",
            "UMask",
            "LimitCORE",
            "LimitMEMLOCK",
            "LimitNOFILE",
            "MemorySwapMax",
            "NoNewPrivileges",
            "CapabilityBoundingSet",
            "AmbientCapabilities",
            "PrivateUsers",
            "RestrictSUIDSGID",
            "ProtectSystem",
            "ProtectHome",
            "PrivateTmp",
            "PrivateDevices",
            "DevicePolicy",
            "ProtectProc",
            "ProcSubset",
            "ProtectClock",
            "ProtectControlGroups",
            "ProtectHostname",
            "ProtectKernelLogs",
            "ProtectKernelModules",
            "ProtectKernelTunables",
            "RemoveIPC",
            "RestrictAddressFamilies",
            "RestrictNamespaces",
            "RestrictRealtime",
            "LockPersonality",
            "MemoryDenyWriteExecute",
            "KeyringMode",
            "SystemCallArchitectures",
            "SystemCallFilter",
            "SystemCallErrorNumber",
        ],
    ),
    ("Install", &["WantedBy"]),
];

/// Lines of a unit that are no setting of their section; systemd only warns of them and goes on.
fn strange_lines(unit: &str) -> Vec<&str> {
    let mut known: &[&str] = &[];
    let mut strange = Vec::new();
    for line in unit.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let section = line.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        if let Some(name) = section {
            let found = UNIT.iter().find(|(section, _)| *section == name);
            known = found.map_or(&[], |(_, known)| known);
            if found.is_none() {
                strange.push(line);
            }
        } else if !line
            .split_once('=')
            .is_some_and(|(name, _)| known.contains(&name))
        {
            strange.push(line);
        }
    }
    strange
}

#[test]
fn every_line_of_the_unit_is_a_setting_of_its_section() {
    let unit = text("deployment/secure-messaging.service");
    assert_eq!(strange_lines(&unit), Vec::<&str>::new());
    for (good, bad) in [
        ("LimitCORE=0", "LimitCores=0"),
        ("[Service]", "[Services]"),
        ("[Install]", "[Install]\nPrivateTmp=yes"),
        ("Restart=on-failure", "Restart on-failure"),
    ] {
        let altered = unit.replace(good, bad);
        assert!(!strange_lines(&altered).is_empty(), "{bad}");
    }
}

#[test]
fn the_unit_is_what_systemd_understands() {
    let folder = TempDir::new().unwrap();
    let good = unit(&folder, str::to_owned);
    if let Some((accepted, said)) = systemd_analyze(&["verify"], &good) {
        assert!(accepted, "{said}");
        assert!(!said.contains("secure-messaging.service:"), "{said}");
        let bad = unit(&folder, |text| text.replace("Type=notify", "Type=notifies"));
        let (_, said) = systemd_analyze(&["verify"], &bad).unwrap();
        assert!(
            said.contains("secure-messaging.service:"),
            "the control: {said}"
        );
    }
}

#[test]
fn the_unit_takes_everything_away_that_the_server_does_not_need() {
    let folder = TempDir::new().unwrap();
    let threshold = ["security", "--offline=true", "--threshold=20"];
    if let Some((low, said)) = systemd_analyze(&threshold, &unit(&folder, str::to_owned)) {
        assert!(low, "{said}");
        let open = unit(&folder, |text| {
            text.replace("PrivateUsers=yes", "PrivateUsers=no")
                .replace("CapabilityBoundingSet=\n", "")
                .replace("ProtectSystem=strict", "ProtectSystem=no")
        });
        let (low, _) = systemd_analyze(&threshold, &open).unwrap();
        assert!(!low, "the control");
    }
    let text = text("deployment/secure-messaging.service");
    let lines: BTreeSet<&str> = text.lines().map(str::trim).collect();
    for line in [
        "Type=notify",
        "LimitCORE=0",
        "LimitMEMLOCK=infinity",
        "MemorySwapMax=0",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "StateDirectory=secure-messaging",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
        "CapabilityBoundingSet=",
    ] {
        assert!(lines.contains(line), "{line}");
    }
    assert!(text.contains("\nLoadCredential=DB_ENCRYPTION_KEY:"));
}

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

#[test]
fn the_compose_file_gives_no_rights_and_a_root_that_is_read_only() {
    let compose = text("deployment/compose.yaml");
    for line in [
        "    read_only: true",
        "      - ALL",
        "      - no-new-privileges:true",
        "      core: 0",
        "      memlock: -1",
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

/// What must stand in each proxy's example, whatever the proxy is called.
const PROXIES: [(&str, &[&str], &[&str]); 4] = [
    (
        "nginx.conf",
        &[
            "proxy_pass http://127.0.0.1:8080;",
            "proxy_set_header Host            $host;",
            "proxy_set_header X-Forwarded-For $remote_addr;",
            "proxy_set_header Upgrade         $http_upgrade;",
            "proxy_request_buffering  off;",
            "proxy_buffering          off;",
            "proxy_max_temp_file_size 0;",
            "access_log off;",
            "gzip off;",
            "location = /metrics { return 404; }",
            "ssl_ecdh_curve      X25519MLKEM768:",
            "client_max_body_size 4m;",
        ],
        &["$proxy_add_x_forwarded_for", "gzip on", "add_header"],
    ),
    (
        "Caddyfile",
        &[
            "reverse_proxy 127.0.0.1:8080 {",
            "curves x25519mlkem768 ",
            "respond /metrics 404",
            "max_size 4MiB",
            "exclude http.log.error http.handlers.reverse_proxy",
        ],
        &["\n\tencode", "\n\tlog {", "header_down"],
    ),
    (
        "haproxy.cfg",
        &[
            "server local 127.0.0.1:8080",
            "ssl-default-bind-curves X25519MLKEM768:",
            "http-request set-header X-Forwarded-For %[src]",
            "http-request return status 404 if { path /metrics }",
            "timeout tunnel  1h",
        ],
        &["\n    log ", "compression ", "option forwardfor"],
    ),
    (
        "traefik.yml",
        &[
            "url: http://127.0.0.1:8080",
            "!Path(`/metrics`)",
            "curvePreferences: [X25519MLKEM768,",
            "minVersion: VersionTLS12",
        ],
        &["accessLog:", "buffering:", "compress:"],
    ),
];

#[test]
fn every_proxys_example_keeps_what_the_table_of_the_handbook_asks_for() {
    for (name, needed, forbidden) in PROXIES {
        let example = text(&format!("deployment/{name}"));
        for part in needed {
            assert!(example.contains(part), "{name}: {part}");
        }
        for part in forbidden {
            assert!(!example.contains(part), "{name}: {part}");
        }
    }
    let handbook = text("docs/deployment.md");
    for (name, _, _) in PROXIES {
        assert!(handbook.contains(&format!("](../deployment/{name})")));
    }
}

#[test]
fn nginx_takes_its_example() {
    let Some(nginx) = program("nginx") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let place = folder.path().to_str().unwrap();
    let name = vec!["chat.example.org".to_owned()];
    let made = rcgen::generate_simple_self_signed(name).unwrap();
    std::fs::write(folder.path().join("fullchain.pem"), made.cert.pem()).unwrap();
    let key = made.signing_key.serialize_pem();
    std::fs::write(folder.path().join("chat.example.org.pem"), key).unwrap();
    let example = text("deployment/nginx.conf")
        .replace("/etc/ssl/chat.example.org", place)
        .replace("/etc/ssl/private", place)
        .replace("/var/log/nginx", place)
        // An ordinary user may not listen on the real ones, and they may be taken.
        .replace("listen 80;", "listen 127.0.0.1:48080;")
        .replace("listen [::]:80;", "")
        .replace("listen 443 ssl;", "listen 127.0.0.1:48443 ssl;")
        .replace("listen [::]:443 ssl;", "");
    let whole = |example: &str| {
        format!(
            "pid {place}/nginx.pid; error_log {place}/error.log; events {{}}\nhttp {{\n\
             client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;\n\
             fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n\
             {example}\n}}\n"
        )
    };
    let test = |example: &str| {
        let path = folder.path().join("whole.conf");
        std::fs::write(&path, whole(example)).unwrap();
        let mut command = Command::new(&nginx);
        let output = command.arg("-t").arg("-c").arg(&path).output().unwrap();
        (output.status.success(), stderr(&output))
    };
    let (mut accepted, mut said) = test(&example);
    if !accepted && said.contains("X25519MLKEM768") {
        // OpenSSL before 3.5 does not know it; the file says so.
        (accepted, said) = test(&example.replace("X25519MLKEM768:", ""));
    }
    assert!(accepted, "{said}");
    let (accepted, _) = test(&example.replace("proxy_buffering ", "proxy_bufering "));
    assert!(!accepted, "the control");
}

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
