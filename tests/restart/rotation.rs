//! Keys rotate: killed at any point, by subcommand with and without a server, to a new key.

use std::path::Path;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use secure_messaging::config::Config;
use secure_messaging::faces::control::client::Server;
use secure_messaging::faces::control::{KeyWork, Wanted};
use store::{KekState, KeySource, OpenError, Store, StoreConfig};
use tempfile::TempDir;

use crate::support::{Account, Client, Spawned, binary, random_id};

/// Servers that run side by side.
const INSTANCES: usize = 4;
/// One job in so many is let end before the kill.
const UNCUT: usize = 6;
const KEY: &str = "a key of the tests";
const OTHER_KEY: &str = "the next key of the tests";

fn cycles() -> usize {
    if std::env::var_os("SECURE_MESSAGING_LONG").is_some() {
        1_000
    } else {
        152
    }
}

fn config(data: &Path) -> Config {
    Config {
        data_dir: data.to_owned(),
        ..Config::default()
    }
}

fn open(data: &Path, key: &str) -> Result<Store, OpenError> {
    let path = data.join("secure_messaging.db");
    let key = KeySource::beside(Some(key.to_owned()), &path);
    Store::open(&StoreConfig::new(&path, key))
}

#[test]
fn nothing_is_lost_when_a_rotation_is_killed_a_hundred_and_fifty_times() {
    let each = cycles().div_ceil(INSTANCES);
    let instances: Vec<_> = (0..INSTANCES)
        .map(|_| thread::spawn(move || actix_web::rt::System::new().block_on(killed(each))))
        .collect();
    let done: Vec<(usize, usize)> = instances
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    let cut: usize = done.iter().map(|(cut, _)| cut).sum();
    let retired: usize = done.iter().map(|(_, retired)| retired).sum();
    println!("{cut} jobs cut, {retired} keys retired");
    assert!(
        cut >= cycles() / 4,
        "the control: too few kills fell into a job: {cut}"
    );
    assert!(
        retired >= INSTANCES * 2,
        "the control: too few rotations ended: {retired}"
    );
}

/// Kills a server again and again while keys rotate and people register; answers how many kills
/// fell into a job, and how many keys were retired.
async fn killed(cycles: usize) -> (usize, usize) {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    let mut known = vec![("admin".to_owned(), admin.client.cookie())];
    for number in 0..20 {
        let handle = format!("settled{number}");
        let account = Account::register(server.client(), &handle, None)
            .await
            .unwrap();
        known.push((handle, account.client.cookie()));
    }
    server.kill();
    let mut cut = 0;
    let mut length = Duration::ZERO;
    for cycle in 0..cycles {
        let server = Spawned::start(data.path());
        for (handle, cookie) in &known[known.len().saturating_sub(3)..] {
            check(&server, handle, cookie).await;
        }
        let asked = Instant::now();
        // Some jobs end before the kill; they say how long a job takes here.
        let ends = cycle % UNCUT == 1;
        let asking = ask(data.path(), cycle, ends);
        let wait = length * u32::from(random_id()[0]) / 256;
        let handle = format!("cycle{cycle}");
        let registering = async {
            let account = Account::try_register(server.client(), &handle).await?;
            Some((handle.clone(), account.client.cookie()))
        };
        if ends {
            known.extend(registering.await);
            let done = actix_web::rt::task::spawn_blocking(move || asking.join().unwrap());
            assert!(done.await.unwrap());
            length = asked.elapsed();
            server.kill();
        } else {
            known.extend(tokio::time::timeout(wait, registering).await.ok().flatten());
            actix_web::rt::time::sleep(wait.saturating_sub(asked.elapsed())).await;
            server.kill();
            cut += usize::from(!asking.join().unwrap());
        }
    }
    let server = Spawned::start(data.path());
    for (handle, cookie) in &known {
        check(&server, handle, cookie).await;
    }
    server.kill();
    let store = open(data.path(), KEY).unwrap();
    while store
        .step_key_job(Duration::from_secs(1), 0)
        .await
        .unwrap()
        .is_some_and(|job| !job.finished)
    {}
    let keks = store.keks().await.unwrap();
    let count = |state| keks.iter().filter(|kek| kek.state == state).count();
    assert_eq!((count(KekState::Active), count(KekState::Retiring)), (1, 0));
    store.verify_audit_chain().await.unwrap();
    let retired = count(KekState::Retired);
    store.close().unwrap();
    (cut, retired)
}

