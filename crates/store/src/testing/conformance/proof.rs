use ::audit::{Door, Head, RETENTION, SignedHead};

use super::Fixture;
use crate::testing::sample::{NOW, event};
use crate::{AuditItem, Store};

/// A head that nobody signed: the store takes it as it is.
fn head(number: u64, record_id: u64, hash: [u8; 64]) -> SignedHead {
    SignedHead {
        head: Head {
            number,
            record_id,
            hash,
            timestamp: NOW,
        },
        signature: vec![7; 90],
    }
}

/// Appends as many records, each a second after the other, from `NOW` on.
async fn filled(fixture: &impl Fixture, records: u64) -> Store {
    let store = fixture.open();
    let events = (0..records).map(|i| event(None, "a.b", NOW + i)).collect();
    store.append_audit(events).await.unwrap();
    store
}

async fn sign(store: &Store, number: u64) -> bool {
    let tip = store.audit_tip().await.unwrap();
    let head = head(number, tip.id, tip.hash);
    store.append_audit_head(head).await.unwrap()
}

/// What is read, as `7` for a record and `h7` for its head.
fn names(items: &[AuditItem]) -> Vec<String> {
    let name = |item: &AuditItem| match item {
        AuditItem::Record(record, _) => record.id.to_string(),
        AuditItem::Unreadable(id) => format!("!{id}"),
        AuditItem::Head(head) => format!("h{}", head.head.record_id),
    };
    items.iter().map(name).collect()
}

async fn ids(store: &Store) -> Vec<String> {
    names(&store.audit_chunk(0, 1_000, false).await.unwrap().items)
}

pub async fn a_head_is_appended_once_and_only_for_a_record_of_the_log(fixture: &impl Fixture) {
    let store = filled(fixture, 3).await;
    let tip = store.audit_tip().await.unwrap();
    assert_eq!(tip.id, 3);
    for wrong in [
        head(2, 3, tip.hash),
        head(1, 4, tip.hash),
        head(1, 3, [1; 64]),
    ] {
        assert!(!store.append_audit_head(wrong).await.unwrap());
    }
    assert_eq!(store.newest_audit_head().await.unwrap(), None);
    let right = head(1, 3, tip.hash);
    assert!(store.append_audit_head(right.clone()).await.unwrap());
    assert!(!store.append_audit_head(right.clone()).await.unwrap());
    assert_eq!(store.newest_audit_head().await.unwrap(), Some(right));
}

pub async fn the_log_is_read_in_parts_with_heads_behind_their_records(fixture: &impl Fixture) {
    let store = filled(fixture, 2).await;
    assert!(sign(&store, 1).await);
    let more = (2..5).map(|i| event(None, "a.b", NOW + i)).collect();
    store.append_audit(more).await.unwrap();
    assert!(sign(&store, 2).await);
    assert_eq!(ids(&store).await, ["1", "2", "h2", "3", "4", "5", "h5"]);
    let mut parts = Vec::new();
    let mut after = Some(0);
    while let Some(id) = after {
        let chunk = store.audit_chunk(id, 2, false).await.unwrap();
        parts.extend(names(&chunk.items));
        after = chunk.next;
    }
    assert_eq!(parts, ids(&store).await);
    let range = |from, to| {
        let store = store.clone();
        async move {
            let found = store.audit_range(from, to).await.unwrap();
            found.map(|(first, last)| (first.id, last))
        }
    };
    assert_eq!(range(None, None).await, Some((1, 5)));
    let (from, to) = (Some(NOW + 1), Some(NOW + 3));
    assert_eq!(range(from, to).await, Some((2, 4)));
    assert_eq!(range(Some(NOW + 9), None).await, None);
}

pub async fn details_are_opened_for_those_who_ask(fixture: &impl Fixture) {
    let store = filled(fixture, 1).await;
    for (open, expected) in [(false, None), (true, Some("a sample reason"))] {
        let chunk = store.audit_chunk(0, 9, open).await.unwrap();
        let AuditItem::Record(_, seen) = &chunk.items[0] else {
            panic!("{chunk:?}")
        };
        let reason = seen.details.as_ref().and_then(|it| it["reason"].as_str());
        assert_eq!(reason, expected);
    }
}

