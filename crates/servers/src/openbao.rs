//! OpenBao: a server that keeps and uses keys, as HashiCorp Vault does.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Answer, Asked, ask};
use crate::process::Process;
use crate::program::{free_port, program, until};

/// Names the program; `cargo xtask test` sets it.
const VARIABLE: &str = "SECURE_MESSAGING_TEST_OPENBAO";

/// A server of our own with a Transit engine; ended when dropped.
///
/// It keeps its data in a folder and unseals itself, so that it goes on after it was killed.
pub struct OpenBao {
    folder: TempDir,
    address: SocketAddr,
    process: Process,
    root: String,
}

impl OpenBao {
    /// Starts a new one.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        configure(folder.path(), address);
        let process = run(folder.path());
        let mut this = Self {
            folder,
            address,
            process,
            root: String::new(),
        };
        let shares = json!({"recovery_shares": 1, "recovery_threshold": 1});
        let init = Asked::json("PUT", "/v1/sys/init", &shares.to_string());
        let made = until("OpenBao", || {
            let answer = ask(address, &init).ok()?;
            serde_json::from_slice::<Value>(&answer.body)
                .ok()?
                .get("root_token")?
                .as_str()
                .map(str::to_owned)
        });
        this.root = made;
        until("the Transit engine", || {
            let asked = this.asked("POST", "/sys/mounts/transit", &json!({"type": "transit"}));
            ask(address, &asked).ok().filter(|it| it.status == 204)
        });
        this
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The token that may do everything.
    pub fn root_token(&self) -> &str {
        &self.root
    }

    /// The process, to send signals to.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, with its data and on its port.
    pub fn start_again(&mut self) {
        self.process = run(self.folder.path());
        until("OpenBao", || {
            let asked = self.asked("GET", "/sys/mounts", &json!({}));
            ask(self.address, &asked).ok().filter(|it| it.status == 200)
        });
    }

    /// Asks as root; it panics unless it succeeds.
    pub fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.try_admin(method, path, body);
        let good = matches!(answer.status, 200 | 204);
        assert!(good, "{path}: {} {}", answer.status, answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// Asks as root.
    pub fn try_admin(&self, method: &str, path: &str, body: &Value) -> Answer {
        ask(self.address, &self.asked(method, path, body)).expect("OpenBao answers")
    }

    /// Makes a Transit key of a type, such as `aes256-gcm96`.
    pub fn make_key(&self, name: &str, kind: &str, derived: bool) {
        let body = json!({"type": kind, "derived": derived});
        self.admin("POST", &format!("/transit/keys/{name}"), &body);
    }

    /// Makes a policy that lets its holder use this key and nothing else.
    pub fn make_policy(&self, policy: &str, key: &str) {
        let rules = ["encrypt", "decrypt"].map(|operation| {
            format!("path \"transit/{operation}/{key}\" {{ capabilities = [\"update\"] }}\n")
        });
        let body = json!({ "policy": rules.concat() });
        self.admin("POST", &format!("/sys/policies/acl/{policy}"), &body);
    }

    /// Makes a token with a policy that lives for some seconds.
    pub fn make_token(&self, policy: &str, seconds: u64) -> String {
        let body = json!({"policies": [policy], "ttl": format!("{seconds}s")});
        let made = self.admin("POST", "/auth/token/create", &body);
        text(&made["auth"]["client_token"])
    }

    /// Makes a role of AppRole with a policy; returns its id and a secret.
    pub fn make_role(&self, role: &str, policy: &str, settings: &Value) -> (String, String) {
        let kind = json!({"type": "approle"});
        // It may be there from a role before.
        self.try_admin("POST", "/sys/auth/approle", &kind);
        let path = format!("/auth/approle/role/{role}");
        let mut body = json!({ "token_policies": [policy] });
        for (name, value) in settings.as_object().expect("an object") {
            body[name] = value.clone();
        }
        self.admin("POST", &path, &body);
        let id = self.admin("GET", &format!("{path}/role-id"), &json!({}));
        let secret = self.admin("POST", &format!("{path}/secret-id"), &json!({}));
        (
            text(&id["data"]["role_id"]),
            text(&secret["data"]["secret_id"]),
        )
    }

    fn asked(&self, method: &str, path: &str, body: &Value) -> Asked {
        let asked = Asked::json(method, &format!("/v1{path}"), &body.to_string());
        asked.with("x-vault-token", &self.root)
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn configure(folder: &Path, address: SocketAddr) {
    let (data, cluster) = (folder.join("data"), free_port());
    std::fs::create_dir(&data).expect("a folder");
    let text = format!(
        "storage \"raft\" {{\n path = \"{}\"\n node_id = \"one\"\n performance_multiplier = \"1\"\n}}\n\
         listener \"tcp\" {{\n address = \"{address}\"\n cluster_address = \"127.0.0.1:{cluster}\"\n \
         tls_disable = true\n}}\n\
         cluster_addr = \"http://127.0.0.1:{cluster}\"\napi_addr = \"http://{address}\"\n\
         seal \"static\" {{\n current_key_id = \"one\"\n current_key = \"{}\"\n}}\n",
        data.display(),
        "0123456789abcdef".repeat(4),
    );
    std::fs::write(folder.join("openbao.hcl"), text).expect("its settings");
}

fn run(folder: &Path) -> Process {
    let log = File::create(folder.join("log")).expect("a log");
    let also = log.try_clone().expect("a log");
    Process::start(
        Command::new(program(VARIABLE, &["bin/bao"]))
            .args(["server", "-config"])
            .arg(folder.join("openbao.hcl"))
            .stdout(Stdio::from(log))
            .stderr(Stdio::from(also)),
    )
}
