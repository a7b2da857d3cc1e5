//! The present binary over the database of an older one.

use headless::Headless;
use store::{KeySource, StoreConfig, testing};
use tempfile::TempDir;

use crate::support::Spawned;

const PASSPHRASE: &str = "granite otter velvet mosaic turbine lantern";
const OTHER: &str = "lantern turbine mosaic velvet otter granite";

async fn browser(server: &Spawned) -> Headless {
    let base = format!("http://{}", server.address);
    Headless::connect(&base).await.unwrap()
}

#[actix_web::test]
async fn accounts_whose_wraps_stood_in_one_value_open_by_passphrase_and_by_recovery_key() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    server.administrator().await;
    let mut keys = Vec::new();
    for handle in ["alice", "bob"] {
        let mut person = browser(&server).await;
        let registered = person.register(handle, PASSPHRASE, None, None).await;
        keys.push(registered.unwrap());
    }
    server.stop();

    let database = data.path().join("secure_messaging.db");
    let key = KeySource::beside(Some("a key of the tests".to_owned()), &database);
    testing::join_wraps(&StoreConfig::new(&database, key));

    let server = Spawned::start(data.path());
    let mut alice = browser(&server).await;
    alice.sign_in("alice", PASSPHRASE).await.unwrap();
    let mut bob = browser(&server).await;
    bob.recover("bob", &keys[1], OTHER).await.unwrap();
    // And what bob's were replaced by.
    let mut elsewhere = browser(&server).await;
    elsewhere.sign_in("bob", OTHER).await.unwrap();
    server.stop();
}
