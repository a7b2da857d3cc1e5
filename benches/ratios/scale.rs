//! The durable plane with 100,000 accounts: appends, look-ups, a great clean-up, and what sealing costs.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ambient::OsEntropy;
use keyring::{Context, KekId, KeyMaterial, Keyring, LocalProvider, SALT_LEN};
use store::testing::sample::{self, ABSOLUTE, NOW};
use store::{Admission, NewUser, Store};

use crate::report::{Aim, Report};
use crate::store_load::{self, alone, close, over_file, spread};

/// How many are registered.
pub(crate) const ACCOUNTS: u64 = 100_000;
const APPENDS: u64 = 50_000;
const LOOKS: u64 = 100_000;
/// Accounts of full size, for the bytes that one takes.
const FULL: u64 = 1_000;
use crate::durable::LEAVES;

/// Measures and reports.
pub(crate) async fn run(report: &mut Report, folder: &Path) -> io::Result<()> {
    size_of_an_account(report, folder).await?;
    let path = folder.join("scale.db");
    let store = over_file(&path)?;
    fill(&store).await?;
    appends(report, &store, folder).await?;
    let session = sessions(report, &store, &path).await?;
    let user = users(report, &store, &path).await?;
    sealing(report, session, user)?;
    clean_up(report, &store).await?;
    close(store).await
}

/// An account whose public parts and safes are short, so that a hundred thousand fit on a disk; no
/// look-up that is measured reads them.
fn slim(number: u64) -> NewUser {
    let mut user = sample::user(number, 1, Admission::Open);
    user.safe.data.truncate(256);
    user.prekey_safe.data.truncate(256);
    user.public_keys.account_keys.truncate(256);
    user.public_keys.verify_key.truncate(256);
    user.prekeys.head.truncate(256);
    user
}

/// Registers everybody.
pub(crate) async fn fill(store: &Store) -> io::Result<()> {
    spread(ACCOUNTS, |number| {
        let store = store.clone();
        async move {
            let user = slim(number);
            let session = sample::session(user.user_id, number, NOW);
            let registered = store.register(user, session, vec![]).await;
            registered.map(drop).map_err(io::Error::other)
        }
    })
    .await
    .map(drop)
}

/// Bytes in the file for each account as the server keeps it, over what it was given.
async fn size_of_an_account(report: &mut Report, folder: &Path) -> io::Result<()> {
    let path = folder.join("size.db");
    close(over_file(&path)?).await?;
    let empty = std::fs::metadata(&path)?.len();
    let store = over_file(&path)?;
    sample::register(&store, 0..FULL, LEAVES).await;
    close(store).await?;
    let each = (std::fs::metadata(&path)?.len() - empty) as f64 / FULL as f64;
    report.row(
        "bytes of an account in the file / bytes given",
        (each, "B"),
        (crate::durable::registration_bytes() as f64, "B"),
        Aim::NEAR_COST,
    );
    Ok(())
}

async fn appends(report: &mut Report, store: &Store, folder: &Path) -> io::Result<()> {
    let ours = store_load::appends(std::slice::from_ref(store), APPENDS).await?;
    let bare = crate::durable::bare(&folder.join("bare-audit.db"), 5_000, 400)?;
    report.row(
        "audit appends, 64 at once / bare commits of as many bytes",
        (ours, "/s"),
        (bare, "/s"),
        Aim::AtLeast(1.0),
    );
    Ok(())
}

/// Reads one row by a key over and over on a connection of SQLite's own.
fn bare_look_ups(path: &Path, sql: &str, keys: &[Vec<u8>]) -> io::Result<f64> {
    let database = rusqlite::Connection::open(path).map_err(io::Error::other)?;
    let mut select = database.prepare(sql).map_err(io::Error::other)?;
    let begun = Instant::now();
    for key in keys {
        let row: Vec<u8> = select
            .query_row([key], |row| row.get(0))
            .map_err(io::Error::other)?;
        std::hint::black_box(row);
    }
    Ok(keys.len() as f64 / begun.elapsed().as_secs_f64())
}

/// Holds look-ups, many at once, against bare ones in a second; returns microseconds for one, as a
/// single caller waits for it.
async fn look_ups<F, W>(report: &mut Report, name: &str, bare: f64, look_up: F) -> io::Result<f64>
where
    F: Fn(u64) -> W,
    W: Future<Output = io::Result<()>> + Send + 'static,
{
    let took = spread(LOOKS, &look_up).await?;
    report.row(
        name,
        (LOOKS as f64 / took.as_secs_f64(), "/s"),
        (bare, "/s"),
        Aim::NEAR_RATE,
    );
    alone(LOOKS / 10, async |number| look_up(number).await).await
}

/// Takes a row that must be there.
pub(crate) fn seen<T>(row: Result<Option<T>, store::Fault>) -> io::Result<()> {
    match row.map_err(io::Error::other)? {
        Some(row) => {
            std::hint::black_box(row);
            Ok(())
        }
        None => Err(io::Error::other("what is looked up is missing")),
    }
}

async fn sessions(report: &mut Report, store: &Store, path: &Path) -> io::Result<f64> {
    let keys: Vec<Vec<u8>> = (0..LOOKS)
        .map(|n| sample::session_id(scattered(n)).as_bytes().to_vec())
        .collect();
    let bare = bare_look_ups(
        path,
        "SELECT encrypted_data FROM sessions WHERE session_id = ?1",
        &keys,
    )?;
    let name = "session look-ups, 64 at once / bare SELECTs by key";
    look_ups(report, name, bare, |number| {
        let store = store.clone();
        let id = sample::session_id(scattered(number));
        async move { seen(store.find_session(id, NOW).await) }
    })
    .await
}

