//! `hashicorp_vault`, over OpenBao.

use std::cell::RefCell;
use std::sync::Arc;

use ambient::{OsEntropy, SystemClock};
use keyring::{
    KekSource, ProviderError, RemoteSettings, RemoteSource, SecretText, Trouble, VaultConfig,
    VaultLogin,
};
use serde_json::json;
use servers::{Front, OpenBao, until_then};

use super::{
    ID, bears_a_bad_service, complains, drops_a_key_that_is_refused, first, lives, opens, sealed,
    trouble,
};

fn config(url: &str, login: VaultLogin) -> VaultConfig {
    VaultConfig {
        address: url.to_owned(),
        namespace: None,
        mount: "transit".to_owned(),
        key: "messages".to_owned(),
        ca: None,
        login,
    }
}

fn open(config: VaultConfig, settings: RemoteSettings) -> Result<RemoteSource, ProviderError> {
    let clock = Arc::new(SystemClock::start());
    RemoteSource::hashicorp_vault(config, settings, Arc::new(OsEntropy), clock)
}

fn by_token(url: &str, token: &str, settings: RemoteSettings) -> RemoteSource {
    let login = VaultLogin::Token(SecretText::new(token));
    open(config(url, login), settings).unwrap()
}

/// OpenBao with a key, and a token that may use it.
fn ready() -> (OpenBao, String) {
    let bao = OpenBao::start();
    bao.make_key("messages", "aes256-gcm96", false);
    bao.make_policy("app", "messages");
    let token = bao.make_token("app", 3_600);
    (bao, token)
}

#[test]
fn keys_that_openbao_wraps_conform_and_bear_what_a_network_does() {
    let (bao, token) = ready();
    let front = Front::before(bao.address());
    bears_a_bad_service(&front, &|settings| by_token(&front.url(), &token, settings));
    let seen = front.seen();
    assert!(
        seen.iter()
            .any(|asked| asked.path == "/v1/transit/encrypt/messages")
    );
    assert!(
        seen.iter().all(|asked| !asked.path.contains(&token)),
        "the token stands in a header alone"
    );
}

#[test]
fn a_derived_key_wraps_as_well_and_a_key_without_associated_data_does_not() {
    let (bao, token) = ready();
    let keyed = |key: &str, token: &str| {
        let login = VaultLogin::Token(SecretText::new(token));
        let config = VaultConfig {
            key: key.to_owned(),
            ..config(&bao.url(), login)
        };
        open(config, lives(300)).unwrap()
    };
    bao.make_key("derived", "aes256-gcm96", true);
    let root = bao.root_token().to_owned();
    let derived = keyed("derived", &root);
    let (_, parameters) = derived.create(ID).unwrap();
    derived.load(ID, 1, &parameters).unwrap();
    bao.make_key("rsa", "rsa-2048", false);
    complains(
        keyed("rsa", &root).create(ID),
        Trouble::Unsuitable,
        "use a key of the type aes256-gcm96",
    );
    let advice = "let the token's policy";
    complains(keyed("other", &token).create(ID), Trouble::Denied, advice);
}

#[test]
fn a_server_that_is_killed_and_started_again_is_used_again() {
    let (mut bao, token) = ready();
    let source = by_token(&bao.url(), &token, lives(2));
    let (ring, sealed, _) = sealed(&source);
    bao.kill();
    assert!(opens(&ring, &sealed), "the key is still held");
    until_then(|| !opens(&ring, &sealed));
    let advice = "correct hashicorp_vault_address";
    complains(first(&ring).health(), Trouble::Unreachable, advice);
    complains(source.create(ID), Trouble::Unreachable, advice);
    bao.start_again();
    until_then(|| opens(&ring, &sealed));
}

#[test]
fn a_key_that_is_deleted_softly_is_dropped_at_once_and_comes_back() {
    let (bao, token) = ready();
    let path = "/transit/keys/messages";
    drops_a_key_that_is_refused(
        &by_token(&bao.url(), &token, lives(8)),
        &|| drop(bao.admin("DELETE", &format!("{path}/soft-delete"), &json!({}))),
        &|| drop(bao.admin("POST", &format!("{path}/soft-delete-restore"), &json!({}))),
        Trouble::Disabled,
        "enable it again",
    );
}

#[test]
fn a_policy_that_is_taken_away_drops_the_key_at_once() {
    let (bao, token) = ready();
    drops_a_key_that_is_refused(
        &by_token(&bao.url(), &token, lives(8)),
        &|| bao.make_policy("app", "nothing"),
        &|| bao.make_policy("app", "messages"),
        Trouble::Denied,
        "let the token's policy",
    );
}

#[test]
fn a_version_that_is_not_decrypted_any_more_and_a_key_that_is_gone_are_told_apart() {
    let (bao, _) = ready();
    let source = by_token(&bao.url(), bao.root_token(), lives(300));
    let (_, old) = source.create(ID).unwrap();
    let path = "/transit/keys/messages";
    bao.admin("POST", &format!("{path}/rotate"), &json!({}));
    source.load(ID, 1, &old).unwrap();
    let newest = json!({"min_decryption_version": 2, "deletion_allowed": true});
    bao.admin("POST", &format!("{path}/config"), &newest);
    complains(source.load(ID, 1, &old), Trouble::Disabled, "too old");
    let (_, new) = source.create(ID).unwrap();
    bao.admin("DELETE", path, &json!({}));
    complains(
        source.load(ID, 1, &new),
        Trouble::Missing,
        "hashicorp_vault_key",
    );
}

