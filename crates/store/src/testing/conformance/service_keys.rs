use super::Fixture;
use crate::testing::sample::{self, NOW, service, service_key};
use crate::{
    Act, AuditFilter, Declaration, Intent, Listed, MAX_SERVICE_KEY_VERSIONS, NewKey, ServiceKey,
    ServiceKeyError, ServiceKeyState, Store,
};

const ACT: Act = Act {
    intent: "service_key.intent",
    done: "service_key.done",
    failed: "service_key.failed",
};

async fn intent(store: &Store) -> Intent {
    let declaration = Declaration {
        user_id: None,
        act: &ACT,
        details: serde_json::json!({}),
    };
    store.declare(declaration, NOW).await.unwrap()
}

pub(super) async fn create(store: &Store, number: u8) -> Result<ServiceKey, ServiceKeyError> {
    let (name, by) = (format!("Service {number}"), intent(store).await);
    let key = service_key(number);
    store
        .create_service_key(service(number), name, key, &by, NOW)
        .await
}

async fn rotate(store: &Store, number: u8, expected: u32) -> Result<ServiceKey, ServiceKeyError> {
    let (by, key) = (
        intent(store).await,
        service_key((expected as u8).wrapping_add(100)),
    );
    store
        .rotate_service_key(service(number), expected, key, &by, NOW + 1)
        .await
}

async fn versions(store: &Store, number: u8) -> Vec<ServiceKey> {
    let found = store.service_key_versions(service(number)).await.unwrap();
    found.into_iter().map(Listed::unwrap).collect()
}

async fn private(store: &Store, number: u8, version: u32) -> Option<Vec<u8>> {
    let found = store.private_service_key(service(number), version).await;
    let (key, private) = found.unwrap()?;
    assert_eq!((key.service, key.version), (service(number), version));
    Some(private.into_inner().to_vec())
}

async fn done(store: &Store) -> u64 {
    let filter = AuditFilter {
        action: Some(ACT.done.to_owned()),
        ..AuditFilter::default()
    };
    store.count_audit(filter).await.unwrap()
}

pub async fn a_service_has_one_first_key_and_it_is_read_back(fixture: &impl Fixture) {
    let store = fixture.open();
    let made = create(&store, 1).await.unwrap();
    assert_eq!((made.version, made.state), (1, ServiceKeyState::Active));
    assert_eq!((made.created_at, made.retired_at), (NOW, None));
    let again = create(&store, 1).await;
    assert!(matches!(again, Err(ServiceKeyError::Conflict)), "{again:?}");
    assert_eq!(done(&store).await, 1, "a refusal leaves no outcome");
    store.close().unwrap();
    let store = fixture.open();
    assert_eq!(versions(&store, 1).await, [made]);
    let kept = service_key(1).private_key.into_inner();
    assert_eq!(private(&store, 1, 1).await, Some(kept.to_vec()));
    assert_eq!(private(&store, 1, 2).await, None);
    assert_eq!(versions(&store, 2).await, []);
}

pub async fn a_rotation_retires_a_version_and_keeps_it(fixture: &impl Fixture) {
    let store = fixture.open();
    let first = create(&store, 1).await.unwrap();
    let second = rotate(&store, 1, 1).await.unwrap();
    assert_eq!((second.version, second.name), (2, first.name.clone()));
    let found = versions(&store, 1).await;
    let retired = ServiceKey {
        state: ServiceKeyState::Retired,
        updated_at: NOW + 1,
        retired_at: Some(NOW + 1),
        ..first
    };
    assert_eq!(found[1], retired);
    assert_eq!((found[0].version, found.len()), (2, 2));
    let published = async |version| {
        let found = store.published_service_keys(service(1), version).await;
        let found = found.unwrap().into_iter().map(Listed::unwrap);
        found.collect::<Vec<_>>()
    };
    assert_eq!(published(None).await, found);
    assert_eq!(published(Some(1)).await, found[1..]);
    assert_eq!(published(Some(3)).await, []);
    for (version, number) in [(1, 1), (2, 101)] {
        let kept = service_key(number).private_key.into_inner();
        assert_eq!(private(&store, 1, version).await, Some(kept.to_vec()));
    }
    for wrong in [1, 3, u32::MAX] {
        let refused = rotate(&store, 1, wrong).await;
        let conflict = matches!(refused, Err(ServiceKeyError::Conflict));
        assert!(conflict, "{wrong}: {refused:?}");
    }
    let unknown = rotate(&store, 2, 1).await;
    assert!(
        matches!(unknown, Err(ServiceKeyError::Unknown)),
        "{unknown:?}"
    );
    assert_eq!(done(&store).await, 2);
}

pub async fn one_of_many_who_rotate_at_once_wins(fixture: &impl Fixture) {
    let store = fixture.open();
    create(&store, 1).await.unwrap();
    let mut rotating = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        rotating.spawn(async move { rotate(&store, 1, 1).await.is_ok() });
    }
    let won = rotating.join_all().await.into_iter().filter(|won| *won);
    assert_eq!(won.count(), 1);
    let found = versions(&store, 1).await;
    assert_eq!(found.len(), 2);
    assert_eq!(done(&store).await, 2);
}

