use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use api::bodies::KeyJob;
use zeroize::Zeroizing;

use super::Fixture;
use crate::testing::sample::{self, NOW, event, handle, session_id, user_id};
use crate::{
    AuditFilter, BeginError, KekId, KekState, KeyJobKind, NewKey, RENEWAL_FINISHED,
    RENEWAL_STARTED, ROTATION_DONE, ROTATION_FINISHED, ROTATION_STARTED, SafeUpdate, Store,
};

/// Users of a filled store.
const USERS: u64 = 6;

async fn filled(fixture: &impl Fixture) -> Store {
    let store = fixture.open();
    sample::register(&store, 0..USERS, 2).await;
    secret(&store).await;
    super::service_keys::create(&store, 1).await.unwrap();
    store
}

async fn secret(store: &Store) -> Vec<u8> {
    let make = Box::new(|| Zeroizing::new(vec![7; 64]));
    let secret = store.get_or_create_secret("boot", make, NOW).await.unwrap();
    secret.expose().to_vec()
}

async fn begin(store: &Store) -> KeyJob {
    let outcome = event(Some(user_id(1)), ROTATION_DONE, NOW);
    store
        .begin_rotation(NewKey::Configured, "test".to_owned(), NOW, vec![outcome])
        .await
        .unwrap()
}

/// Steps until the job is over; returns it as it ended.
async fn finish(store: &Store) -> KeyJob {
    loop {
        let job = store.step_key_job(Duration::ZERO, NOW + 60).await.unwrap();
        let job = job.expect("a job runs");
        if job.finished {
            return job;
        }
    }
}

async fn in_state(store: &Store, state: KekState) -> Vec<KekId> {
    let keks = store.keks().await.unwrap();
    let found = keks.into_iter().filter(|kek| kek.state == state);
    found.map(|kek| kek.kek_id).collect()
}

async fn count(store: &Store, action: &str) -> u64 {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        ..AuditFilter::default()
    };
    store.count_audit(filter).await.unwrap()
}

/// Everything that is sealed opens as it was written.
async fn readable(store: &Store) {
    for number in 0..USERS {
        let id = user_id(number);
        let user = store.user_by_handle(&handle(number)).await.unwrap();
        assert_eq!(user.unwrap().alias, format!("Alias {number}"));
        let credential = store.credential_by_id(id).await.unwrap().unwrap();
        let record = format!("opaque record {number}");
        assert_eq!(credential.opaque_record, record.into_bytes());
        let (safe, prekey_safe) = store.safes(id).await.unwrap().unwrap();
        assert_eq!(safe.data, sample::safe(1).data);
        assert_eq!(prekey_safe, sample::prekey_safe(1));
        let session = store.find_session(session_id(number), NOW).await.unwrap();
        assert_eq!(session.unwrap().details.ip, "192.0.2.77");
    }
    assert!(store.credential("nobody").await.unwrap().is_none());
    assert_eq!(secret(store).await, [7; 64]);
    let page = store.query_audit(AuditFilter::default(), None, 500).await;
    for record in page.unwrap().records {
        assert_eq!((record.damage, record.foreign), (None, false));
        assert!(!record.details.is_null(), "{}", record.id);
    }
    for samples in store.open_samples(100).await.unwrap() {
        assert!(samples.opened > 0, "{}", samples.column);
    }
    store.use_every_key().await.unwrap();
    store.verify_audit_chain().await.unwrap();
    assert_eq!(store.take_damages(), []);
}

pub async fn a_rotation_moves_every_value_and_retires_the_key(fixture: &impl Fixture) {
    let store = filled(fixture).await;
    readable(&store).await;
    let before = in_state(&store, KekState::Active).await;
    assert_eq!(before.len(), 1);
    let job = begin(&store).await;
    assert_eq!((job.kind, job.finished), (KeyJobKind::Rewrap, false));
    assert_eq!(job.done, 0);
    assert_eq!(in_state(&store, KekState::Retiring).await, before);
    let job = finish(&store).await;
    assert_eq!((job.done, job.finished_at), (job.total, Some(NOW + 60)));
    assert!(job.total >= USERS * 7, "{}", job.total);
    assert_eq!(store.key_job().await.unwrap(), Some(job));
    assert_eq!(in_state(&store, KekState::Retired).await, before);
    assert_eq!(in_state(&store, KekState::Active).await.len(), 1);
    for action in [ROTATION_STARTED, ROTATION_FINISHED, ROTATION_DONE] {
        assert_eq!(count(&store, action).await, 1, "{action}");
    }
    readable(&store).await;
    let again = store.step_key_job(Duration::ZERO, NOW + 61).await.unwrap();
    assert_eq!(again, None, "nothing runs");
    store.close().unwrap();
    let store = fixture.open();
    readable(&store).await;
    sample::register(&store, USERS..USERS + 1, 1).await;
}

