//! `azure_key_vault`, over the stub of the repository.

use std::sync::Arc;

use ambient::{OsEntropy, SystemClock};
use keyring::{
    AzureAlgorithm, AzureConfig, AzureLogin, KekSource, ProviderError, RemoteSettings,
    RemoteSource, SecretText, Trouble,
};
use servers::{AzureStub, Front};

use super::{ID, bears_a_bad_service, complains, drops_a_key_that_is_refused, lives};

fn secret(url: &str, secret: &str) -> AzureLogin {
    AzureLogin::Secret {
        authority: url.to_owned(),
        tenant: AzureStub::TENANT.to_owned(),
        client_id: AzureStub::CLIENT.to_owned(),
        secret: SecretText::new(secret),
    }
}

fn machine(url: &str) -> AzureLogin {
    AzureLogin::Machine {
        address: url.to_owned(),
        client_id: None,
    }
}

fn open(
    url: &str,
    algorithm: AzureAlgorithm,
    login: AzureLogin,
    settings: RemoteSettings,
) -> Result<RemoteSource, ProviderError> {
    let config = AzureConfig {
        vault_url: url.to_owned(),
        key: AzureStub::KEY.to_owned(),
        algorithm,
        login,
    };
    let clock = Arc::new(SystemClock::start());
    RemoteSource::azure_key_vault(config, settings, Arc::new(OsEntropy), clock)
}

#[test]
fn keys_that_azure_wraps_by_rsa_conform_and_bear_what_a_network_does() {
    let stub = AzureStub::start();
    let front = Front::before(stub.address());
    bears_a_bad_service(&front, &|settings| {
        let login = secret(&stub.url(), AzureStub::SECRET);
        open(&front.url(), AzureAlgorithm::RsaOaep256, login, settings).unwrap()
    });
}

#[test]
fn keys_that_a_managed_hsm_wraps_by_aes_conform_and_bear_what_a_network_does() {
    let stub = AzureStub::start();
    let front = Front::before(stub.address());
    bears_a_bad_service(&front, &|settings| {
        let login = machine(&stub.url());
        open(&front.url(), AzureAlgorithm::A256Gcm, login, settings).unwrap()
    });
}

#[test]
fn a_key_that_is_disabled_or_denied_is_dropped_at_once_and_comes_back() {
    let stub = AzureStub::start();
    let login = secret(&stub.url(), AzureStub::SECRET);
    let source = open(&stub.url(), AzureAlgorithm::RsaOaep256, login, lives(8)).unwrap();
    drops_a_key_that_is_refused(
        &source,
        &|| stub.disable(true),
        &|| stub.disable(false),
        Trouble::Disabled,
        "enable it again",
    );
    drops_a_key_that_is_refused(
        &source,
        &|| stub.allow(false),
        &|| stub.allow(true),
        Trouble::Denied,
        "Key Vault Crypto User",
    );
}

#[test]
fn a_new_version_of_the_key_wraps_and_the_one_before_unwraps() {
    let stub = AzureStub::start();
    let login = secret(&stub.url(), AzureStub::SECRET);
    let source = open(&stub.url(), AzureAlgorithm::RsaOaep256, login, lives(300)).unwrap();
    let (_, old) = source.create(ID).unwrap();
    stub.rotate();
    let (_, new) = source.create(ID).unwrap();
    assert_ne!(old.reference, new.reference);
    source.load(ID, 1, &old).unwrap();
    source.load(ID, 1, &new).unwrap();
    // Both ways to wrap are opened, whichever is configured.
    let login = machine(&stub.url());
    let other = open(&stub.url(), AzureAlgorithm::A256Gcm, login, lives(300)).unwrap();
    other.load(ID, 1, &old).unwrap();
}

#[test]
fn a_token_is_kept_and_fetched_anew_when_it_is_refused() {
    let stub = AzureStub::start();
    let login = secret(&stub.url(), AzureStub::SECRET);
    let source = open(&stub.url(), AzureAlgorithm::RsaOaep256, login, lives(300)).unwrap();
    source.create(ID).unwrap();
    source.create(ID).unwrap();
    assert_eq!(stub.issued(), 1);
    stub.forget_tokens();
    source.create(ID).unwrap();
    assert_eq!(stub.issued(), 2);
    let login = secret(&stub.url(), "another secret");
    let wrong = open(&stub.url(), AzureAlgorithm::RsaOaep256, login, lives(300)).unwrap();
    complains(wrong.create(ID), Trouble::Denied, "AZURE_CLIENT_SECRET");
}

#[test]
fn settings_of_azure_that_cannot_be_right_are_refused() {
    let login = || secret("https://login.example.org", "secret");
    for (vault, login, word) in [
        ("http://name.example.org", login(), "azure_key_vault_url"),
        (
            "https://name.example.org",
            secret("http://login.example.org", "secret"),
            "azure_authority",
        ),
        (
            "https://name.example.org",
            machine("http://169.254.1.1"),
            "identity",
        ),
    ] {
        let made = open(vault, AzureAlgorithm::RsaOaep256, login, lives(2));
        complains(made, Trouble::Setting, word);
    }
}

#[test]
fn no_secret_of_azure_shows_itself() {
    let login = secret("https://login.example.org", "s3cr3t");
    insta::assert_compact_debug_snapshot!(login, @r#"Secret { authority: "https://login.example.org", tenant: "11111111-2222-3333-4444-555555555555", client_id: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", secret: SecretText([redacted]) }"#);
}
