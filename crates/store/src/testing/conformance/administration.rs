use super::Fixture;
use crate::testing::sample::{self, NOW, session, session_id, user, user_id};
use crate::{
    AccountChangeError, Act, AdminLink, Admission, AuditFilter, CreateSessionError, Declaration,
    Intent, RegisterError, RegistrationMode, Role, Store,
};

static ACT: Act = Act {
    intent: "account.intent",
    done: "account.done",
    failed: "account.failed",
};

async fn intent(store: &Store) -> Intent {
    let declaration = Declaration {
        user_id: None,
        act: &ACT,
        details: serde_json::json!({}),
    };
    store.declare(declaration, NOW).await.unwrap()
}

async fn done(store: &Store) -> u64 {
    let filter = AuditFilter {
        action: Some("account.done".to_owned()),
        ..AuditFilter::default()
    };
    store.count_audit(filter).await.unwrap()
}

async fn promote(store: &Store, number: u64) {
    let intent = intent(store).await;
    store
        .set_role(user_id(number), Role::Admin, &intent, NOW)
        .await
        .unwrap();
}

pub async fn role_and_activity_change_with_their_records(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    promote(&store, 1).await;
    promote(&store, 2).await;
    let by = intent(&store).await;
    store.set_active(user_id(1), false, &by, NOW).await.unwrap();
    let row = store.user_by_id(user_id(1)).await.unwrap().unwrap();
    assert_eq!((row.role, row.active), (Role::Admin, false));
    assert_eq!(done(&store).await, 3);
    let nobody = user_id(9);
    let role = store.set_role(nobody, Role::Admin, &by, NOW).await;
    assert!(matches!(role, Err(AccountChangeError::NoSuchUser)));
    let active = store.set_active(nobody, true, &by, NOW).await;
    assert!(matches!(active, Err(AccountChangeError::NoSuchUser)));
    assert_eq!(done(&store).await, 3, "what did not happen has no outcome");
}

pub async fn the_last_active_administrator_stays_one(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    promote(&store, 1).await;
    let by = intent(&store).await;
    let demoted = store.set_role(user_id(1), Role::User, &by, NOW).await;
    assert!(matches!(
        demoted,
        Err(AccountChangeError::LastAdministrator)
    ));
    let disabled = store.set_active(user_id(1), false, &by, NOW).await;
    assert!(matches!(
        disabled,
        Err(AccountChangeError::LastAdministrator)
    ));
    promote(&store, 2).await;
    store.set_active(user_id(2), false, &by, NOW).await.unwrap();
    let demoted = store.set_role(user_id(1), Role::User, &by, NOW).await;
    assert!(
        matches!(demoted, Err(AccountChangeError::LastAdministrator)),
        "one who may not sign in does not count"
    );
    store.set_active(user_id(2), true, &by, NOW).await.unwrap();
    store
        .set_role(user_id(1), Role::User, &by, NOW)
        .await
        .unwrap();
    store
        .set_role(user_id(1), Role::User, &by, NOW)
        .await
        .unwrap();
}

pub async fn a_disabled_user_has_no_session_and_makes_none(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    let id = user_id(1);
    let by = intent(&store).await;
    let ended = store.set_active(id, false, &by, NOW).await.unwrap();
    assert_eq!(ended, [session_id(1)]);
    assert!(store.list_sessions(id, NOW).await.unwrap().is_empty());
    let other = store.list_sessions(user_id(2), NOW).await.unwrap();
    assert_eq!(other.len(), 1);
    let refused = store.create_session(session(id, 7, NOW), vec![]).await;
    assert!(matches!(refused, Err(CreateSessionError::NotAllowed)));
    let unknown = store
        .create_session(session(user_id(9), 3, NOW), vec![])
        .await;
    assert!(matches!(unknown, Err(CreateSessionError::NotAllowed)));
    store.set_active(id, true, &by, NOW).await.unwrap();
    assert!(
        store.list_sessions(id, NOW).await.unwrap().is_empty(),
        "an ended session does not come back"
    );
    store
        .create_session(session(id, 7, NOW + 9), vec![])
        .await
        .unwrap();
    let row = store.user_by_id(id).await.unwrap().unwrap();
    assert_eq!(row.last_login, Some(NOW + 9), "a session is a sign-in");
}

