//! The suite over an S3-compatible store: moto, which the test command installs.

use backup::{S3Options, Target};
use servers::Moto;
use servers::http::Asked;
use zeroize::Zeroizing;

use crate::conformance::conforms;
use crate::support::{Changing, key, source};

/// One request without a body; returns the status.
fn ask(moto: &Moto, method: &str, path: &str) -> u16 {
    let asked = Asked {
        method: method.to_owned(),
        path: path.to_owned(),
        ..Asked::default()
    };
    moto.ask("s3", asked).status
}

fn target(moto: &Moto, address: &str) -> Target {
    let options = S3Options {
        endpoint: Some(moto.url()),
        region: None,
        access_key_id: Some("testing".to_owned()),
        secret_access_key: Some(Zeroizing::new("testing".to_owned())),
        session_token: None,
        instance_role: false,
    };
    Target::open(address, &options).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_s3_compatible_store_conforms() {
    let moto = Moto::start();
    assert_eq!(ask(&moto, "PUT", "/backups"), 200);
    let at = target(&moto, "s3://backups/a/server");
    conforms(&at, &|id| {
        let path = format!("/backups/a/server/{id}/manifest");
        assert_eq!(ask(&moto, "DELETE", &path), 204);
    })
    .await;
    // Another server's prefix in the same bucket is another target.
    let other = target(&moto, "s3://backups/a/server2");
    let found = backup::catalogue(&other, &key(1)).await.unwrap();
    assert!(found.backups.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bucket_that_does_not_exist_is_an_error_with_what_to_do() {
    let moto = Moto::start();
    let at = target(&moto, "s3://nowhere/at/all");
    let mut file = Changing::new(2);
    let path = file.path();
    let source = source(&path, 1_800_000_000);
    let progress = backup::Progress::default();
    let refused = backup::create(
        &at,
        &key(1),
        &source,
        backup::Wish::Full,
        &mut file.numbers,
        &progress,
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(
        refused.contains("nowhere") || refused.contains("target"),
        "{refused}"
    );
    assert!(
        !refused.contains("testing"),
        "the secret is not shown: {refused}"
    );
}
