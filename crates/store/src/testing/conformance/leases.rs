use super::Fixture;
use crate::testing::sample::NOW;

const FIRST: [u8; 16] = [1; 16];
const SECOND: [u8; 16] = [2; 16];

pub async fn one_instance_at_a_time_has_a_lease(fixture: &impl Fixture) {
    let store = fixture.open();
    let take =
        async |name, holder, now| store.take_lease(name, holder, now, now + 30).await.unwrap();
    assert!(take("jobs", FIRST, NOW).await);
    assert!(!take("jobs", SECOND, NOW).await, "it is another's");
    assert!(take("other", SECOND, NOW).await, "of another name");
    assert!(take("jobs", FIRST, NOW + 20).await, "kept");
    assert!(!take("jobs", SECOND, NOW + 49).await, "until then");
    assert!(take("jobs", SECOND, NOW + 50).await, "it has ended");
    assert!(!take("jobs", FIRST, NOW + 50).await);
    store.end_lease("jobs", FIRST).await.unwrap();
    assert!(
        !take("jobs", FIRST, NOW + 50).await,
        "only its holder ends it"
    );
    store.end_lease("jobs", SECOND).await.unwrap();
    assert!(take("jobs", FIRST, NOW + 50).await);
}

pub async fn of_many_that_take_a_lease_at_once_one_has_it(fixture: &impl Fixture) {
    let store = fixture.open();
    let mut tasks = Vec::new();
    for number in 0..20_u8 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            store
                .take_lease("jobs", [number; 16], NOW, NOW + 30)
                .await
                .unwrap()
        }));
    }
    let mut holders = 0;
    for task in tasks {
        holders += usize::from(task.await.unwrap());
    }
    assert_eq!(holders, 1);
}
