//! Several instances share one database, and nothing is done twice or lost between them.

use std::collections::BTreeSet;
use std::time::Duration;

use store::testing::sample::{self, NOW, event, user_id};
use store::{Claim, Store};

use super::cluster::Database;

/// Two instances of one database.
fn two() -> (Database, [Store; 2]) {
    let database = Database::new();
    let both = [database.open(), database.open()];
    (database, both)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chain_of_two_instances_has_no_fork_and_no_gap() {
    let (database, both) = two();
    sample::register(&both[0], 1..3, 0).await;
    let before = both[0].audit_tip().await.unwrap().id;
    let mut tasks = Vec::new();
    for number in 0..400 {
        let store = both[number % 2].clone();
        tasks.push(tokio::spawn(async move {
            let record = event(Some(user_id(1)), "test", NOW + number as u64);
            store.append_audit(vec![record]).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    for store in &both {
        let end = store.verify_audit_chain().await.unwrap();
        assert_eq!(end.id, before + 400);
    }
    let broken =
        "SELECT count(*) FROM (SELECT previous_hash, lag(hash) OVER (ORDER BY id) AS before
                  FROM audit_log) AS linked WHERE before <> previous_hash";
    assert_eq!(database.psql(broken).unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_never_hand_out_the_same_leaf() {
    let (_database, both) = two();
    sample::register(&both[0], 1..2, 60).await;
    let mut tasks = Vec::new();
    for number in 0..60 {
        let store = both[number % 2].clone();
        tasks.push(tokio::spawn(async move {
            let claimed = store.claim_prekey(user_id(1), Claim::OneTime, NOW).await;
            let claimed = claimed.unwrap().unwrap();
            assert!(!claimed.last_resort);
            claimed.prekey_id
        }));
    }
    let mut seen = BTreeSet::new();
    for task in tasks {
        assert!(seen.insert(task.await.unwrap()), "a leaf went twice");
    }
    assert_eq!(seen.len(), 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_instances_ends_a_session_and_the_other_knows() {
    let (_database, both) = two();
    sample::register(&both[0], 1..2, 0).await;
    let id = sample::session_id(1);
    assert!(both[1].find_session(id, NOW).await.unwrap().is_some());
    assert!(
        both[0]
            .delete_session(user_id(1), id, Vec::new())
            .await
            .unwrap()
    );
    assert!(both[1].find_session(id, NOW).await.unwrap().is_none());
    assert!(
        !both[1]
            .delete_session(user_id(1), id, Vec::new())
            .await
            .unwrap()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_starts_at_the_same_time_make_one_database() {
    let database = Database::new();
    let stores = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..3).map(|_| scope.spawn(|| database.open())).collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect::<Vec<_>>()
    });
    let made = stores.iter().filter(|store| store.report().created);
    assert_eq!(made.count(), 1);
    sample::register(&stores[0], 1..2, 0).await;
    for store in &stores {
        let found = store.user_by_handle(&sample::handle(1)).await.unwrap();
        assert_eq!(found.unwrap().user_id, user_id(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_follows_a_key_that_another_one_made() {
    let (_database, both) = two();
    sample::register(&both[0], 1..3, 0).await;
    let [first, second] = &both;
    let begun = first
        .begin_rotation(
            store::NewKey::Configured,
            "a test".to_owned(),
            NOW,
            Vec::new(),
        )
        .await;
    assert!(begun.is_ok());
    // The key before is closed only when the other one had time to follow.
    let step = async |now| {
        first
            .step_key_job(Duration::ZERO, now)
            .await
            .unwrap()
            .unwrap()
    };
    assert!(!step(NOW + 1).await.finished);
    second.touch_last_login(user_id(1), NOW + 1).await.unwrap();
    let alias = async |at: &Store, name: &str| {
        let name = store::Sensitive::new(name.to_owned());
        at.set_alias(user_id(2), name, Vec::new()).await.unwrap()
    };
    assert!(alias(second, "under the key before").await);
    second.follow_keys().await.unwrap();
    while !step(NOW + 60).await.finished {}
    assert!(alias(second, "under the new key").await);
    assert!(second.safes(user_id(1)).await.unwrap().is_some());
    second.use_every_key().await.unwrap();
    sample::register(second, 3..4, 0).await;
    let keks = second.keks().await.unwrap();
    assert_eq!(keks.len(), 2);
}