pub async fn versions_of_a_service_are_bounded(fixture: &impl Fixture) {
    let store = fixture.open();
    create(&store, 1).await.unwrap();
    let most = MAX_SERVICE_KEY_VERSIONS as u32;
    for version in 1..most {
        rotate(&store, 1, version).await.unwrap();
    }
    let refused = rotate(&store, 1, most).await;
    assert!(
        matches!(refused, Err(ServiceKeyError::TooManyVersions)),
        "{refused:?}"
    );
    let by = intent(&store).await;
    let deleted = store.delete_service_keys(service(1), Some(1), &by, NOW);
    assert_eq!(deleted.await.unwrap(), 1);
    assert_eq!(rotate(&store, 1, most).await.unwrap().version, most + 1);
}

pub async fn a_name_changes_with_its_record(fixture: &impl Fixture) {
    let store = fixture.open();
    create(&store, 1).await.unwrap();
    rotate(&store, 1, 1).await.unwrap();
    let by = intent(&store).await;
    let renamed = store.rename_service(service(1), "Another".to_owned(), &by, NOW + 2);
    let renamed = renamed.await.unwrap();
    assert_eq!(
        (renamed.name.as_str(), renamed.updated_at),
        ("Another", NOW + 2)
    );
    let found = versions(&store, 1).await;
    assert_eq!(found[0], renamed);
    assert_eq!(found[1].name, "Service 1");
    let unknown = store.rename_service(service(2), "Another".to_owned(), &by, NOW);
    assert!(matches!(unknown.await, Err(ServiceKeyError::Unknown)));
    assert_eq!(done(&store).await, 3);
}

pub async fn only_what_is_retired_is_deleted_alone(fixture: &impl Fixture) {
    let store = fixture.open();
    create(&store, 1).await.unwrap();
    create(&store, 2).await.unwrap();
    rotate(&store, 1, 1).await.unwrap();
    let by = intent(&store).await;
    let delete = async |number, version| {
        store
            .delete_service_keys(service(number), version, &by, NOW)
            .await
    };
    let active = delete(1, Some(2)).await;
    assert!(matches!(active, Err(ServiceKeyError::Active)), "{active:?}");
    assert!(matches!(
        delete(1, Some(9)).await,
        Err(ServiceKeyError::Unknown)
    ));
    assert!(matches!(
        delete(9, None).await,
        Err(ServiceKeyError::Unknown)
    ));
    assert_eq!(delete(1, Some(1)).await.unwrap(), 1);
    assert_eq!(private(&store, 1, 1).await, None);
    assert_eq!(versions(&store, 1).await.len(), 1);
    assert_eq!(delete(1, None).await.unwrap(), 1);
    assert_eq!(versions(&store, 1).await, []);
    assert_eq!(versions(&store, 2).await.len(), 1, "the other is there");
    assert_eq!(create(&store, 1).await.unwrap().version, 1);
}

pub async fn services_are_listed_in_order_page_by_page(fixture: &impl Fixture) {
    let store = fixture.open();
    for number in [3, 1, 2] {
        create(&store, number).await.unwrap();
    }
    rotate(&store, 2, 1).await.unwrap();
    let page = async |after: Option<u8>| -> Vec<(u32, String)> {
        let found = store.list_services(after.map(service), 2).await.unwrap();
        let found = found.into_iter();
        found.map(|(id, row)| (row.unwrap().version, id)).collect()
    };
    let of = |number: u8| service(number).to_string();
    assert_eq!(page(None).await, [(1, of(1)), (2, of(2))]);
    assert_eq!(page(Some(2)).await, [(1, of(3))]);
    assert_eq!(page(Some(3)).await, []);
}

pub async fn private_halves_move_to_another_key(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 0..1, 1).await;
    create(&store, 1).await.unwrap();
    rotate(&store, 1, 1).await.unwrap();
    store
        .begin_rotation(NewKey::Configured, "test".to_owned(), NOW, vec![])
        .await
        .unwrap();
    let budget = std::time::Duration::from_millis(40);
    while let Some(job) = store.step_key_job(budget, NOW + 60).await.unwrap() {
        assert!(private(&store, 1, 1).await.is_some(), "while keys rotate");
        if job.finished {
            break;
        }
    }
    store.close().unwrap();
    let store = fixture.open();
    for (version, number) in [(1, 1), (2, 101)] {
        let kept = service_key(number).private_key.into_inner();
        assert_eq!(private(&store, 1, version).await, Some(kept.to_vec()));
    }
    let samples = store.open_samples(3).await.unwrap();
    let of_services = |it: &&crate::Samples| it.column == "service_keys.encrypted_private_key";
    assert_eq!(
        samples.iter().find(of_services).map(|it| it.opened),
        Some(2)
    );
}

pub async fn a_copy_has_the_keys_of_services(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 0..1, 1).await;
    let made = create(&store, 1).await.unwrap();
    store
        .snapshot(fixture.copy(), Box::new(|_, _| {}))
        .await
        .unwrap();
    let copied = fixture.open_copy();
    assert_eq!(versions(&copied, 1).await, [made]);
    let kept = service_key(1).private_key.into_inner();
    assert_eq!(private(&copied, 1, 1).await, Some(kept.to_vec()));
}
