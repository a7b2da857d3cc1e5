//! moto: a server that stands in for S3 and KMS of AWS.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::http::{Answer, Asked, ask};
use crate::process::Process;
use crate::program::program;

/// Names the command; `cargo xtask test` sets it.
const VARIABLE: &str = "SECURE_MESSAGING_TEST_MOTO";

/// A server of our own, ended when dropped.
pub struct Moto {
    process: Process,
    address: SocketAddr,
}

impl Moto {
    /// The region that its keys are in.
    pub const REGION: &str = "us-east-1";

    /// Starts it on a free port of this machine.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts it with variables.
    pub fn start_with(variables: &[(&str, &str)]) -> Self {
        let mut process = Process::start(
            Command::new(program(VARIABLE, &["bin/moto_server"]))
                .args(["-H", "127.0.0.1", "-p", "0"])
                .envs(variables.iter().copied())
                .stdout(Stdio::null())
                .stderr(Stdio::piped()),
        );
        let stderr = process.child().stderr.take().expect("it is piped");
        let mut lines = BufReader::new(stderr).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("http://")?;
                rest.trim().trim_end_matches('/').parse().ok()
            })
            .expect("moto says where it listens");
        // It logs every request: an unread pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// One request to a service. moto wants a name and does not check the signature.
    pub fn ask(&self, service: &str, asked: Asked) -> Answer {
        let key = format!("testing/20260101/{}/{service}/aws4_request", Self::REGION);
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={key}, SignedHeaders=host, Signature=none");
        let asked = asked.with("authorization", &authorization);
        ask(self.address, &asked).expect("moto answers")
    }

    /// An operation of KMS; it panics unless it succeeds.
    pub fn kms(&self, operation: &str, body: &Value) -> Value {
        let asked = Asked {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            body: body.to_string().into_bytes(),
            ..Asked::default()
        };
        let asked = asked
            .with("content-type", "application/x-amz-json-1.1")
            .with("x-amz-target", &format!("TrentService.{operation}"));
        let answer = self.ask("kms", asked);
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// Makes a symmetric key; returns its id.
    pub fn make_key(&self) -> String {
        let made = self.kms("CreateKey", &json!({}));
        let id = made["KeyMetadata"]["KeyId"].as_str();
        id.expect("it says the id").to_owned()
    }
}