async fn users(report: &mut Report, store: &Store, path: &Path) -> io::Result<f64> {
    let database = rusqlite::Connection::open(path).map_err(io::Error::other)?;
    let indexes: Vec<Vec<u8>> = database
        .prepare("SELECT handle_index FROM users ORDER BY random() LIMIT ?1")
        .and_then(|mut all| all.query_map([LOOKS], |row| row.get(0))?.collect())
        .map_err(io::Error::other)?;
    drop(database);
    let bare = bare_look_ups(
        path,
        "SELECT encrypted_data FROM users WHERE handle_index = ?1",
        &indexes,
    )?;
    let name = "user look-ups by handle, 64 at once / bare SELECTs by index";
    look_ups(report, name, bare, |number| {
        let store = store.clone();
        let handle = sample::handle(scattered(number));
        async move { seen(store.user_by_handle(&handle).await) }
    })
    .await
}

/// Visits the accounts out of order.
pub(crate) fn scattered(number: u64) -> u64 {
    number.wrapping_mul(7_919) % ACCOUNTS
}

/// What opening one sealed value adds to a look-up, and how much longer sealing makes a value.
pub(crate) fn sealing(report: &mut Report, session_us: f64, user_us: f64) -> io::Result<()> {
    let key = KeyMaterial::new(b"a key for benchmarks".to_vec());
    let local = LocalProvider::derive(
        &key,
        &[7; SALT_LEN],
        keyring::MINIMUM_ITERATIONS,
        KekId::from_bytes([1; 16]),
        1,
        Arc::new(OsEntropy),
    )
    .map_err(io::Error::other)?;
    let ring = Keyring::new(Arc::new(local), Arc::new(OsEntropy));
    let context = Context {
        table: "sessions",
        column: "encrypted_data",
        row_id: &[3; 32],
        schema_version: 1,
    };
    // As long as the JSON of a session's details.
    let value = vec![b'x'; 160];
    let sealed = ring.seal(&context, &value).map_err(io::Error::other)?;
    let rounds = 50_000_u32;
    let begun = Instant::now();
    for _ in 0..rounds {
        std::hint::black_box(ring.open(&context, &sealed).map_err(io::Error::other)?);
    }
    let open_us = begun.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
    report.row(
        "opening a sealed value / a session look-up",
        (open_us, "µs"),
        (session_us, "µs"),
        Aim::AtMost(0.15),
    );
    report.row(
        "opening a sealed value / a user look-up by handle",
        (open_us, "µs"),
        (user_us, "µs"),
        Aim::AtMost(0.15),
    );
    let added = (sealed.len() - value.len()) as f64;
    let account = crate::durable::registration_bytes() as f64;
    // An account has seven sealed values: data, credential, wraps, both safes, its audit key and
    // its session.
    report.row(
        "bytes that sealing adds to an account / bytes given",
        (added * 7.0, "B"),
        (account, "B"),
        Aim::AtMost(0.15),
    );
    Ok(())
}

/// Ends every session at once while others are looked up.
async fn clean_up(report: &mut Report, store: &Store) -> io::Result<()> {
    let later = NOW + ABSOLUTE;
    // One session goes on, which is looked up all the while.
    let kept = sample::session(sample::user_id(0), ACCOUNTS, later);
    let id = kept.session_id;
    store
        .create_session(kept, vec![])
        .await
        .map_err(io::Error::other)?;
    let quiet = p99(look_ups_until(store, id, later, &AtomicBool::new(false), 5_000).await?);
    let done = AtomicBool::new(false);
    let ending = async {
        let begun = Instant::now();
        let mut ended = 0;
        loop {
            let chunk = store
                .delete_expired_sessions(later)
                .await
                .map_err(io::Error::other)?;
            ended += chunk.sessions.len() as u64;
            if !chunk.more {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
        Ok::<_, io::Error>((ended, begun.elapsed()))
    };
    let (ended, looked) = tokio::join!(ending, look_ups_until(store, id, later, &done, usize::MAX));
    let ((ended, took), looked) = (ended?, looked?);
    report.row(
        "look-up p99 while 100,000 sessions are ended / when nothing is",
        (p99(looked), "µs"),
        (quiet, "µs"),
        Aim::Open,
    );
    report.note(format!(
        "{ended} expired sessions ended in {:.1} s, each with its audit record, in chunks of at most 10 ms.",
        took.as_secs_f64()
    ));
    Ok(())
}

/// Microseconds of one look-up after the other.
async fn look_ups_until(
    store: &Store,
    id: store::SessionId,
    now: u64,
    done: &AtomicBool,
    most: usize,
) -> io::Result<Vec<f64>> {
    let mut times = Vec::new();
    while !done.load(Ordering::Relaxed) && times.len() < most {
        let begun = Instant::now();
        let found = store
            .find_session(id, now)
            .await
            .map_err(io::Error::other)?;
        if found.is_none() {
            return Err(io::Error::other("a session that has not expired is gone"));
        }
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(times)
}

fn p99(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times
        .get(times.len() * 99 / 100)
        .copied()
        .unwrap_or(f64::NAN)
}
