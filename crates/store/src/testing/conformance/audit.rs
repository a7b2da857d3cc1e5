use super::Fixture;
use crate::testing::sample::{self, NOW, event, session, user_id};
use crate::{AuditFilter, CreateSessionError};

pub async fn records_come_newest_first_and_page_by_page(fixture: &impl Fixture) {
    let store = fixture.open();
    let events = (0..25)
        .map(|i| event(None, "system.started", NOW + i))
        .collect();
    store.append_audit(events).await.unwrap();
    let mut before = None;
    let mut ids = Vec::new();
    let mut pages = 0;
    loop {
        let page = store
            .query_audit(AuditFilter::default(), before, 10)
            .await
            .unwrap();
        pages += 1;
        assert!(
            page.records
                .iter()
                .all(|record| record.timestamp == NOW + record.id - 1)
        );
        ids.extend(page.records.iter().map(|record| record.id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(ids, (1..=25).rev().collect::<Vec<u64>>());
}

pub async fn records_are_filtered_by_user_action_and_time(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    for i in 0..12 {
        let action = if i % 3 == 0 {
            "sign-in.failed"
        } else {
            "session.created"
        };
        let user = Some(user_id(1 + i % 2));
        store
            .append_audit(vec![event(user, action, NOW + 100 + i)])
            .await
            .unwrap();
    }
    let user = Some(user_id(1));
    let action = Some("sign-in.failed".to_owned());
    let all = AuditFilter::default();
    let cases = [
        (all.clone(), 14),
        (
            AuditFilter {
                user_id: user,
                ..all.clone()
            },
            7,
        ),
        (
            AuditFilter {
                action: action.clone(),
                ..all.clone()
            },
            4,
        ),
        (
            AuditFilter {
                user_id: user,
                action: action.clone(),
                ..all.clone()
            },
            2,
        ),
        (
            AuditFilter {
                from: Some(NOW + 100),
                to: Some(NOW + 105),
                ..all.clone()
            },
            6,
        ),
        (
            AuditFilter {
                user_id: user,
                action,
                from: Some(NOW + 101),
                to: None,
            },
            1,
        ),
        (
            AuditFilter {
                action: Some("nothing' OR 1=1 --".to_owned()),
                ..all
            },
            0,
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(
            store.count_audit(filter.clone()).await.unwrap(),
            expected,
            "{filter:?}"
        );
        let page = store.query_audit(filter.clone(), None, 100).await.unwrap();
        assert_eq!(page.records.len() as u64, expected, "{filter:?}");
        assert_eq!(page.next, None);
        for record in page.records {
            assert!(
                filter
                    .user_id
                    .is_none_or(|user| record.user_id == Some(user))
            );
            assert_eq!(record.details["reason"], "a sample reason");
        }
    }
}

pub async fn a_record_shares_the_fate_of_its_change(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let audit = || vec![event(Some(user_id(1)), "session.created", NOW)];
    store
        .create_session(session(user_id(1), 2, NOW), audit())
        .await
        .unwrap();
    let again = store
        .create_session(session(user_id(1), 2, NOW), audit())
        .await;
    assert!(matches!(again, Err(CreateSessionError::Duplicate)));
    let filter = AuditFilter {
        action: Some("session.created".to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(store.count_audit(filter).await.unwrap(), 1);
    store.verify_audit_chain().await.unwrap();
}

pub async fn the_chain_verifies_after_many_writers(fixture: &impl Fixture) {
    let store = fixture.open();
    assert_eq!(store.verify_audit_chain().await.unwrap().id, 0);
    sample::register(&store, 1..4, 0).await;
    let mut writers = tokio::task::JoinSet::new();
    for i in 0..60 {
        let store = store.clone();
        writers.spawn(async move {
            let user = (i % 4 != 0).then(|| user_id(i % 4));
            let events = vec![event(user, "a.b", NOW), event(None, "c.d", NOW)];
            store.append_audit(events).await.unwrap();
        });
    }
    writers.join_all().await;
    let head = store.verify_audit_chain().await.unwrap();
    assert_eq!(head.id, 123);
    let newest = store
        .query_audit(AuditFilter::default(), None, 1)
        .await
        .unwrap();
    assert_eq!(newest.records[0].hash, head.hash);
}

pub async fn an_event_of_an_unknown_user_is_kept_as_the_systems(fixture: &impl Fixture) {
    let store = fixture.open();
    let event = event(Some(user_id(9)), "session.revoked", NOW);
    store.append_audit(vec![event.clone()]).await.unwrap();
    let page = store
        .query_audit(AuditFilter::default(), None, 1)
        .await
        .unwrap();
    let record = &page.records[0];
    assert_eq!(
        (record.user_id, &record.action[..]),
        (None, "session.revoked")
    );
    assert_eq!(record.details["user_id"], user_id(9).to_string());
    assert_eq!(record.details["details"], event.details);
}
