use std::collections::BTreeSet;

use super::Fixture;
use crate::testing::sample::{self, NOW, batch, user_id};
use crate::{Claim, Leaf, MAX_LEAVES, PublishError};

pub async fn leaves_are_claimed_in_order_and_then_the_last_resort(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 3).await;
    let published = batch(1, 0, 3);
    for index in 0..3 {
        let claimed = store
            .claim_prekey(user_id(1), Claim::OneTime, NOW)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(claimed.leaf, published.one_time[index as usize].bytes);
        assert_eq!((claimed.prekey_id, claimed.index), (index, index));
        assert_eq!((claimed.stock, claimed.last_resort), (2 - index, false));
        assert_eq!(
            (claimed.head, claimed.tree),
            (published.head.clone(), published.tree.clone())
        );
        assert_eq!(claimed.batch_number, 1);
    }
    for _ in 0..2 {
        let claimed = store
            .claim_prekey(user_id(1), Claim::OneTime, NOW)
            .await
            .unwrap()
            .unwrap();
        assert!(claimed.last_resort);
        assert_eq!(
            (claimed.leaf, claimed.index),
            (published.last_resort.bytes.clone(), 3)
        );
    }
    assert!(
        store
            .claim_prekey(user_id(9), Claim::OneTime, NOW)
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn fifty_claims_at_once_never_share_a_leaf(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 40).await;
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let store = store.clone();
        claims.spawn(async move { sample::claim(&store, user_id(1)).await });
    }
    let claimed = claims.join_all().await;
    let one_time: Vec<u32> = claimed.iter().flatten().copied().collect();
    assert_eq!(one_time.len(), 40);
    assert_eq!(one_time.iter().collect::<BTreeSet<_>>().len(), 40);
}

pub async fn a_last_resort_claim_uses_nothing_up(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 5).await;
    let claimed = store
        .claim_prekey(user_id(1), Claim::LastResort, NOW)
        .await
        .unwrap()
        .unwrap();
    assert!(claimed.last_resort);
    assert_eq!((claimed.stock, claimed.prekey_id), (5, 5));
    assert_eq!(
        store
            .prekey_stock(user_id(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .one_time,
        5
    );
}

pub async fn a_new_batch_withdraws_the_one_before(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 3).await;
    let mut next = batch(2, 100, 4);
    next.signed_prekey = vec![9; 32];
    next.created_at = NOW + 50;
    let stock = store
        .publish_prekeys(user_id(1), next, vec![])
        .await
        .unwrap();
    assert_eq!((stock.one_time, stock.batch_number), (4, 2));
    assert_eq!(stock.last_resort_created_at, NOW + 50);
    assert_eq!(
        store.prekey_stock(user_id(1), NOW).await.unwrap(),
        Some(stock)
    );
    assert_eq!(sample::claim(&store, user_id(1)).await, Some(100));
    let keys = store.public_keys(user_id(1)).await.unwrap().unwrap();
    assert_eq!(
        keys.signed_prekey,
        vec![9; 32],
        "the last-resort pair goes with its batch"
    );
}

pub async fn a_leaf_that_was_handed_out_is_skipped_in_a_later_batch(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 3).await;
    assert_eq!(sample::claim(&store, user_id(1)).await, Some(0));
    assert_eq!(sample::claim(&store, user_id(1)).await, Some(1));
    store
        .publish_prekeys(user_id(1), batch(2, 0, 4), vec![])
        .await
        .unwrap();
    assert_eq!(sample::claim(&store, user_id(1)).await, Some(2));
    assert_eq!(sample::claim(&store, user_id(1)).await, Some(3));
    assert_eq!(sample::claim(&store, user_id(1)).await, None);
}

pub async fn a_batch_number_never_goes_back(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 3).await;
    store
        .publish_prekeys(user_id(1), batch(5, 100, 3), vec![])
        .await
        .unwrap();
    for number in [4, 5] {
        match store
            .publish_prekeys(user_id(1), batch(number, 200, 3), vec![])
            .await
        {
            Err(PublishError::StaleBatch { found, stored: 5 }) => assert_eq!(found, number),
            other => panic!("{other:?}"),
        }
    }
    let nobody = store
        .publish_prekeys(user_id(9), batch(1, 0, 1), vec![])
        .await;
    assert!(matches!(nobody, Err(PublishError::NoSuchUser)));
    let mut large = batch(6, 0, 0);
    large.one_time = vec![
        Leaf {
            prekey_id: 1,
            bytes: vec![1]
        };
        MAX_LEAVES + 1
    ];
    let large = store.publish_prekeys(user_id(1), large, vec![]).await;
    assert!(matches!(large, Err(PublishError::TooManyLeaves { .. })));
    assert_eq!(sample::claim(&store, user_id(1)).await, Some(100));
}

pub async fn nothing_is_handed_out_of_an_expired_batch_and_pruning_takes_it(
    fixture: &impl Fixture,
) {
    let store = fixture.open();
    sample::register(&store, 1..3, 3).await;
    sample::claim(&store, user_id(1)).await;
    let expiry = batch(1, 0, 3).expires_at;
    assert_eq!(store.prune_prekeys(expiry - 1).await.unwrap(), 0);
    for claim in [Claim::OneTime, Claim::LastResort] {
        let before = store
            .claim_prekey(user_id(2), Claim::LastResort, expiry - 1)
            .await
            .unwrap();
        assert!(before.is_some());
        assert!(
            store
                .claim_prekey(user_id(1), claim, expiry)
                .await
                .unwrap()
                .is_none()
        );
    }
    assert_eq!(
        store
            .prekey_stock(user_id(1), expiry)
            .await
            .unwrap()
            .unwrap()
            .one_time,
        0
    );
    let mut pruned = 0;
    while let gone @ 1.. = store.prune_prekeys(expiry).await.unwrap() {
        pruned += gone;
    }
    assert_eq!(pruned, 3, "two batches and one claim");
    let stale = store
        .publish_prekeys(user_id(1), batch(1, 0, 3), vec![])
        .await;
    assert!(
        matches!(stale, Err(PublishError::StaleBatch { .. })),
        "the number outlives the batch"
    );
    store
        .publish_prekeys(user_id(1), batch(2, 0, 3), vec![])
        .await
        .unwrap();
    assert_eq!(sample::claim(&store, user_id(1)).await, Some(0));
}
