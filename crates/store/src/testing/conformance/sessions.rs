use std::collections::BTreeSet;

use super::Fixture;
use crate::testing::sample::{self, ABSOLUTE, IDLE, NOW, event, session, session_id, user_id};
use crate::{AuditFilter, CLOCK_TOLERANCE_SECS, CreateSessionError, SESSION_EXPIRED};

pub async fn a_session_is_found_until_it_expires(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let found = store
        .find_session(session_id(1), NOW + IDLE - 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.user_id, found.last_activity), (user_id(1), NOW));
    assert_eq!(found.details, session(user_id(1), 1, NOW).details);
    assert!(
        store
            .find_session(session_id(1), NOW + IDLE)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .find_session(session_id(2), NOW)
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn touching_moves_the_expiry_up_to_the_absolute_one(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let id = session_id(1);
    assert!(
        store
            .touch_session(id, NOW + 1_000, NOW + 1_000 + IDLE)
            .await
            .unwrap()
    );
    let found = store.find_session(id, NOW + IDLE).await.unwrap().unwrap();
    assert_eq!(
        (found.last_activity, found.expires_at),
        (NOW + 1_000, NOW + 1_000 + IDLE)
    );
    // An older touch that arrives late moves nothing back.
    assert!(
        store
            .touch_session(id, NOW + 500, NOW + 500 + IDLE)
            .await
            .unwrap()
    );
    let found = store.find_session(id, NOW + IDLE).await.unwrap().unwrap();
    assert_eq!(
        (found.last_activity, found.expires_at),
        (NOW + 1_000, NOW + 1_000 + IDLE)
    );
    assert!(
        store
            .touch_session(id, NOW + 1_100, NOW + 10 * ABSOLUTE)
            .await
            .unwrap()
    );
    let found = store.find_session(id, NOW + IDLE).await.unwrap().unwrap();
    assert_eq!(found.expires_at, NOW + ABSOLUTE);
}

pub async fn touching_never_brings_a_session_back(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    assert!(
        store
            .delete_session(user_id(1), session_id(1), vec![])
            .await
            .unwrap()
    );
    assert!(
        !store
            .touch_session(session_id(1), NOW, NOW + IDLE)
            .await
            .unwrap()
    );
    assert!(
        store
            .find_session(session_id(1), NOW)
            .await
            .unwrap()
            .is_none()
    );
    let late = NOW + IDLE;
    assert!(
        !store
            .touch_session(session_id(2), late, late + IDLE)
            .await
            .unwrap(),
        "expired"
    );
    assert!(
        store
            .find_session(session_id(2), late)
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn only_the_owner_ends_a_session(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    let audit = |who| vec![event(Some(user_id(who)), "session.revoked", NOW)];
    assert!(
        !store
            .delete_session(user_id(2), session_id(1), audit(2))
            .await
            .unwrap()
    );
    assert!(
        store
            .find_session(session_id(1), NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .delete_session(user_id(1), session_id(1), audit(1))
            .await
            .unwrap()
    );
    assert!(
        !store
            .delete_session(user_id(1), session_id(1), audit(1))
            .await
            .unwrap()
    );
    let revoked = AuditFilter {
        action: Some("session.revoked".to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(store.count_audit(revoked).await.unwrap(), 1);
}

pub async fn ending_the_others_keeps_one(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    for number in 10..14 {
        store
            .create_session(session(user_id(1), number, NOW), vec![])
            .await
            .unwrap();
    }
    let ended = store
        .delete_other_sessions(user_id(1), Some(session_id(12)), vec![])
        .await
        .unwrap();
    assert_eq!(
        ended.into_iter().collect::<BTreeSet<_>>(),
        [1, 10, 11, 13].map(session_id).into_iter().collect()
    );
    assert!(
        store
            .find_session(session_id(12), NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .find_session(session_id(2), NOW)
            .await
            .unwrap()
            .is_some(),
        "another's"
    );
    let ended = store
        .delete_other_sessions(user_id(1), None, vec![])
        .await
        .unwrap();
    assert_eq!(ended, [session_id(12)]);
}

pub async fn sessions_are_listed_newest_first(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    for (number, later) in [(11, 20), (12, 10)] {
        store
            .create_session(session(user_id(1), number, NOW + later), vec![])
            .await
            .unwrap();
    }
    let ids = |now| {
        let store = store.clone();
        async move {
            let listed = store.list_sessions(user_id(1), now).await.unwrap();
            listed
                .into_iter()
                .map(|(id, session)| {
                    session
                        .map(|row| assert_eq!(row.session_id, id))
                        .map(|()| id)
                })
                .map(Result::unwrap)
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(NOW + 30).await, [11, 12, 1].map(session_id));
    assert_eq!(
        ids(NOW + IDLE + 5).await,
        [11, 12].map(session_id),
        "one has expired"
    );
}

pub async fn expired_sessions_go_in_chunks_each_with_a_record(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    for number in 100..400 {
        let user = user_id(1 + number % 2);
        store
            .create_session(session(user, number, NOW), vec![])
            .await
            .unwrap();
    }
    let late = NOW + IDLE;
    assert!(
        store
            .touch_session(session_id(100), late - 1, late + IDLE)
            .await
            .unwrap()
    );
    let mut gone = BTreeSet::new();
    let mut chunks = 0;
    loop {
        let chunk = store.delete_expired_sessions(late).await.unwrap();
        chunks += 1;
        gone.extend(chunk.sessions);
        if !chunk.more {
            break;
        }
    }
    assert!(chunks > 1, "300 do not fit the first chunk");
    assert_eq!(gone.len(), 301);
    assert!(
        !gone.contains(&(session_id(100), user_id(1))),
        "touched in time"
    );
    let filter = AuditFilter {
        user_id: Some(user_id(2)),
        action: Some(SESSION_EXPIRED.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(store.count_audit(filter).await.unwrap(), 151);
    assert!(
        store
            .delete_expired_sessions(late)
            .await
            .unwrap()
            .sessions
            .is_empty()
    );
    store.verify_audit_chain().await.unwrap();
}

pub async fn sessions_that_began_in_the_future_are_ended(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    for (number, ahead) in [(11, CLOCK_TOLERANCE_SECS), (12, CLOCK_TOLERANCE_SECS + 1)] {
        store
            .create_session(session(user_id(1), number, NOW + ahead), vec![])
            .await
            .unwrap();
    }
    let chunk = store.delete_expired_sessions(NOW).await.unwrap();
    assert_eq!(chunk.sessions, [(session_id(12), user_id(1))]);
    let filter = AuditFilter {
        action: Some(SESSION_EXPIRED.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(store.count_audit(filter).await.unwrap(), 1);
}

pub async fn a_session_id_is_taken_once(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    let stolen = store
        .create_session(session(user_id(2), 1, NOW), vec![])
        .await;
    assert!(matches!(stolen, Err(CreateSessionError::Duplicate)));
    let found = store
        .find_session(session_id(1), NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.user_id, user_id(1));
}
