//! Rows of before they had tags get them when the database is opened, wherever that was cut.

use std::sync::Arc;

use crate::support::Folder;
use crate::support::filled::{CODE, change, damaged, filled};
use crate::support::power::opened_and_closed;
use store::testing::sample::{self, NOW, handle, session_id, user_id};
use store::testing::{Disk, Loss};
use store::{AuditFilter, Damage, Role, Store};

/// The schema and the secrets of before rows had tags.
fn untagged(folder: &Folder, whole: bool) {
    if whole {
        store::testing::join_wraps(&folder.config());
    }
    store::testing::untag(&folder.config());
    let connection = folder.tamper();
    let tables = [
        "users",
        "public_keys",
        "sessions",
        "invites",
        "settings",
        "audit_log",
    ];
    for table in tables {
        let sql = format!("ALTER TABLE {table} DROP COLUMN tag");
        connection.execute_batch(&sql).unwrap();
        if !whole {
            let sql = format!("ALTER TABLE {table} ADD COLUMN tag BLOB");
            connection.execute_batch(&sql).unwrap();
        }
    }
    if whole {
        connection
            .execute_batch(
                "ALTER TABLE key_jobs DROP COLUMN outcomes;
                 ALTER TABLE invites DROP COLUMN used_by;
                 DELETE FROM refinery_schema_history WHERE version >= 3;",
            )
            .unwrap();
    }
}

/// A database of before rows had tags, and the number of its newest audit record.
///
/// Not `whole` is one whose opening ended between the new columns and their values.
async fn older(whole: bool) -> (Folder, u64) {
    let folder = filled().await;
    let store = folder.open();
    let tip = store.audit_tip().await.unwrap();
    store.close().unwrap();
    untagged(&folder, whole);
    (folder, tip.id)
}

/// Asks for all that `filled` made, and for one record of the taking over.
async fn all_is_bound(store: &Store, records_before: u64) {
    for number in 1..4 {
        let user = store.user_by_id(user_id(number)).await.unwrap().unwrap();
        assert_eq!(user.handle, handle(number));
        assert_eq!(user.role == Role::Admin, number < 3);
        let found = store.user_by_handle(&handle(number)).await.unwrap();
        assert_eq!(found.unwrap().user_id, user.user_id);
        assert!(store.public_keys(user.user_id).await.unwrap().is_some());
        let session = store.find_session(session_id(number), NOW).await;
        assert!(session.unwrap().is_some());
    }
    for number in 1..4 {
        let (safe, _) = store.safes(user_id(number)).await.unwrap().unwrap();
        let data: Vec<_> = safe.wraps.iter().map(|wrap| &wrap.data).collect();
        let written = sample::safe(1).wraps;
        assert_eq!(data, [&written[0].data, &written[1].data]);
    }
    assert!(store.find_invite(CODE).await.unwrap().is_some());
    assert!(store.admin_link_usable([9; 32], NOW).await.unwrap());
    store.server_settings().await.unwrap();
    let own = store.own_audit_tip(None, None).await.unwrap();
    assert_eq!((own.tip.id, own.foreign), (records_before + 1, None));
    let page = store.query_audit(AuditFilter::default(), None, 50).await;
    let page = page.unwrap();
    assert!(page.records.iter().all(|record| !record.foreign));
    assert_eq!(page.records[0].action, store::ROWS_BOUND);
    assert_eq!(
        page.records[0].details["records_taken_over"],
        records_before
    );
}

#[tokio::test]
async fn a_database_of_before_rows_had_tags_gets_them_when_it_is_opened() {
    for whole in [true, false] {
        let (folder, records) = older(whole).await;
        let store = folder.open();
        assert_eq!(store.report().migrated, if whole { 7 } else { 0 });
        all_is_bound(&store, records).await;
        store.close().unwrap();

        // Once: what is changed from then on is damage.
        change(&folder, "UPDATE users SET role = 'admin' WHERE number = 3");
        let store = folder.open();
        damaged("role", store.user_by_id(user_id(3)).await, "users");
        assert_eq!(store.audit_tip().await.unwrap().id, records + 1);
        let told: Vec<Damage> = store.take_damages();
        assert_eq!(told.len(), 1);
    }
}

#[tokio::test]
async fn giving_tags_that_is_cut_anywhere_is_done_by_the_next_start() {
    let (original, records) = older(true).await;
    let (_, operations) = opened(&original, u64::MAX / 2);
    assert!(operations > 20, "the control: there is something to cut");
    let mut untouched = 0;
    for cut in 0..operations {
        let (disk, _) = opened(&original, cut);
        let loss = match cut % 2 {
            0 => Loss::All,
            _ => Loss::Some(cut.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        };
        let after = Folder::new();
        disk.restore(after.0.path(), loss).unwrap();
        let store = Store::open(&after.config())
            .unwrap_or_else(|error| panic!("cut {cut}, {loss:?}: {error}"));
        untouched += u64::from(store.report().migrated == 7);
        all_is_bound(&store, records).await;
        store.close().unwrap();
    }
    // Some cuts fell before the new columns, some behind them.
    assert!(untouched > 0 && untouched < operations, "{untouched}");
}

/// Opens and closes a copy on a disk whose power goes after so many operations.
fn opened(original: &Folder, operations: u64) -> (Arc<Disk>, u64) {
    let folder = Folder::new();
    std::fs::copy(original.database(), folder.database()).unwrap();
    opened_and_closed(&folder, operations)
}