pub async fn an_erased_user_is_gone_and_the_log_still_verifies(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 4).await;
    let (gone, stays) = (user_id(1), user_id(2));
    let records = store.count_audit(AuditFilter::default()).await.unwrap();
    let by = intent(&store).await;
    store.erase_user(gone, &by, NOW).await.unwrap();

    assert!(store.user_by_id(gone).await.unwrap().is_none());
    assert!(!store.handle_taken(&sample::handle(1)).await.unwrap());
    assert!(store.credential_by_id(gone).await.unwrap().is_none());
    assert!(store.safes(gone).await.unwrap().is_none());
    assert!(store.list_sessions(gone, NOW).await.unwrap().is_empty());
    assert!(store.prekey_stock(gone, NOW).await.unwrap().is_none());
    assert!(store.user_by_id(stays).await.unwrap().is_some());
    assert!(store.safes(stays).await.unwrap().is_some());

    let head = store.verify_audit_chain().await.unwrap();
    assert_eq!(head.id, records + 2, "an intent and an outcome more");
    let page = store
        .query_audit(AuditFilter::default(), None, 100)
        .await
        .unwrap();
    let of = |user| {
        page.records
            .iter()
            .filter(move |it| it.user_id == Some(user))
    };
    assert!(of(gone).count() > 0 && of(stays).count() > 0);
    assert!(of(gone).all(|record| record.details.is_null()));
    assert!(of(stays).all(|record| record.details.is_object()));

    // What is heard of them later is the system's, and nothing is lost.
    let late = sample::event(Some(gone), "session.expired", NOW);
    store.append_audit(vec![late]).await.unwrap();
    let again = store.erase_user(gone, &by, NOW).await;
    assert!(matches!(again, Err(AccountChangeError::NoSuchUser)));
    sample::register(&store, 1..2, 4).await;
    promote(&store, 2).await;
    let last = store.erase_user(stays, &by, NOW).await;
    assert!(matches!(last, Err(AccountChangeError::LastAdministrator)));
    store.verify_audit_chain().await.unwrap();
}

pub async fn an_owner_erases_their_account_and_the_record_of_it_names_nobody(
    fixture: &impl Fixture,
) {
    let store = fixture.open();
    sample::register(&store, 1..3, 4).await;
    let (gone, stays) = (user_id(1), user_id(2));
    let new = session(gone, 7, NOW);
    store.create_session(new, vec![]).await.unwrap();
    let record = || vec![sample::event(None, "account.erased", NOW)];

    let mut ended = store.erase_own_account(gone, record()).await.unwrap();
    ended.sort_unstable();
    let mut all = [session_id(1), session_id(7)];
    all.sort_unstable();
    assert_eq!(ended, all, "every session of it, and no other");
    assert!(store.user_by_id(gone).await.unwrap().is_none());
    assert!(!store.handle_taken(&sample::handle(1)).await.unwrap());
    assert!(store.safes(gone).await.unwrap().is_none());
    assert!(store.list_sessions(gone, NOW).await.unwrap().is_empty());
    assert_eq!(store.list_sessions(stays, NOW).await.unwrap().len(), 1);
    assert!(store.safes(stays).await.unwrap().is_some());

    store.verify_audit_chain().await.unwrap();
    let filter = AuditFilter {
        action: Some("account.erased".to_owned()),
        ..AuditFilter::default()
    };
    let page = store.query_audit(filter.clone(), None, 10).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(page.records[0].user_id, None);
    assert!(page.records[0].details.is_object(), "it can still be read");

    let again = store.erase_own_account(gone, record()).await;
    assert!(matches!(again, Err(AccountChangeError::NoSuchUser)));
    promote(&store, 2).await;
    let last = store.erase_own_account(stays, record()).await;
    assert!(matches!(last, Err(AccountChangeError::LastAdministrator)));
    assert_eq!(store.list_sessions(stays, NOW).await.unwrap().len(), 1);
    assert_eq!(
        store.count_audit(filter).await.unwrap(),
        1,
        "what did not happen has no record"
    );
}

pub async fn a_link_makes_one_administrator_in_its_time(fixture: &impl Fixture) {
    let store = fixture.open();
    let by = intent(&store).await;
    let keep = async |byte: u8| {
        let link = AdminLink {
            hash: [byte; 32],
            expires_at: NOW + 100,
        };
        store.keep_admin_link(link, &by, NOW).await.unwrap();
    };
    let register = async |number: u64, byte: u8, now: u64| {
        let mut new = user(number, 0, Admission::AdminLink([byte; 32]));
        new.created_at = now;
        let session = session(user_id(number), number, now);
        store.register(new, session, vec![]).await
    };
    keep(1).await;
    assert!(store.admin_link_usable([1; 32], NOW + 99).await.unwrap());
    assert!(!store.admin_link_usable([1; 32], NOW + 100).await.unwrap());
    let late = register(1, 1, NOW + 100).await;
    assert!(matches!(late, Err(RegisterError::AdminLinkUnusable)));
    keep(2).await;
    let replaced = register(1, 1, NOW).await;
    assert!(matches!(replaced, Err(RegisterError::AdminLinkUnusable)));
    assert_eq!(register(1, 2, NOW).await.unwrap(), Role::Admin);
    let settings = store.server_settings().await.unwrap();
    assert!(settings.setup_done, "the first administrator is set-up");
    assert_eq!(settings.registration, RegistrationMode::Invite);
    let again = register(2, 2, NOW).await;
    assert!(matches!(again, Err(RegisterError::AdminLinkUnusable)));
    store
        .set_registration_mode(RegistrationMode::Closed, &by, NOW)
        .await
        .unwrap();
    keep(3).await;
    assert_eq!(register(2, 3, NOW).await.unwrap(), Role::Admin);
    let settings = store.server_settings().await.unwrap();
    assert_eq!(settings.registration, RegistrationMode::Closed);
}
