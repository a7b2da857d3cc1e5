//! The proxies' examples.

use std::process::Command;

use tempfile::TempDir;

use super::{program, text};
use crate::operations::{stderr, stdout};

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

/// Whether a program takes a file, and what it says.
fn shown(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    (output.status.success(), stdout(&output) + &stderr(&output))
}

#[test]
fn caddy_takes_its_example() {
    let Some(caddy) = program("caddy") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("Caddyfile");
    let validate = |example: &str| {
        std::fs::write(&path, example).unwrap();
        let mut command = Command::new(&caddy);
        command.args(["validate", "--adapter", "caddyfile", "--config"]);
        // It keeps a folder of certificates in its user's.
        shown(command.arg(&path).env("HOME", folder.path()))
    };
    let example = text("deployment/Caddyfile");
    let (mut accepted, mut said) = validate(&example);
    if !accepted && said.contains("x25519mlkem768") {
        // Caddy before 2.10 does not know it; the file says so.
        (accepted, said) = validate(&example.replace("x25519mlkem768 ", ""));
    }
    assert!(accepted, "{said}");
    assert!(said.contains("Valid configuration"), "{said}");
    let (accepted, _) = validate(&example.replace("flush_interval", "flush_intervall"));
    assert!(!accepted, "the control");
}

#[test]
fn haproxy_takes_its_example() {
    haproxy_takes(
        &text("deployment/haproxy.cfg"),
        "/etc/haproxy/chat.example.org.pem",
    );
}

/// Shows HAProxy a file that names its certificate once.
pub(super) fn haproxy_takes(file: &str, certificate: &str) {
    let Some(haproxy) = program("haproxy") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["chat.example.org".to_owned()]).unwrap();
    let pair = made.cert.pem() + &made.signing_key.serialize_pem();
    let place = folder.path().join("pair.pem");
    std::fs::write(&place, pair).unwrap();
    let example = file.replace(certificate, place.to_str().unwrap());
    let path = folder.path().join("haproxy.cfg");
    let check = |example: &str| {
        std::fs::write(&path, example).unwrap();
        shown(Command::new(&haproxy).args(["-c", "-f"]).arg(&path))
    };
    let (mut accepted, mut said) = check(&example);
    if !accepted && said.contains("X25519MLKEM768") {
        // OpenSSL before 3.5 does not know it; the file says so.
        (accepted, said) = check(&example.replace("X25519MLKEM768:", ""));
    }
    assert!(accepted, "{said}");
    assert!(!said.to_lowercase().contains("warning"), "{said}");
    let (accepted, _) = check(&example.replace("timeout tunnel", "timeout tunel"));
    assert!(!accepted, "the control");
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
        // An ordinary user may not listen on the real ones, and any other may be taken.
        .replace("listen 80;", &format!("listen unix:{place}/http;"))
        .replace("listen [::]:80;", "")
        .replace(
            "listen 443 ssl;",
            &format!("listen unix:{place}/https ssl;"),
        )
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
