use super::Fixture;
use crate::testing::sample::{self, NOW, event, handle, session, user, user_id};
use crate::{Admission, AuditFilter, RegisterError, RegistrationMode, Role};

pub async fn a_registered_user_is_found_by_handle_and_by_id(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 3).await;
    let id = user_id(1);
    let found = store.user_by_handle(&handle(1)).await.unwrap().unwrap();
    assert_eq!(
        (found.user_id, &found.handle[..], &found.alias[..]),
        (id, "handle-1", "Alias 1")
    );
    assert_eq!(
        (found.role, found.active, found.last_login),
        (Role::User, true, None)
    );
    assert_eq!(store.user_by_id(id).await.unwrap(), Some(found));
    assert!(store.handle_taken(&handle(1)).await.unwrap());

    assert_eq!(store.user_by_handle("nobody").await.unwrap(), None);
    assert_eq!(store.user_by_id(user_id(9)).await.unwrap(), None);
    assert!(!store.handle_taken("nobody").await.unwrap());

    let credential = store.credential(&handle(1)).await.unwrap().unwrap();
    assert_eq!(credential.opaque_record, b"opaque record 1");
    assert_eq!(
        (credential.user_id, credential.recovery_proof_hash),
        (id, [0x88; 32])
    );
    assert_eq!(store.credential_by_id(id).await.unwrap(), Some(credential));
    assert_eq!(store.credential("nobody").await.unwrap(), None);

    let keys = store.public_keys(id).await.unwrap().unwrap();
    assert_eq!(keys.keys, sample::public_keys(1));
    assert_eq!(
        (keys.signed_prekey, keys.quantum_public_key),
        (vec![3; 32], vec![4; 1_568])
    );
    assert!(store.public_keys(user_id(9)).await.unwrap().is_none());
}

pub async fn a_handle_is_given_once_and_a_refusal_leaves_nothing(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 3).await;
    let before = store.statistics(NOW).await.unwrap();
    let mut second = user(2, 3, Admission::Open);
    second.handle = handle(1).into();
    let audit = vec![event(Some(user_id(2)), "user.registered", NOW)];
    let refused = store
        .register(second, session(user_id(2), 2, NOW), audit)
        .await;
    assert!(
        matches!(refused, Err(RegisterError::HandleTaken)),
        "{refused:?}"
    );
    let after = store.statistics(NOW).await.unwrap();
    assert_eq!(
        (after.users, after.active_sessions),
        (before.users, before.active_sessions)
    );
    assert_eq!(after.audit_records, before.audit_records);
    assert!(store.prekey_stock(user_id(2), NOW).await.unwrap().is_none());
}

pub async fn a_registration_that_is_finished_twice_is_refused(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 3).await;
    let again = store.register(
        user(1, 3, Admission::Open),
        session(user_id(1), 7, NOW),
        vec![],
    );
    assert!(matches!(again.await, Err(RegisterError::AlreadyRegistered)));
    let mut other = user(2, 3, Admission::Open);
    other.handle = "another".to_owned().into();
    let same_session = store
        .register(other, session(user_id(2), 1, NOW), vec![])
        .await;
    assert!(
        matches!(same_session, Err(RegisterError::AlreadyRegistered)),
        "{same_session:?}"
    );
    assert!(store.user_by_id(user_id(2)).await.unwrap().is_none());
}

pub async fn the_setup_makes_one_administrator_and_opens_invites(fixture: &impl Fixture) {
    let store = fixture.open();
    assert!(!store.server_settings().await.unwrap().setup_done);
    let first = store.register(
        user(1, 0, Admission::Setup),
        session(user_id(1), 1, NOW),
        vec![],
    );
    assert_eq!(first.await.unwrap(), Role::Admin);
    let settings = store.server_settings().await.unwrap();
    assert_eq!(
        (settings.setup_done, settings.registration),
        (true, RegistrationMode::Invite)
    );
    let second = store.register(
        user(2, 0, Admission::Setup),
        session(user_id(2), 2, NOW),
        vec![],
    );
    assert!(matches!(second.await, Err(RegisterError::AlreadySetUp)));
    assert_eq!(
        store.user_by_id(user_id(1)).await.unwrap().unwrap().role,
        Role::Admin
    );
}

pub async fn an_alias_changes_with_its_record(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let id = user_id(1);
    let audit = |action| vec![event(Some(id), action, NOW)];
    let renamed = store.set_alias(id, "Renamed".to_owned().into(), audit("alias.changed"));
    assert!(renamed.await.unwrap());
    assert!(store.touch_last_login(id, NOW + 5).await.unwrap());
    assert!(store.touch_last_login(id, NOW).await.unwrap());
    let user = store.user_by_handle(&handle(1)).await.unwrap().unwrap();
    assert_eq!(user.alias, "Renamed");
    assert_eq!(
        user.last_login,
        Some(NOW + 5),
        "a sign-in's time does not go back"
    );

    let nobody = user_id(9);
    let renamed = store.set_alias(nobody, String::new().into(), audit("never"));
    assert!(!renamed.await.unwrap());
    assert!(!store.touch_last_login(nobody, NOW).await.unwrap());
    let page = store.query_audit(AuditFilter::default(), None, 10).await;
    let records = page.unwrap().records.into_iter();
    let actions: Vec<String> = records.map(|record| record.action).collect();
    assert_eq!(actions, ["alias.changed", "user.registered"]);
}

pub async fn users_are_listed_in_order_page_by_page(fixture: &impl Fixture) {
    let store = fixture.open();
    // Ids that do not sort in the order of creation.
    for number in [5, 2, 9, 1] {
        sample::register(&store, number..number + 1, 0).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.list_users(after, 3).await.unwrap();
        let Some((last, _)) = page.last() else {
            break;
        };
        after = Some(*last);
        for (id, user) in page {
            assert_eq!(user.unwrap().user_id, id);
            seen.push(id);
        }
    }
    assert_eq!(seen, [5, 2, 9, 1].map(user_id));
}

pub async fn what_was_acknowledged_is_there_after_reopening(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..6, 4).await;
    let claimed = sample::claim(&store, user_id(1)).await;
    let head = store.verify_audit_chain().await.unwrap();
    let user = store.user_by_id(user_id(3)).await.unwrap();
    store.close().unwrap();

    let store = fixture.open();
    assert!(!store.report().created);
    assert_eq!(store.user_by_handle(&handle(3)).await.unwrap(), user);
    assert_eq!(store.verify_audit_chain().await.unwrap(), head);
    let found = store
        .find_session(sample::session_id(4), NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.details, session(user_id(4), 4, NOW).details);
    assert_ne!(sample::claim(&store, user_id(1)).await, claimed);
    sample::register(&store, 6..7, 0).await;
    assert_eq!(store.verify_audit_chain().await.unwrap().id, head.id + 1);
}
