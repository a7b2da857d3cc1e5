//! The durable plane: registrations over bare SQLite commits on the same disk with the same settings.

use std::io;
use std::path::Path;
use std::time::Instant;

use store::testing::sample;
use store::{Admission, KeySource, Store, StoreConfig};

use crate::report::{Aim, Report};

const REGISTRATIONS: u64 = 2_000;
const AT_ONCE: u64 = 64;
/// One-time pairs of a registration.
pub(crate) const LEAVES: u32 = protocol::prekeys::ONE_TIME_AT_REGISTRATION as u32;

/// Measures and reports.
pub(crate) async fn run(report: &mut Report, folder: &Path) -> io::Result<()> {
    let bytes = registration_bytes();
    let bare_small = bare(&folder.join("bare-small.db"), REGISTRATIONS, 64)?;
    let bare_large = bare(&folder.join("bare-large.db"), REGISTRATIONS / 4, bytes)?;
    let full = registrations(&folder.join("full.db"), LEAVES).await?;
    let slim = registrations(&folder.join("slim.db"), 1).await?;
    report.row(
        "registrations / bare commits of as many bytes",
        (full, "/s"),
        (bare_large, "/s"),
        Aim::NEAR_RATE,
    );
    report.row(
        "registrations / bare commits of 64 bytes",
        (full, "/s"),
        (bare_small, "/s"),
        Aim::OursAtLeast(11_800.0),
    );
    report.row(
        "registrations without one-time prekeys / bare 64 bytes",
        (slim, "/s"),
        (bare_small, "/s"),
        Aim::Open,
    );
    report.note(format!("A registration carries {} KiB, nearly all of it one-time prekeys; both sides use WAL and synchronous=FULL, the bare one commits one by one.", bytes / 1024));
    Ok(())
}

/// Bytes that a registration hands to the store.
pub(crate) fn registration_bytes() -> usize {
    let user = sample::user(0, LEAVES, Admission::Open);
    let leaves: usize = user
        .prekeys
        .one_time
        .iter()
        .map(|leaf| leaf.bytes.len())
        .sum();
    leaves
        + user.prekeys.head.len()
        + user.prekeys.tree.len()
        + user.safe.data.len()
        + user.prekey_safe.data.len()
        + user.public_keys.account_keys.len()
}

/// Commits per second of one row of so many bytes each, nothing else.
pub(crate) fn bare(path: &Path, commits: u64, bytes: usize) -> io::Result<f64> {
    let database = rusqlite::Connection::open(path).map_err(io::Error::other)?;
    database
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, data BLOB) STRICT;",
        )
        .map_err(io::Error::other)?;
    let data = vec![7_u8; bytes];
    let mut insert = database
        .prepare("INSERT INTO t(data) VALUES (?1)")
        .map_err(io::Error::other)?;
    let started = Instant::now();
    for _ in 0..commits {
        insert.execute([&data]).map_err(io::Error::other)?;
    }
    Ok(commits as f64 / started.elapsed().as_secs_f64())
}

async fn registrations(path: &Path, leaves: u32) -> io::Result<f64> {
    let mut config = StoreConfig::new(
        path,
        KeySource::beside(Some("a key for benchmarks".into()), path),
    );
    config.iterations = 100_000;
    let store = Store::open(&config).map_err(io::Error::other)?;
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..AT_ONCE {
        let store = store.clone();
        let each = REGISTRATIONS / AT_ONCE;
        tasks.spawn(async move {
            sample::register(&store, lane * each..(lane + 1) * each, leaves).await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)?;
    }
    let rate = (REGISTRATIONS / AT_ONCE * AT_ONCE) as f64 / started.elapsed().as_secs_f64();
    tokio::task::spawn_blocking(move || store.close())
        .await
        .map_err(io::Error::other)?
        .map_err(io::Error::other)?;
    Ok(rate)
}
