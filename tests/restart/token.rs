//! The key moves from `DB_ENCRYPTION_KEY` into a token and back, by a change of configuration.

use std::time::Duration;

use keyring::testing::softhsm::{SoftHsm, with_token};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Account, Client, Spawned, binary};

/// How long a move may take.
const PATIENCE: u32 = 600;

fn variables(hsm: &SoftHsm, provider: &str) -> Vec<(String, String)> {
    let own = [
        ("SECURE_MESSAGING_KEK_PROVIDER", provider),
        (
            "SECURE_MESSAGING_PKCS11_MODULE",
            hsm.module().to_str().unwrap(),
        ),
        ("SECURE_MESSAGING_PKCS11_TOKEN", SoftHsm::LABEL),
        ("PKCS11_PIN", SoftHsm::PIN),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let theirs = hsm.environment().into_iter();
    let theirs = theirs.map(|(name, path)| (name.to_owned(), path.to_str().unwrap().to_owned()));
    own.into_iter().chain(theirs).collect()
}

fn start(data: &TempDir, variables: &[(String, String)], more: &[(&str, &str)]) -> Spawned {
    let variables = variables.iter().map(|(name, value)| (&**name, &**value));
    let variables: Vec<(&str, &str)> = variables.chain(more.iter().copied()).collect();
    Spawned::start_with(data.path(), &variables)
}

/// Waits until every value is under a key of this provider.
async fn moved(client: &Client, provider: &str) {
    for _ in 0..PATIENCE {
        let shown: Value = client.get("/api/v1/admin/keys").await.expect(200).json();
        let keks = shown["keks"].as_array().unwrap();
        let live: Vec<&Value> = keks.iter().filter(|it| it["state"] != "retired").collect();
        if live.len() == 1 && live[0]["provider"] == provider {
            return;
        }
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the keys did not move to {provider}");
}

#[test]
fn a_change_of_provider_moves_everything_into_a_token_and_back() {
    with_token(|hsm| actix_web::rt::System::new().block_on(there_and_back(hsm)));
}

async fn there_and_back(hsm: &SoftHsm) {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let secret = server.setup_secret();
    let admin = Account::register(server.client(), "admin", Some(("setup", &secret)))
        .await
        .unwrap();
    let mut client = admin.client;
    server.stop();

    let token = variables(hsm, "pkcs11");
    let server = start(&data, &token, &[]);
    client = client.with_cookie_of(server.address);
    moved(&client, "pkcs11").await;
    client.get("/api/v1/safe").await.expect(200);
    server.stop();

    // The key of before plays no part any more: another one does no harm.
    let server = start(&data, &token, &[("DB_ENCRYPTION_KEY", "some other key")]);
    client = client.with_cookie_of(server.address);
    client.get("/api/v1/safe").await.expect(200);
    server.kill();

    let refused = binary()
        .args(["stats", "--data-dir"])
        .arg(data.path())
        .current_dir(data.path())
        .env("DB_ENCRYPTION_KEY", "a key of the tests")
        .output()
        .unwrap();
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && text.contains("pkcs11_module"),
        "{text}"
    );

    let server = start(&data, &variables(hsm, "local"), &[]);
    client = client.with_cookie_of(server.address);
    moved(&client, "local").await;
    server.stop();
    let server = Spawned::start(data.path());
    client = client.with_cookie_of(server.address);
    client.get("/api/v1/safe").await.expect(200);
}
