//! `aws_kms`, over moto, and over a proxy for what moto does not do.

use std::sync::Arc;

use ambient::{OsEntropy, SystemClock};
use keyring::{
    AwsConfig, AwsLogin, KekSource, ProviderError, RemoteSettings, RemoteSource, SecretText,
    Trouble,
};
use servers::http::{Answer, Asked};
use servers::{Fault, Front, Moto, until_then};

use super::{
    ID, bears_a_bad_service, complains, drops_a_key_that_is_refused, first, lives, opens, sealed,
};

fn key(id: &str, secret: &str) -> AwsLogin {
    AwsLogin::Key {
        id: id.to_owned(),
        secret: SecretText::new(secret),
        session_token: None,
    }
}

fn open(
    url: &str,
    key_id: &str,
    login: AwsLogin,
    settings: RemoteSettings,
) -> Result<RemoteSource, ProviderError> {
    let config = AwsConfig {
        key_id: key_id.to_owned(),
        region: Moto::REGION.to_owned(),
        endpoint: Some(url.to_owned()),
        login,
    };
    let clock = Arc::new(SystemClock::start());
    RemoteSource::aws_kms(config, settings, Arc::new(OsEntropy), clock)
}

fn refuses(kind: &str) -> Fault {
    let body = format!("{{\"__type\":\"{kind}\",\"message\":\"its words\"}}");
    Fault::Answers(Answer::new(400, body))
}

#[test]
fn keys_that_aws_wraps_conform_and_bear_what_a_network_does() {
    let moto = Moto::start();
    let id = moto.make_key();
    let front = Front::before(moto.address());
    bears_a_bad_service(&front, &|settings| {
        open(&front.url(), &id, key("testing", "testing"), settings).unwrap()
    });
    let seen = front.seen();
    let signed = seen.iter().all(|asked| {
        let signature = asked.header("authorization").unwrap_or_default();
        signature.contains("/us-east-1/kms/aws4_request")
            && signature.contains("x-amz-target")
            && asked.header("x-amz-date").is_some()
    });
    assert!(signed, "every request is signed for this service");
}

#[test]
fn a_key_that_is_disabled_denied_or_gone_is_dropped_at_once_and_comes_back() {
    let moto = Moto::start();
    let id = moto.make_key();
    let front = Front::before(moto.address());
    let source = open(&front.url(), &id, key("testing", "testing"), lives(8)).unwrap();
    // moto goes on with a key that is disabled: the proxy answers as AWS does.
    for (kind, expected, advice) in [
        ("DisabledException", Trouble::Disabled, "enable it again"),
        ("AccessDeniedException", Trouble::Denied, "kms:Decrypt"),
    ] {
        drops_a_key_that_is_refused(
            &source,
            &|| front.fails(refuses(kind)),
            &|| front.works(),
            expected,
            advice,
        );
    }
    let unknown = "00000000-0000-0000-0000-000000000000";
    let missing = open(&moto.url(), unknown, key("testing", "testing"), lives(8)).unwrap();
    complains(missing.create(ID), Trouble::Missing, "aws_kms_key_id");
}

#[test]
fn a_service_that_is_killed_is_out_of_reach() {
    let mut moto = Moto::start();
    let id = moto.make_key();
    let source = open(&moto.url(), &id, key("testing", "testing"), lives(2)).unwrap();
    let (ring, sealed, _) = sealed(&source);
    moto.kill();
    assert!(opens(&ring, &sealed), "the key is still held");
    until_then(|| !opens(&ring, &sealed));
    complains(
        first(&ring).health(),
        Trouble::Unreachable,
        "aws_kms_endpoint",
    );
}

/// The text between two marks of XML.
fn between(text: &str, mark: &str) -> String {
    let (_, rest) = text.split_once(&format!("<{mark}>")).unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

#[test]
fn the_signature_is_checked_and_a_wrong_secret_is_denied() {
    // After so many requests moto asks for signatures and policies.
    let moto = Moto::start_with(&[("INITIAL_NO_AUTH_ACTION_COUNT", "4")]);
    let iam = |form: &str| {
        let asked = Asked {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            body: form.as_bytes().to_vec(),
            ..Asked::default()
        };
        let asked = asked.with("content-type", "application/x-www-form-urlencoded");
        let answer = moto.ask("iam", asked);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    };
    let id = moto.make_key();
    iam("Action=CreateUser&Version=2010-05-08&UserName=server");
    let made = iam("Action=CreateAccessKey&Version=2010-05-08&UserName=server");
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
                  %22Allow%22%2C%22Action%22%3A%22kms%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
    iam(&format!(
        "Action=PutUserPolicy&Version=2010-05-08&UserName=server&PolicyName=keys\
         &PolicyDocument={policy}"
    ));
    let (name, secret) = (
        between(&made, "AccessKeyId"),
        between(&made, "SecretAccessKey"),
    );
    let good = open(&moto.url(), &id, key(&name, &secret), lives(300)).unwrap();
    good.create(ID).unwrap();
    let wrong = open(&moto.url(), &id, key(&name, "another secret"), lives(300));
    assert!(wrong.is_err(), "a blank is in no secret");
    let wrong = open(&moto.url(), &id, key(&name, "another-secret"), lives(300)).unwrap();
    complains(wrong.create(ID), Trouble::Denied, "AWS_SECRET_ACCESS_KEY");
    let nobody = open(&moto.url(), &id, key("AKIANOBODY", &secret), lives(300)).unwrap();
    complains(nobody.create(ID), Trouble::Denied, "AWS_ACCESS_KEY_ID");
}

#[test]
fn settings_of_aws_that_cannot_be_right_are_refused() {
    let clock = || Arc::new(SystemClock::start());
    for (key_id, region, endpoint, word) in [
        ("", "eu-central-1", None, "aws_kms_key_id"),
        ("alias/messages", "", None, "aws_kms_region"),
        (
            "alias/messages",
            "evil.example.org/",
            None,
            "aws_kms_region",
        ),
        (
            "alias/messages",
            "eu-central-1",
            Some("http://kms.example.org"),
            "aws_kms_endpoint",
        ),
    ] {
        let config = AwsConfig {
            key_id: key_id.to_owned(),
            region: region.to_owned(),
            endpoint: endpoint.map(str::to_owned),
            login: key("id", "secret"),
        };
        let made = RemoteSource::aws_kms(config, lives(2), Arc::new(OsEntropy), clock());
        complains(made, Trouble::Setting, word);
    }
}

#[test]
fn no_secret_of_aws_shows_itself() {
    let login = AwsLogin::Key {
        id: "AKIA".to_owned(),
        secret: SecretText::new("s3cr3t"),
        session_token: Some(SecretText::new("t0k3n")),
    };
    insta::assert_compact_debug_snapshot!(login, @r#"Key { id: "AKIA", secret: SecretText([redacted]), session_token: Some(SecretText([redacted])) }"#);
}
