//! One writer, many requests, one commit.

use std::sync::Arc;

use crate::support::Folder;
use store::testing::Disk;
use store::testing::sample::{self, NOW, event, handle, session, user, user_id};
use store::{Admission, AuditFilter, Fault, RegisterError, Store};
use tokio::task::JoinSet;

async fn on_disk(folder: &Folder, name: &str) -> (Store, Arc<Disk>) {
    let disk = Arc::new(Disk::default());
    let config = folder.config().on_disk(name, &disk).unwrap();
    (Store::open(&config).unwrap(), disk)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_fails_does_not_fail_its_neighbours() {
    let folder = Folder::new();
    let (store, disk) = on_disk(&folder, "neighbours").await;
    let syncs = disk.syncs();
    let mut requests = JoinSet::new();
    for number in 1..=60 {
        let store = store.clone();
        // Every third wants the handle of the one before.
        let mut new = user(number, 2, Admission::Open);
        if number % 3 == 0 {
            new.handle = handle(number - 1).into();
        }
        requests.spawn(async move {
            let audit = vec![event(Some(user_id(number)), "user.registered", NOW)];
            let session = session(user_id(number), number, NOW);
            (number, store.register(new, session, audit).await)
        });
    }
    let mut made = 0;
    while let Some(joined) = requests.join_next().await {
        match joined.unwrap() {
            (_, Ok(_)) => made += 1,
            (number, Err(RegisterError::HandleTaken)) => assert_ne!(number % 3, 1),
            (number, Err(other)) => panic!("{number}: {other}"),
        }
    }
    assert_eq!(made, 40);
    let figures = store.statistics(NOW).await.unwrap();
    assert_eq!((figures.users, figures.audit_records), (40, 40));
    store.verify_audit_chain().await.unwrap();
    let syncs = disk.syncs() - syncs;
    assert!(syncs < made / 2, "requests share commits: {syncs} syncs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_fails_everybody_and_keeps_nothing() {
    let folder = Folder::new();
    let (store, disk) = on_disk(&folder, "failed-commit").await;
    sample::register(&store, 1..2, 2).await;
    disk.fail_syncs(u32::MAX);
    let mut requests = JoinSet::new();
    for number in 10..20 {
        let store = store.clone();
        requests.spawn(async move {
            let session = session(user_id(number), number, NOW);
            store
                .register(user(number, 2, Admission::Open), session, vec![])
                .await
        });
    }
    for answer in requests.join_all().await {
        assert!(
            matches!(answer, Err(RegisterError::Fault(Fault::Unavailable(_)))),
            "acknowledged without a sync: {answer:?}"
        );
    }
    disk.fail_syncs(0);
    assert_eq!(store.statistics(NOW).await.unwrap().users, 1);
    sample::register(&store, 10..12, 2).await;
    assert_eq!(store.statistics(NOW).await.unwrap().users, 3);
    assert_eq!(store.verify_audit_chain().await.unwrap().id, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_recovered_from_without_a_restart() {
    let folder = Folder::new();
    let (store, disk) = on_disk(&folder, "full-disk").await;
    sample::register(&store, 1..2, 2).await;
    disk.set_full(true);
    let refused = store
        .register(
            user(2, 2, Admission::Open),
            session(user_id(2), 2, NOW),
            vec![],
        )
        .await;
    assert!(
        matches!(refused, Err(RegisterError::Fault(Fault::Full))),
        "{refused:?}"
    );
    let append = store.append_audit(vec![event(None, "a.b", NOW)]).await;
    assert!(append.unwrap_err().is_temporary());
    assert!(
        store.user_by_id(user_id(1)).await.unwrap().is_some(),
        "reading goes on"
    );
    disk.set_full(false);
    sample::register(&store, 2..3, 2).await;
    assert_eq!(store.verify_audit_chain().await.unwrap().id, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_that_appends_does_not_break_the_chain() {
    let folder = Folder::new();
    let (first, second) = (folder.open(), folder.open());
    let mut writers = JoinSet::new();
    for i in 0..40 {
        let store = if i % 2 == 0 {
            first.clone()
        } else {
            second.clone()
        };
        writers.spawn(async move { store.append_audit(vec![event(None, "a.b", NOW)]).await });
    }
    for answer in writers.join_all().await {
        answer.unwrap();
    }
    assert_eq!(first.verify_audit_chain().await.unwrap().id, 40);
    assert_eq!(
        second.count_audit(AuditFilter::default()).await.unwrap(),
        40
    );
}

#[tokio::test]
async fn a_caller_that_goes_away_loses_only_its_answer() {
    let folder = Folder::new();
    let store = folder.open();
    drop(store.append_audit(vec![event(None, "a.b", NOW)]));
    let abandoned = {
        let store = store.clone();
        tokio::spawn(async move { store.append_audit(vec![event(None, "c.d", NOW)]).await })
    };
    abandoned.abort();
    let _ = abandoned.await;
    sample::register(&store, 1..2, 0).await;
    store.verify_audit_chain().await.unwrap();
}
