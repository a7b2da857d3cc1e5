use zeroize::Zeroizing;

use super::Fixture;
use crate::testing::sample::{self, IDLE, NOW, session, user_id};
use crate::{Act, AuditFilter, Declaration, Fault, RegistrationMode};

const CHOICE: Act = Act {
    intent: "registration.intent",
    done: "registration.done",
    failed: "registration.failed",
};

pub async fn registration_is_closed_until_somebody_chooses(fixture: &impl Fixture) {
    let store = fixture.open();
    let settings = store.server_settings().await.unwrap();
    assert_eq!(
        (settings.registration, settings.setup_done),
        (RegistrationMode::Closed, false)
    );
    for mode in [
        RegistrationMode::Open,
        RegistrationMode::Invite,
        RegistrationMode::Closed,
    ] {
        let declaration = Declaration {
            user_id: None,
            act: &CHOICE,
            details: serde_json::json!({ "mode": mode }),
        };
        let intent = store.declare(declaration, NOW).await.unwrap();
        store
            .set_registration_mode(mode, &intent, NOW)
            .await
            .unwrap();
        assert_eq!(store.server_settings().await.unwrap().registration, mode);
    }
    assert_eq!(store.count_audit(AuditFilter::default()).await.unwrap(), 6);
}

pub async fn a_secret_is_made_once_and_kept(fixture: &impl Fixture) {
    let store = fixture.open();
    let make = |byte: u8| Box::new(move || Zeroizing::new(vec![byte; 64]));
    let first = store
        .get_or_create_secret("cookie", make(1), NOW)
        .await
        .unwrap();
    assert_eq!(first.expose(), [1; 64]);
    let second = store
        .get_or_create_secret("cookie", make(2), NOW)
        .await
        .unwrap();
    assert_eq!(second.expose(), [1; 64]);
    let other = store
        .get_or_create_secret("boot", make(3), NOW)
        .await
        .unwrap();
    assert_eq!(other.expose(), [3; 64]);
    store.close().unwrap();
    let store = fixture.open();
    let reopened = store
        .get_or_create_secret("cookie", make(4), NOW)
        .await
        .unwrap();
    assert_eq!(reopened.expose(), [1; 64]);
}

pub async fn two_who_ask_for_a_secret_at_once_get_the_same(fixture: &impl Fixture) {
    let store = fixture.open();
    let mut asking = tokio::task::JoinSet::new();
    for byte in 0..8 {
        let store = store.clone();
        asking.spawn(async move {
            let make = Box::new(move || Zeroizing::new(vec![byte; 32]));
            store
                .get_or_create_secret("opaque", make, NOW)
                .await
                .unwrap()
                .expose()
                .to_vec()
        });
    }
    let answers = asking.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

pub async fn statistics_count_what_is_there(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..4, 0).await;
    store
        .create_session(session(user_id(1), 9, NOW + 100), vec![])
        .await
        .unwrap();
    let figures = store.statistics(NOW + IDLE).await.unwrap();
    assert_eq!(
        (
            figures.users,
            figures.active_sessions,
            figures.audit_records
        ),
        (3, 1, 3)
    );
    assert_eq!(figures.next_session_expiry, Some(NOW + 100 + IDLE));
    assert!(figures.database_bytes > 0);
    store.health(NOW).await.unwrap();
}

pub async fn a_closed_store_refuses_politely(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    store.close().unwrap();
    store.close().unwrap();
    assert!(matches!(
        store.user_by_id(user_id(1)).await,
        Err(Fault::Closed)
    ));
    let write = store.touch_session(sample::session_id(1), NOW, NOW).await;
    assert!(matches!(write, Err(Fault::Closed)));
    assert!(matches!(store.health(NOW).await, Err(Fault::Closed)));
}