/// Begins a job at the control socket; the thread answers whether it was done before the server
/// was killed. One that a kill cut may be going on already: that counts as cut, or is waited for.
fn ask(data: &Path, cycle: usize, ends: bool) -> thread::JoinHandle<bool> {
    let config = config(data);
    let work = if cycle.is_multiple_of(3) {
        KeyWork::Renew
    } else {
        KeyWork::Rotate {
            key: Wanted::Configured,
        }
    };
    thread::spawn(move || {
        loop {
            let server = Server::find(&config);
            let done =
                server.is_some_and(|server| server.ask_for_key_work(work.clone(), |_| {}).is_ok());
            if done || !ends {
                return done;
            }
            thread::park_timeout(Duration::from_millis(5));
        }
    })
}

async fn check(server: &Spawned, handle: &str, cookie: &Option<String>) {
    let client = server.client();
    client.set_cookie(cookie.clone());
    let answer = client.get("/api/v1/session").await;
    assert_eq!(answer.status, 200, "{handle} was acknowledged and is lost");
    client.get("/api/v1/safe").await.expect(200);
}

fn rotate_keys(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    binary()
        .arg("rotate-keys")
        .args(arguments)
        .arg("--data-dir")
        .arg(data)
        .current_dir(data)
        .env_remove("DATABASE_URL")
        .env("DB_ENCRYPTION_KEY", KEY)
        .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[track_caller]
fn succeeded(output: Output) -> String {
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

#[actix_web::test]
async fn one_command_moves_a_serving_database_to_a_new_key() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let admin = server.administrator().await;
    let folder = data.path().to_owned();
    let new = [("DB_ENCRYPTION_KEY_NEW", OTHER_KEY)];
    let done = actix_web::rt::task::spawn_blocking(move || {
        rotate_keys(&folder, &["--new-key", "--data-keys"], &new)
    });
    let text = succeeded(done.await.unwrap());
    assert!(text.contains("moving to the new key: 100 %"), "{text}");
    assert!(text.contains("new data keys: 100 %"), "{text}");
    assert!(text.contains("Put the new one in its place"), "{text}");
    admin.client.get("/api/v1/safe").await.expect(200);
    assert!(
        !server.log().contains(OTHER_KEY),
        "the key is in no log line"
    );
    assert!(data.path().join("control.sock").exists());
    server.stop();
    assert!(!data.path().join("control.sock").exists());
    assert!(matches!(
        open(data.path(), KEY),
        Err(OpenError::WrongKey { .. })
    ));
    let variables = [("DB_ENCRYPTION_KEY", OTHER_KEY)];
    let server = Spawned::start_with(data.path(), &variables);
    let client: Client = admin.client.with_cookie_of(server.address);
    client.get("/api/v1/safe").await.expect(200);
}

#[actix_web::test]
async fn the_command_works_without_a_server_and_finishes_what_was_cut() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    server.administrator().await;
    server.kill();
    let store = open(data.path(), KEY).unwrap();
    store
        .begin_rotation(store::NewKey::Configured, "cut".to_owned(), 0, vec![])
        .await
        .unwrap();
    store.close().unwrap();
    let text = succeeded(rotate_keys(data.path(), &[], &[]));
    assert!(text.contains("First, the job that was cut off"), "{text}");
    let store = open(data.path(), KEY).unwrap();
    let keks = store.keks().await.unwrap();
    assert_eq!(keks.len(), 3);
    assert_eq!(keks[0].state, KekState::Active);
    store.close().unwrap();
}

#[actix_web::test]
async fn a_key_file_is_replaced_by_a_new_one() {
    let data = TempDir::new().unwrap();
    let path = data.path().join("secure_messaging.db");
    let source = || KeySource::beside(None, &path);
    Store::open(&StoreConfig::new(&path, source()))
        .unwrap()
        .close()
        .unwrap();
    let before = std::fs::read(path.with_extension("key")).unwrap();
    let output = binary()
        .args(["rotate-keys", "--new-key", "--data-dir"])
        .arg(data.path())
        .current_dir(data.path())
        .env_remove("DB_ENCRYPTION_KEY")
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    succeeded(output);
    assert_ne!(std::fs::read(path.with_extension("key")).unwrap(), before);
    Store::open(&StoreConfig::new(&path, source())).unwrap();
}

#[actix_web::test]
async fn a_second_server_on_one_database_is_refused() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let second = binary()
        .args(["serve", "--bind-addr", "127.0.0.1:0", "--data-dir"])
        .arg(data.path())
        .current_dir(data.path())
        .env("DB_ENCRYPTION_KEY", KEY)
        .output()
        .unwrap();
    assert!(!second.status.success());
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(text.contains("held by another process"), "{text}");
    server.kill();
}
