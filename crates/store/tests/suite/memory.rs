//! A database in memory.

use ambient::Ambient;
use store::testing::sample;
use store::{Fault, SnapshotError, Store, StoreConfig};

use crate::support::Folder;

fn config() -> StoreConfig {
    let mut config = StoreConfig::memory(None, &Ambient::system());
    config.iterations = store::testing::ITERATIONS;
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_memory_is_the_one_store_s_own_and_is_not_copied() {
    let store = Store::open(&config()).unwrap();
    assert!(store.report().created);
    sample::register(&store, 1..4, 2).await;
    let other = Store::open(&config()).unwrap();
    let users = async |store: &Store| store.list_users(None, 100).await.unwrap().len();
    assert_eq!((users(&store).await, users(&other).await), (3, 0));
    // Reads and writes of one connection, at once.
    let mut tasks = Vec::new();
    for number in 4..40 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            sample::register(&store, number..number + 1, 2).await;
            store.verify_audit_chain().await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(users(&store).await, 39);
    let folder = Folder::new();
    let copy = store.snapshot(folder.0.path().join("copy"), Box::new(|_, _| {}));
    match copy.await {
        Err(SnapshotError::Fault(Fault::Unavailable(reason))) => {
            assert!(reason.contains("in memory"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 0);
    store.close().unwrap();
    let closed = store.list_users(None, 10).await;
    assert!(matches!(closed, Err(Fault::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_the_writer_of_a_database_in_memory_ends_one_batch() {
    crate::panics::a_panic_undoes_the_batch_and_the_writer_goes_on(config()).await;
}
