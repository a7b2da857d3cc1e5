//! `kill -9` in a loop under registrations and sign-ins: what was acknowledged is there afterwards.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::thread;

use store::{KeySource, Store, StoreConfig};
use tempfile::TempDir;

use crate::support::{Account, Client, Passphrase, Spawned, random_id};

/// Servers that run side by side.
const INSTANCES: usize = 4;
const PASSPHRASE: Passphrase = Passphrase("signs in between the kills");

/// What was acknowledged: the cookie of every session, by the handle of its account.
type Acknowledged = Rc<RefCell<BTreeMap<String, Vec<String>>>>;

fn cycles() -> usize {
    if std::env::var_os("SECURE_MESSAGING_LONG").is_some() {
        10_000
    } else {
        300
    }
}

#[test]
fn nothing_acknowledged_is_lost_in_three_hundred_kills() {
    let each = cycles().div_ceil(INSTANCES);
    let instances: Vec<_> = (0..INSTANCES)
        .map(|_| thread::spawn(move || actix_web::rt::System::new().block_on(instance(each))))
        .collect();
    let acknowledged: usize = instances
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert!(
        acknowledged >= cycles(),
        "{acknowledged} records are too few to prove anything"
    );
}

async fn instance(cycles: usize) -> usize {
    let data = TempDir::new().unwrap();
    let known = Acknowledged::default();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    let person = Account::register_with(server.client(), "person", None, PASSPHRASE)
        .await
        .unwrap();
    acknowledge(&known, &admin);
    acknowledge(&known, &person);
    server.kill();

    let mut last: Vec<(String, String)> = Vec::new();
    for cycle in 0..cycles {
        let server = Spawned::start(data.path());
        for (handle, cookie) in &last {
            check(&server, handle, cookie).await;
        }
        let before = snapshot(&known);
        load_until_killed(server, &known, cycle).await;
        last = snapshot(&known)
            .into_iter()
            .filter(|entry| !before.contains(entry))
            .collect();
    }
    let server = Spawned::start(data.path());
    let all = snapshot(&known);
    for (handle, cookie) in &all {
        check(&server, handle, cookie).await;
    }
    server.kill();
    whole_chain(data.path()).await;
    all.len()
}

/// Registers and signs in from several clients, and kills the server when a few were acknowledged;
/// what is under way then is cut.
async fn load_until_killed(server: Spawned, known: &Acknowledged, cycle: usize) {
    let enough = 1 + usize::from(random_id()[0] % 6);
    let (done, mut counted) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = Vec::new();
    for worker in 0..3 {
        let (known, done) = (Rc::clone(known), done.clone());
        let address = server.address;
        tasks.push(actix_web::rt::spawn(async move {
            for n in 0.. {
                let handle = format!("c{cycle}w{worker}n{n}");
                let client = Client::new(address);
                // A cut connection is no acknowledgement.
                let Some(account) = Account::try_register(client, &handle).await else {
                    return;
                };
                acknowledge(&known, &account);
                let _ = done.send(());
            }
        }));
    }
    if cycle.is_multiple_of(3) {
        let (known, done) = (Rc::clone(known), done.clone());
        let client = server.client();
        tasks.push(actix_web::rt::spawn(async move {
            if let Some(account) = Account::try_sign_in(client, "person", PASSPHRASE).await {
                acknowledge(&known, &account);
                for _ in 0..enough {
                    let _ = done.send(());
                }
            }
        }));
    }
    drop(done);
    for _ in 0..enough {
        counted
            .recv()
            .await
            .expect("a client gave up before the server was killed");
    }
    server.kill();
    for task in tasks {
        task.await.unwrap();
    }
}

fn acknowledge(known: &Acknowledged, account: &Account) {
    let cookie = account.client.cookie().unwrap();
    known
        .borrow_mut()
        .entry(account.handle.clone())
        .or_default()
        .push(cookie);
}

fn snapshot(known: &Acknowledged) -> Vec<(String, String)> {
    let known = known.borrow();
    let pairs = known.iter().flat_map(|(handle, cookies)| {
        cookies
            .iter()
            .map(move |cookie| (handle.clone(), cookie.clone()))
    });
    pairs.collect()
}

async fn check(server: &Spawned, handle: &str, cookie: &str) {
    let client = server.client();
    client.set_cookie(Some(cookie.to_owned()));
    let answer = client.get("/api/v1/session").await;
    assert_eq!(answer.status, 200, "{handle} was acknowledged and is lost");
    assert_eq!(answer.json()["handle"], handle);
    client.get("/api/v1/safe").await.expect(200);
}

async fn whole_chain(data: &Path) {
    let path = data.join("secure_messaging.db");
    let key = KeySource::beside(Some("a key of the tests".to_owned()), &path);
    let store = Store::open(&StoreConfig::new(&path, key)).unwrap();
    let head = store.verify_audit_chain().await.unwrap();
    assert!(head.id > 0);
    store.close().unwrap();
}
