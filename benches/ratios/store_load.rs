//! The store without a server before it, over a file or a server of databases.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use store::testing::sample::{self, NOW};
use store::{KeySource, PostgresConfig, Store, StoreConfig};
use tokio::task::JoinSet;

use crate::subject::KEY;

/// Requests in flight.
pub(crate) const AT_ONCE: u64 = 64;

/// Opens a store over a file.
pub(crate) fn over_file(path: &Path) -> io::Result<Store> {
    open(StoreConfig::new(
        path,
        KeySource::beside(Some(KEY.into()), path),
    ))
}

/// Opens a store over a database of PostgreSQL.
pub(crate) fn over_server(address: &str) -> io::Result<Store> {
    let key = KeySource::beside(Some(KEY.into()), Path::new("there-is-no-file"));
    let postgres = PostgresConfig::new(address.to_owned());
    open(StoreConfig::server(postgres, key))
}

fn open(mut config: StoreConfig) -> io::Result<Store> {
    config.iterations = 100_000;
    Store::open(&config).map_err(io::Error::other)
}

/// Ends a store.
pub(crate) async fn close(store: Store) -> io::Result<()> {
    tokio::task::spawn_blocking(move || store.close())
        .await
        .map_err(io::Error::other)?
        .map_err(io::Error::other)
}

/// Does work for every number below `count`, so many at once; returns how long it took.
pub(crate) async fn spread<F, W>(count: u64, work: F) -> io::Result<Duration>
where
    F: Fn(u64) -> W,
    W: Future<Output = io::Result<()>> + Send + 'static,
{
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..count {
        if number >= AT_ONCE
            && let Some(done) = tasks.join_next().await
        {
            done.map_err(io::Error::other)??;
        }
        tasks.spawn(work(number));
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    Ok(begun.elapsed())
}

/// Microseconds of one look-up, as a single caller waits for it.
pub(crate) async fn alone(
    count: u64,
    look_up: impl AsyncFn(u64) -> io::Result<()>,
) -> io::Result<f64> {
    let begun = Instant::now();
    for number in 0..count {
        look_up(number).await?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / count as f64)
}

/// Audit records appended in a second by stores of one database, which take turns.
pub(crate) async fn appends(stores: &[Store], count: u64) -> io::Result<f64> {
    let took = spread(count, |number| {
        let store = stores[number as usize % stores.len()].clone();
        async move {
            let event = sample::event(None, "session.created", NOW);
            store
                .append_audit(vec![event])
                .await
                .map_err(io::Error::other)
        }
    })
    .await?;
    Ok(count as f64 / took.as_secs_f64())
}