pub async fn old_records_go_through_the_door_once_a_head_vouches_for_it(fixture: &impl Fixture) {
    let store = filled(fixture, 10).await;
    assert!(sign(&store, 1).await);
    let cutoff = NOW + 6;
    assert_eq!(store.pass_audit_door(100).await.unwrap(), 0, "no door");
    let Some(door) = store.open_audit_door(cutoff, NOW + 20).await.unwrap() else {
        panic!("no door")
    };
    assert_eq!((door.through_id, door.cutoff), (6, cutoff));
    let again = store.open_audit_door(cutoff, NOW + 21).await.unwrap();
    assert_eq!(again, None::<Door>, "nothing more is that old");
    assert_eq!(store.pass_audit_door(100).await.unwrap(), 0, "no head yet");
    assert_eq!(ids(&store).await.len(), 12);

    assert!(sign(&store, 2).await);
    assert_eq!(store.pass_audit_door(4).await.unwrap(), 4);
    assert_eq!(
        ids(&store).await,
        ["5", "6", "7", "8", "9", "10", "h10", "11", "h11"]
    );
    store.verify_audit_chain().await.unwrap();
    assert_eq!(store.pass_audit_door(4).await.unwrap(), 2);
    assert_eq!(
        store.pass_audit_door(4).await.unwrap(),
        0,
        "heads of 6 and before"
    );
    assert_eq!(ids(&store).await[0], "7");
    assert_eq!(store.verify_audit_chain().await.unwrap().id, 11);
    let page = store
        .query_audit(crate::AuditFilter::default(), None, 1)
        .await
        .unwrap();
    assert_eq!(page.records[0].action, RETENTION);
    assert_eq!(page.records[0].details["through_id"], 6);
    // The chain goes on as before, after reopening as well.
    store.close().unwrap();
    let store = fixture.open();
    let more = vec![event(None, "a.b", NOW + 30)];
    store.append_audit(more).await.unwrap();
    assert_eq!(store.verify_audit_chain().await.unwrap().id, 12);
    // And so does the retention.
    let next = store.open_audit_door(NOW + 8, NOW + 31).await.unwrap();
    assert_eq!(next.map(|door| door.through_id), Some(8));
    assert!(sign(&store, 3).await);
    while store.pass_audit_door(4).await.unwrap() > 0 {}
    assert_eq!(ids(&store).await[0], "9");
    assert_eq!(store.audit_doors().await.unwrap().len(), 2);
    assert_eq!(store.verify_audit_chain().await.unwrap().id, 13);
}

pub async fn the_newest_record_never_goes(fixture: &impl Fixture) {
    let store = filled(fixture, 3).await;
    let door = store.open_audit_door(NOW + 1_000, NOW + 2_000).await;
    assert_eq!(door.unwrap().map(|door| door.through_id), Some(2));
    assert!(sign(&store, 1).await);
    while store.pass_audit_door(1).await.unwrap() > 0 {}
    assert_eq!(ids(&store).await, ["3", "4", "h4"]);
    let empty = store.open_audit_door(NOW + 1, NOW + 2_000).await.unwrap();
    assert_eq!(empty, None);
}

pub async fn the_log_stays_this_programs_own_through_its_retention(fixture: &impl Fixture) {
    let store = filled(fixture, 8).await;
    let own = store.own_audit_tip(None, None).await.unwrap();
    assert_eq!((own.tip.id, own.foreign), (8, None));
    let some = store.own_audit_tip(None, Some(3)).await.unwrap();
    assert_eq!((some.tip.id, some.foreign), (3, None));
    let door = store.open_audit_door(NOW + 5, NOW + 20).await.unwrap();
    assert_eq!(door.map(|door| door.through_id), Some(5));
    assert!(sign(&store, 1).await);
    let signed = store.audit_tip().await.unwrap();
    store
        .append_audit(vec![event(None, "a.b", NOW + 21)])
        .await
        .unwrap();
    while store.pass_audit_door(2).await.unwrap() > 0 {}
    let store = {
        store.close().unwrap();
        fixture.open()
    };
    let own = store.own_audit_tip(Some(signed.clone()), None).await;
    let own = own.unwrap();
    assert_eq!((own.tip.id, own.foreign), (signed.id + 1, None));
    // Without the head, the end of the log could have been cut off.
    let unsigned = store.own_audit_tip(None, None).await.unwrap();
    assert_eq!(unsigned.foreign.map(|it| it.id), Some(signed.id));
    let mut other = signed;
    other.hash = [1; 64];
    let foreign = store.own_audit_tip(Some(other), None).await.unwrap();
    assert!(foreign.foreign.is_some());
}

pub async fn records_are_appended_while_old_ones_go(fixture: &impl Fixture) {
    let store = filled(fixture, 60).await;
    let door = store.open_audit_door(NOW + 50, NOW + 100).await.unwrap();
    assert_eq!(door.map(|door| door.through_id), Some(50));
    assert!(sign(&store, 1).await);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let store = store.clone();
        writers.spawn(async move {
            for i in 0..20 {
                let events = vec![event(None, "a.b", NOW + 200 + writer * 20 + i)];
                store.append_audit(events).await.unwrap();
                store.verify_audit_chain().await.unwrap();
            }
        });
    }
    let mut gone = 0;
    loop {
        let passed = store.pass_audit_door(3).await.unwrap();
        assert!(passed <= 3);
        gone += passed;
        store.verify_audit_chain().await.unwrap();
        if passed == 0 {
            break;
        }
    }
    writers.join_all().await;
    assert_eq!(gone, 50);
    let ids = ids(&store).await;
    assert_eq!((ids[0].as_str(), ids.len()), ("51", 10 + 1 + 1 + 80));
    assert_eq!(store.verify_audit_chain().await.unwrap().id, 141);
}
