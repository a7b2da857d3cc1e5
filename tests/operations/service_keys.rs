//! `service-keys`: from the terminal, beside a running server and without one.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ran, refused, run, stderr};
use crate::support::Spawned;

const SIGN: &str = "ML-DSA-87+Ed25519";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What can be done, each with what it says.
fn everything(data: &TempDir) {
    let keys = |arguments: &[&str]| ran(data.path(), &[&["service-keys"][..], arguments].concat());
    let wrong =
        |arguments: &[&str]| refused(data.path(), &[&["service-keys"][..], arguments].concat());
    let made = keys(&[
        "generate",
        "mail",
        "--algorithm",
        SIGN,
        "--name",
        "Post office",
    ]);
    assert!(made.contains("mail has version 1 of its key now"), "{made}");
    let twice = wrong(&["generate", "mail", "--algorithm", SIGN]);
    assert!(twice.contains("has a key already; use rotate"), "{twice}");
    let kept = keys(&["upsert", "mail", "--algorithm", SIGN]);
    assert!(
        kept.contains("mail has version 1 of its key already"),
        "{kept}"
    );
    let other = wrong(&["upsert", "mail", "--algorithm", "RS256"]);
    assert!(other.contains("rotate it"), "{other}");
    let rotated = keys(&["rotate", "mail", "--expected", "1"]);
    assert!(rotated.contains("version 2"), "{rotated}");
    let late = wrong(&["rotate", "mail", "--expected", "1"]);
    assert!(late.contains("decide again"), "{late}");
    keys(&["upsert", "web", "--algorithm", "RS256", "--bits", "2048"]);

    let listed = json(&keys(&["list", "--json"]));
    assert_eq!(listed[0]["service"], "mail");
    assert_eq!(
        (&listed[0]["version"], &listed[0]["name"]),
        (&json!(2), &json!("Post office"))
    );
    assert_eq!(
        (&listed[1]["service"], &listed[1]["key_size"]),
        (&json!("web"), &json!(2048))
    );
    let versions = keys(&["versions", "mail"]);
    assert_eq!(versions.lines().count(), 2, "{versions}");
    assert!(versions.contains("retired"), "{versions}");

    let public = json(&keys(&["public", "mail"]));
    assert_eq!(public["keys"].as_array().unwrap().len(), 4);
    let private = json(&keys(&["private", "mail", "--version", "1"]));
    assert_eq!(private["keys"][0]["version"], 1);
    assert_eq!(private["keys"][0]["priv"].as_str().unwrap().len(), 43);
    assert_eq!(private["keys"][0]["pub"], public["keys"][2]["pub"]);
    let pem = keys(&["private", "web", "--format", "pem"]);
    assert!(
        pem.starts_with("-----BEGIN PRIVATE KEY-----\n"),
        "{}",
        pem.len()
    );

    let unsure = wrong(&["delete", "mail", "--version", "1"]);
    assert!(
        unsure.contains("version 1 of the key of mail") && unsure.contains("--yes"),
        "{unsure}"
    );
    let active = wrong(&["delete", "mail", "--version", "2", "--yes"]);
    assert!(active.contains("rotate the key first"), "{active}");
    assert!(keys(&["delete", "mail", "--version", "1", "--yes"]).contains("deleted versions: 1"));
    assert!(keys(&["delete", "web", "--yes"]).contains("backups"));
    let gone = wrong(&["versions", "web"]);
    assert!(gone.contains("look at the list of services"), "{gone}");
    let hostile = wrong(&["generate", "../mail", "--algorithm", SIGN]);
    assert!(hostile.contains("1 to 64 lower-case letters"), "{hostile}");
    let size = wrong(&[
        "generate",
        "small",
        "--algorithm",
        "RS256",
        "--bits",
        "1024",
    ]);
    assert!(size.contains("2048, 3072 or 4096"), "{size}");
}

#[actix_web::test]
async fn keys_of_services_are_administered_beside_a_running_server() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    everything(&data);
    let path = "/api/v1/service-keys/mail/public";
    let answer = server.client().get(path).await.expect(200).json();
    assert_eq!(answer["keys"][0]["version"], 2);
    let path = "/api/v1/admin/audit?action=admin.service_key_reading.done";
    let records = admin.client.get(path).await.expect(200).json();
    let details = &records["records"][1]["details"];
    assert_eq!(details["subcommand"], "service-keys private");
    assert_eq!(
        (&details["service"], &details["version"]),
        (&json!("mail"), &json!(1))
    );
    // Nothing of a key is in the log of the server.
    let log = server.log();
    assert!(
        !log.contains("PRIVATE KEY") && !log.contains("\"priv\""),
        "{log}"
    );
}

#[test]
fn keys_of_services_are_administered_without_a_server() {
    let data = TempDir::new().unwrap();
    ran(data.path(), &["migrate"]);
    everything(&data);
    // No head signs the log of a database that no server has opened yet: one is started.
    Spawned::start(data.path()).stop();
    let verified = run(data.path(), &["audit", "verify"], &[]);
    assert!(verified.status.success(), "{}", stderr(&verified));
}

#[test]
fn an_algorithm_or_a_form_that_there_is_not_is_refused_with_those_that_there_are() {
    let data = TempDir::new().unwrap();
    for (arguments, expected) in [
        (&["generate", "a", "--algorithm", "HS256"][..], SIGN),
        (&["public", "a", "--format", "der"], "jwks or pem"),
        (&["list"], "start the server once"),
    ] {
        let output = run(
            data.path(),
            &[&["service-keys"][..], arguments].concat(),
            &[],
        );
        assert!(!output.status.success());
        let said = stderr(&output);
        assert!(said.contains(expected), "{said}");
    }
}
