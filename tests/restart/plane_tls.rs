//! The way to an engine that holds messages, over TLS.

use std::path::PathBuf;

use serde_json::json;
use servers::{Valkey, free_port, until_then};
use tempfile::TempDir;

use crate::support::{Spawned, TestSocket, binary, random_id, submission, waiting_slot};

/// An engine that is known as `localhost`.
struct Secured {
    engine: Valkey,
    port: u16,
    folder: TempDir,
    certificate: PathBuf,
}

/// Writes a certificate for a name, and its key.
fn certificate(folder: &TempDir, file: &str, name: &str) -> (PathBuf, PathBuf) {
    let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let called = &mut parameters.distinguished_name;
    called.push(rcgen::DnType::CommonName, file);
    let pair = rcgen::KeyPair::generate().unwrap();
    let made = parameters.self_signed(&pair).unwrap();
    let certificate = folder.path().join(format!("{file}.pem"));
    let key = folder.path().join(format!("{file}.key"));
    std::fs::write(&certificate, made.pem()).unwrap();
    std::fs::write(&key, pair.serialize_pem()).unwrap();
    (certificate, key)
}

impl Secured {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let (certificate, key) = certificate(&folder, "engine", "localhost");
        let port = free_port();
        let engine = Valkey::start_with(
            &[
                ("tls-port", &port.to_string()),
                ("tls-cert-file", certificate.to_str().unwrap()),
                ("tls-key-file", key.to_str().unwrap()),
                ("tls-auth-clients", "no"),
            ],
            true,
        );
        Self {
            engine,
            port,
            folder,
            certificate,
        }
    }

    fn url(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}", self.port)
    }
}

#[actix_web::test]
async fn messages_wait_at_an_engine_behind_tls_also_after_it_began_anew() {
    let mut secured = Secured::start();
    let known = secured.certificate.to_str().unwrap().to_owned();
    for scheme in ["valkeys", "rediss"] {
        let data = TempDir::new().unwrap();
        let url = secured.url(scheme, "localhost");
        let variables = [("VALKEY_URL", url.as_str()), ("SSL_CERT_FILE", &known)];
        let server = Spawned::start_with(data.path(), &variables);
        let admin = server.administrator().await;
        let posted = || {
            let slot = waiting_slot(admin.id(), b"slot");
            submission(random_id(), true, vec![slot], b"body")
        };
        admin.post(posted()).await.expect(201);
        let (mut socket, hello) = TestSocket::connect(&admin.client).await;
        assert_eq!(hello["waiting"].as_array().unwrap().len(), 1);
        secured.engine.kill();
        admin.post(posted()).await.expect(503);
        secured.engine.start_again();
        assert_eq!(socket.closed().await, Some(4503));
        let (_socket, again) = TestSocket::connect(&admin.client).await;
        assert_ne!(again["boot_id"], hello["boot_id"]);
        assert_eq!(again["waiting"], json!([]));
        admin.post(posted()).await.expect(201);
        server.client().get("/health/ready").await.expect(200);
        drop(server);
        secured.engine.start_again();
    }
}

#[test]
fn an_engine_that_cannot_show_who_it_is_is_refused() {
    let secured = Secured::start();
    let (other, _) = certificate(&secured.folder, "other", "localhost");
    let known = secured.certificate.to_str().unwrap();
    let refused = |url: &str, authority: &str| {
        let data = TempDir::new().unwrap();
        let output = binary()
            .args(["serve", "--bind-addr", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .current_dir(data.path())
            .env("DB_ENCRYPTION_KEY", "a key of the tests")
            .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
            .env("VALKEY_URL", url)
            .env("SSL_CERT_FILE", authority)
            .output()
            .unwrap();
        assert!(!output.status.success(), "{url} was taken");
        String::from_utf8(output.stderr).unwrap()
    };
    for (url, authority, reason) in [
        (
            secured.url("valkeys", "127.0.0.1"),
            known,
            "not valid for name",
        ),
        (
            secured.url("valkeys", "localhost"),
            other.to_str().unwrap(),
            "UnknownIssuer",
        ),
        // An engine that waits for TLS does not understand a client without it, and the reverse.
        (secured.url("valkey", "localhost"), known, "does not answer"),
        (
            secured
                .engine
                .url()
                .replace("valkey://127.0.0.1", "valkeys://localhost"),
            known,
            "does not answer",
        ),
    ] {
        let said = refused(&url, authority);
        assert!(said.contains(reason), "{url}: {said}");
        assert!(said.contains("does not answer"), "{url}: {said}");
    }
    // The positive control: with the right name and authority the same engine is reached.
    let data = TempDir::new().unwrap();
    let url = secured.url("valkeys", "localhost");
    let variables = [("VALKEY_URL", url.as_str()), ("SSL_CERT_FILE", known)];
    let server = Spawned::start_with(data.path(), &variables);
    until_then(|| server.log().contains("listening"));
}
