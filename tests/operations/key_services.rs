//! A server whose key a service wraps: Vault, over a real OpenBao.

use std::time::{Duration, Instant};

use servers::OpenBao;
use tempfile::TempDir;

use super::health::{asked_until, without_keys};
use super::{logged, run, stdout};
use crate::support::{Account, Client, Passphrase, Spawned, binary};

const PASSPHRASE: Passphrase = Passphrase("signs in when Vault is back");
const TOKEN: &str = "VAULT_TOKEN";

/// OpenBao with a key, and the variables of a server that uses it.
fn ready() -> (OpenBao, Vec<(&'static str, String)>) {
    let bao = OpenBao::start();
    bao.make_key("messages", "aes256-gcm96", false);
    bao.make_policy("app", "messages");
    let variables = vec![
        (
            "SECURE_MESSAGING_KEK_PROVIDER",
            "hashicorp_vault".to_owned(),
        ),
        ("SECURE_MESSAGING_HASHICORP_VAULT_ADDRESS", bao.url()),
        (
            "SECURE_MESSAGING_HASHICORP_VAULT_KEY",
            "messages".to_owned(),
        ),
        ("SECURE_MESSAGING_KEK_CACHE_SECS", "10".to_owned()),
        (TOKEN, bao.make_token("app", 3_600)),
    ];
    (bao, variables)
}

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    let each = variables.iter();
    each.map(|(name, value)| (*name, value.as_str())).collect()
}

/// Waits until every value is under a key of this provider.
async fn moved(client: &Client, provider: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let shown = client.get("/api/v1/admin/keys").await.expect(200).json();
        let keks = shown["keks"].as_array().unwrap();
        let mut live = keks.iter().filter(|it| it["state"] != "retired");
        if live.all(|it| it["provider"] == provider) {
            return;
        }
        assert!(Instant::now() < end, "the keys did not move to {provider}");
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

#[actix_web::test]
async fn a_server_lives_on_vault_bears_its_death_and_moves_away() {
    let (mut bao, variables) = ready();
    let data = TempDir::new().unwrap();
    let server = Spawned::start_with(data.path(), &borrowed(&variables));
    let secret = server.setup_secret();
    let setup = Some(("setup", secret.as_str()));
    let admin = Account::register_with(server.client(), "admin", setup, PASSPHRASE).await;
    let admin = admin.unwrap();
    let client = server.client();
    client.get("/health/ready").await.expect(200);
    moved(&admin.client, "hashicorp_vault").await;

    bao.kill();
    // For a moment the key is still there.
    admin.client.get("/api/v1/safe").await.expect(200);
    let refused = asked_until(&client, 503).await;
    assert_eq!(refused.json()["keys"], "failed");
    let said = String::from_utf8(refused.body.to_vec()).unwrap();
    assert!(
        !said.contains("vault"),
        "only the log has the cause: {said}"
    );
    for path in ["/api/v1/safe", "/api/v1/sessions", "/api/v1/admin/audit"] {
        without_keys(path, admin.client.get(path).await);
    }
    let signing_in = Account::sign_in(server.client(), "admin", PASSPHRASE).await;
    let Err(signing_in) = signing_in else {
        panic!("somebody signed in without the key")
    };
    without_keys("sign-in", *signing_in);
    let line = logged(&server, "hashicorp_vault cannot be reached");
    assert!(line.contains("hashicorp_vault_address"), "{line}");
    admin.client.get("/health/live").await.expect(200);

    bao.start_again();
    asked_until(&client, 200).await;
    admin.client.get("/api/v1/safe").await.expect(200);
    Account::sign_in(server.client(), "admin", PASSPHRASE)
        .await
        .unwrap();

    // A policy that is taken away is as good as an outage, and says what to do.
    bao.make_policy("app", "nothing");
    asked_until(&client, 503).await;
    logged(&server, "let the token's policy");
    bao.make_policy("app", "messages");
    asked_until(&client, 200).await;
    let log = server.log();
    let token = &variables.iter().find(|(name, _)| *name == TOKEN).unwrap().1;
    assert!(!log.contains(token.as_str()), "the token is in no log");
    assert!(!log.contains("damaged"), "{log}");
    server.stop();

    // Without Vault it does not start, and says what is missing.
    let refused = binary()
        .args(["stats", "--data-dir"])
        .arg(data.path())
        .current_dir(data.path())
        .env("DB_ENCRYPTION_KEY", "a key of the tests")
        .output()
        .unwrap();
    let text = String::from_utf8(refused.stderr).unwrap();
    let named = text.contains("hashicorp_vault_address");
    assert!(!refused.status.success() && named, "{text}");

    // Away from Vault, by a change of the configuration.
    let mut away = variables.clone();
    away[0].1 = "local".to_owned();
    let server = Spawned::start_with(data.path(), &borrowed(&away));
    let client = admin.client.with_cookie_of(server.address);
    moved(&client, "local").await;
    client.get("/api/v1/safe").await.expect(200);
    server.stop();
    let server = Spawned::start(data.path());
    let client = client.with_cookie_of(server.address);
    client.get("/api/v1/safe").await.expect(200);
}

#[test]
fn what_a_key_service_needs_is_said_before_the_start() {
    let data = TempDir::new().unwrap();
    let provider = |name| ("SECURE_MESSAGING_KEK_PROVIDER", name);
    let vault = |address| ("SECURE_MESSAGING_HASHICORP_VAULT_ADDRESS", address);
    let key = ("SECURE_MESSAGING_HASHICORP_VAULT_KEY", "messages");
    let aws = ("SECURE_MESSAGING_AWS_KMS_KEY_ID", "alias/messages");
    let azure = (
        "SECURE_MESSAGING_AZURE_KEY_VAULT_URL",
        "https://name.vault.azure.net",
    );
    let azure_key = ("SECURE_MESSAGING_AZURE_KEY_VAULT_KEY", "messages");
    let address = vault("https://vault.example.org");
    let cases: [(&[(&str, &str)], &str); 8] = [
        (
            &[provider("hashicorp_vault")],
            "hashicorp_vault_address and",
        ),
        (&[address], "hashicorp_vault_address and"),
        (&[address, key], "set VAULT_TOKEN or"),
        (
            &[vault("http://vault.example.org"), key, (TOKEN, "a-token")],
            "unencrypted over a network",
        ),
        (
            &[
                address,
                key,
                ("SECURE_MESSAGING_HASHICORP_VAULT_ROLE_ID", "a role"),
            ],
            "VAULT_SECRET_ID",
        ),
        (&[provider("aws_kms")], "aws_kms_key_id"),
        (&[aws], "aws_kms_instance_role"),
        (
            &[azure, azure_key, ("AZURE_CLIENT_SECRET", "a secret")],
            "azure_tenant_id",
        ),
    ];
    for (variables, words) in cases {
        let output = run(data.path(), &["check-config"], variables);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(words), "{words}: {text}");
        assert!(!text.contains("a-token"), "{text}");
    }
    let good = [
        provider("hashicorp_vault"),
        address,
        key,
        (TOKEN, "a-token"),
    ];
    let output = run(data.path(), &["check-config"], &good);
    assert!(output.status.success(), "{}", stdout(&output));
}