pub async fn a_second_key_job_waits_for_the_first(fixture: &impl Fixture) {
    let store = filled(fixture).await;
    begin(&store).await;
    let reason = || "second".to_owned();
    let rotation = store.begin_rotation(NewKey::Configured, reason(), NOW, vec![]);
    let renewal = store.begin_renewal(reason(), NOW, vec![]);
    for refused in [rotation.await, renewal.await] {
        assert!(
            matches!(refused, Err(BeginError::Running(_))),
            "{refused:?}"
        );
    }
    assert_eq!(count(&store, ROTATION_STARTED).await, 1);
    finish(&store).await;
    begin(&store).await;
    finish(&store).await;
    assert_eq!(in_state(&store, KekState::Retired).await.len(), 2);
    readable(&store).await;
}

pub async fn a_rotation_goes_on_after_reopening(fixture: &impl Fixture) {
    let mut store = filled(fixture).await;
    begin(&store).await;
    let mut steps = 0;
    loop {
        readable(&store).await;
        store.close().unwrap();
        store = fixture.open();
        readable(&store).await;
        let job = store.step_key_job(Duration::ZERO, NOW + 60).await.unwrap();
        steps += 1;
        if job.unwrap().finished {
            break;
        }
    }
    assert!(steps > 3, "{steps}");
    assert_eq!(in_state(&store, KekState::Retired).await.len(), 1);
    assert_eq!(count(&store, ROTATION_FINISHED).await, 1);
    readable(&store).await;
}

pub async fn a_renewal_keeps_the_key_and_every_value(fixture: &impl Fixture) {
    let store = filled(fixture).await;
    let before = store.keks().await.unwrap();
    let job = store
        .begin_renewal("test".to_owned(), NOW, vec![])
        .await
        .unwrap();
    assert_eq!(job.kind, KeyJobKind::Renew);
    let job = finish(&store).await;
    assert_eq!(job.done, job.total);
    assert_eq!(store.keks().await.unwrap(), before);
    for action in [RENEWAL_STARTED, RENEWAL_FINISHED] {
        assert_eq!(count(&store, action).await, 1, "{action}");
    }
    readable(&store).await;
}

pub async fn requests_go_on_while_keys_rotate(fixture: &impl Fixture) {
    let store = filled(fixture).await;
    let over = Arc::new(AtomicBool::new(false));
    let written = Arc::new(AtomicU64::new(0));
    let writing = tokio::spawn({
        let (store, over, written) = (store.clone(), Arc::clone(&over), Arc::clone(&written));
        async move {
            let mut number = 100;
            while !over.load(Ordering::SeqCst) {
                sample::register(&store, number..number + 1, 1).await;
                let version = number - 98;
                let update = SafeUpdate {
                    user_id: user_id(0),
                    expected_version: version - 1,
                    write_proof_hash: [0x77; 32],
                    version,
                    data: sample::safe(1).data,
                };
                store.write_safe(update).await.unwrap();
                number += 1;
                written.fetch_add(1, Ordering::SeqCst);
            }
            number
        }
    });
    for _ in 0..2 {
        let before = written.load(Ordering::SeqCst);
        begin(&store).await;
        finish(&store).await;
        while written.load(Ordering::SeqCst) == before {
            tokio::task::yield_now().await;
        }
    }
    over.store(true, Ordering::SeqCst);
    let last = writing.await.unwrap() - 1;
    let found = store.find_session(session_id(last), NOW).await.unwrap();
    assert!(found.is_some());
    assert_eq!(in_state(&store, KekState::Retired).await.len(), 2);
    readable(&store).await;
}