#[test]
fn too_many_requests_are_said_to_be_too_many() {
    let (bao, token) = ready();
    let source = by_token(&bao.url(), &token, lives(300));
    let quota = json!({"rate": 0.001, "path": "transit/"});
    bao.admin("POST", "/sys/quotas/rate-limit/few", &quota);
    let said = RefCell::new(None);
    until_then(|| match source.create(ID) {
        Ok(_) => false,
        refused => {
            *said.borrow_mut() = Some(trouble(refused));
            true
        }
    });
    let (found, words) = said.into_inner().unwrap();
    assert_eq!(found, Trouble::Throttled, "{words}");
}

#[test]
fn a_role_signs_in_renews_its_session_and_signs_in_again_when_it_ends() {
    let (bao, _) = ready();
    let short = json!({"token_ttl": "2s", "token_max_ttl": "5s"});
    let (role_id, secret_id) = bao.make_role("server", "app", &short);
    let front = Front::before(bao.address());
    let role = |secret: &str| VaultLogin::AppRole {
        mount: "approle".to_owned(),
        role_id: role_id.clone(),
        secret_id: SecretText::new(secret),
    };
    let source = open(config(&front.url(), role(&secret_id)), lives(2)).unwrap();
    let (ring, sealed, _) = sealed(&source);
    let count = |end: &str| {
        let seen = front.seen();
        seen.iter()
            .filter(|asked| asked.path.ends_with(end))
            .count()
    };
    until_then(|| {
        assert!(opens(&ring, &sealed), "the key is never away");
        count("/approle/login") >= 2 && count("/renew-self") >= 2
    });

    let wrong = open(config(&bao.url(), role("no such secret")), lives(2)).unwrap();
    complains(wrong.create(ID), Trouble::Denied, "VAULT_SECRET_ID");
}

#[test]
fn a_session_that_is_revoked_is_replaced_by_a_role_and_ends_a_token() {
    let (bao, token) = ready();
    let (role_id, secret_id) = bao.make_role("server", "app", &json!({}));
    let login = VaultLogin::AppRole {
        mount: "approle".to_owned(),
        role_id,
        secret_id: SecretText::new(&secret_id),
    };
    let by_role = open(config(&bao.url(), login), lives(300)).unwrap();
    by_role.create(ID).unwrap();
    bao.admin("POST", "/auth/token/revoke", &json!({ "token": token }));
    // Revokes what the method gave.
    bao.admin("POST", "/sys/leases/revoke-prefix/auth/approle", &json!({}));
    by_role.create(ID).unwrap();
    let denied = by_token(&bao.url(), &token, lives(300)).create(ID);
    complains(denied, Trouble::Denied, "VAULT_TOKEN");
}

#[test]
fn a_token_that_ends_is_renewed() {
    let (bao, _) = ready();
    let token = bao.make_token("app", 2);
    let front = Front::before(bao.address());
    let source = by_token(&front.url(), &token, lives(2));
    let (ring, sealed, _) = sealed(&source);
    until_then(|| {
        assert!(opens(&ring, &sealed), "the key is never away");
        let seen = front.seen();
        let renewed = seen.iter().filter(|it| it.path.ends_with("/renew-self"));
        renewed.count() >= 4
    });
}

#[test]
fn settings_that_cannot_be_right_are_refused_before_anything_is_asked() {
    let token = || VaultLogin::Token(SecretText::new("a token"));
    let good = || config("https://vault.example.org", token());
    assert!(open(good(), lives(2)).is_ok());
    for (bad, word) in [
        (config("http://vault.example.org", token()), "address"),
        (
            VaultConfig {
                key: "../sys".to_owned(),
                ..good()
            },
            "hashicorp_vault_key",
        ),
        (
            VaultConfig {
                mount: "/".to_owned(),
                ..good()
            },
            "hashicorp_vault_mount",
        ),
        (
            VaultConfig {
                ca: Some(b"no certificate".to_vec()),
                ..good()
            },
            "hashicorp_vault_ca",
        ),
    ] {
        complains(open(bad, lives(2)), Trouble::Setting, word);
    }
}

#[test]
fn no_secret_of_vault_shows_itself() {
    let login = VaultLogin::AppRole {
        mount: "approle".to_owned(),
        role_id: "a role".to_owned(),
        secret_id: SecretText::new("s3cr3t"),
    };
    let config = config("https://vault.example.org", login);
    insta::assert_compact_debug_snapshot!(config, @r#"VaultConfig { address: "https://vault.example.org", namespace: None, mount: "transit", key: "messages", ca: None, login: AppRole { mount: "approle", role_id: "a role", secret_id: SecretText([redacted]) } }"#);
    let token = VaultLogin::Token(SecretText::new("s3cr3t"));
    insta::assert_compact_debug_snapshot!(token, @"Token(SecretText([redacted]))");
    let source = open(config, lives(2)).unwrap();
    insta::assert_compact_debug_snapshot!(source, @"RemoteSource { provider: ProviderTag(3), settings: RemoteSettings { cache_life: 2s, time_limit: 10s, suite: ChaCha20Poly1305 }, .. }");
}
