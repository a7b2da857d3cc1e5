//! PostgreSQL is killed, and what was acknowledged is there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use servers::Postgres;
use store::testing::TEST_KEY;
use store::testing::sample::{self, NOW, event};
use store::{Fault, KeySource, PostgresConfig, Store, StoreConfig};

use super::cluster::Database;

/// How often it is killed.
const KILLS: u32 = 3;

fn open(cluster: &Postgres, address: &str) -> Store {
    assert!(address.contains(&cluster.port().to_string()));
    let folder = tempfile::tempdir().unwrap();
    let key = KeySource::beside(Some(TEST_KEY.into()), &folder.path().join("none.db"));
    let mut config = StoreConfig::server(PostgresConfig::new(address.to_owned()), key);
    config.iterations = store::testing::ITERATIONS;
    Store::open(&config).unwrap()
}

/// Tries until the database is back.
async fn append(store: &Store, number: u64) -> Result<(), Fault> {
    store
        .append_audit(vec![event(None, "test", NOW + number)])
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kills_and_service_returns_by_itself() {
    let mut cluster = Postgres::start();
    let address = cluster.database("killed");
    let store = open(&cluster, &address);
    sample::register(&store, 1..2, 0).await;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let ends = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for first in 0..8_u64 {
        let (store, acknowledged, ends) =
            (store.clone(), Arc::clone(&acknowledged), Arc::clone(&ends));
        writers.push(tokio::spawn(async move {
            let mut number = first;
            while !ends.load(Ordering::Relaxed) {
                if append(&store, number).await.is_ok() {
                    acknowledged.lock().unwrap().push(NOW + number);
                } else {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                number += 8;
            }
        }));
    }
    let more_than = |count: usize| {
        let acknowledged = Arc::clone(&acknowledged);
        servers::until("more records", || {
            (acknowledged.lock().unwrap().len() > count).then_some(())
        });
    };
    for _ in 0..KILLS {
        let before = acknowledged.lock().unwrap().len();
        more_than(before + 50);
        tokio::task::block_in_place(|| {
            cluster.kill();
            cluster.start_again();
        });
        let before = acknowledged.lock().unwrap().len();
        more_than(before + 20);
    }
    ends.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    store.verify_audit_chain().await.unwrap();
    let there = cluster
        .psql(
            "killed",
            "SELECT timestamp FROM audit_log WHERE action = 'test'",
        )
        .unwrap();
    let there: std::collections::BTreeSet<u64> =
        there.lines().map(|line| line.parse().unwrap()).collect();
    for time in acknowledged.lock().unwrap().iter() {
        assert!(there.contains(time), "{time} was acknowledged and is gone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_the_writer_ends_one_batch() {
    let database = Database::new();
    crate::panics::a_panic_undoes_the_batch_and_the_writer_goes_on(database.config()).await;
}
