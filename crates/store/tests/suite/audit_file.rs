//! Whoever holds the file and changes its log is found out, offline and without any key of the
//! database, and what was done is called by its name.

use crate::support::Folder;
use audit::{
    Finding, Head, HeadSigningKey, Header, Outside, SignedHead, Verdict, Verifier, Witnessed,
};
use rand_core::UnwrapErr;
use rusqlite::Connection;
use store::testing::sample::{NOW, event, user_id};
use store::{AuditFile, Store};

const RECORDS: u64 = 24;
const HEADS_EVERY: u64 = 6;

fn key() -> HeadSigningKey {
    HeadSigningKey::from_bytes(&[7; 64])
}

fn signed(key: &HeadSigningKey, head: Head) -> SignedHead {
    key.sign(&mut UnwrapErr(getrandom::SysRng), head)
}

/// A log of 24 records with a head behind every sixth.
async fn filled() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    let text = Header::key_text(&key().verify_key());
    store.publish_audit_key(text).await.unwrap();
    store::testing::sample::register(&store, 1..2, 0).await;
    grow(&store, RECORDS, "session.created").await;
    store.close().unwrap();
    folder
}

async fn grow(store: &Store, to: u64, action: &'static str) {
    loop {
        let tip = store.audit_tip().await.unwrap();
        let newest = store.newest_audit_head().await.unwrap();
        let newest = newest.map_or(0, |head| head.head.record_id);
        if tip.id.is_multiple_of(HEADS_EVERY) && tip.id > newest {
            let head = Head {
                number: tip.id / HEADS_EVERY,
                record_id: tip.id,
                hash: tip.hash,
                timestamp: NOW + tip.id,
            };
            let head = signed(&key(), head);
            assert!(store.append_audit_head(head).await.unwrap());
        }
        if tip.id >= to {
            return;
        }
        let user = (tip.id % 2 == 0).then(|| user_id(1));
        let events = vec![event(user, action, NOW + tip.id)];
        store.append_audit(events).await.unwrap();
    }
}

/// As somebody would who does not mind the triggers.
fn tamper(folder: &Folder, sql: &str) -> Connection {
    let connection = folder.tamper();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF")
        .unwrap();
    let triggers: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'audit_%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(triggers.len() >= 8, "{triggers:?}");
    for trigger in triggers {
        connection
            .execute_batch(&format!("DROP TRIGGER {trigger}"))
            .unwrap();
    }
    connection.execute_batch(sql).unwrap();
    connection
}

fn verdict(folder: &Folder, outside: Option<Outside>) -> Verdict {
    let file = AuditFile::open(&folder.database()).unwrap();
    let named = file.named_key().unwrap().unwrap();
    let key = Header::parse_key(&named).unwrap();
    file.verify(Verifier::new(Some(key), outside)).unwrap()
}

fn findings(folder: &Folder) -> Vec<Finding> {
    verdict(folder, None).findings
}

/// A head of a record as it stands in the file now, as a witness keeps it.
fn witnessed(folder: &Folder, id: u64) -> Outside {
    let hash: [u8; 64] = folder
        .tamper()
        .query_row("SELECT hash FROM audit_log WHERE id = ?1", [id], |row| {
            row.get(0)
        })
        .unwrap();
    let head = Head {
        number: id / HEADS_EVERY,
        record_id: id,
        hash,
        timestamp: NOW + id,
    };
    let line = Witnessed::new(&signed(&key(), head), key().verify_key().fingerprint()).line();
    let mut outside = Outside::under(key().verify_key());
    outside.line(line.as_bytes()).unwrap();
    assert_eq!(outside.len(), 1);
    outside
}

#[tokio::test]
async fn the_control_an_untouched_log_verifies_also_while_it_is_open() {
    let folder = filled().await;
    let whole = verdict(&folder, Some(witnessed(&folder, 20)));
    assert_eq!(whole.findings, []);
    assert_eq!((whole.from, whole.to, whole.vouched), (1, RECORDS, RECORDS));
    assert_eq!(whole.heads, RECORDS / HEADS_EVERY);
    let store = folder.open();
    grow(&store, RECORDS + 3, "session.created").await;
    assert_eq!(verdict(&folder, None).to, RECORDS + 3);
    assert_eq!(findings(&folder), []);
    store.close().unwrap();
}

#[tokio::test]
async fn a_change_of_any_column_of_a_record_is_found_and_the_record_named() {
    for change in [
        "event_id = randomblob(16)",
        "user_id = NULL",
        "user_id = zeroblob(16)",
        "user_id = zeroblob(7)",
        "action = 'session.expired'",
        "action = action || ' '",
        "timestamp = timestamp + 1",
        "timestamp = -1",
        "encrypted_details = randomblob(80)",
        "encrypted_details = substr(encrypted_details, 1, 40)",
        "previous_hash = randomblob(64)",
        "hash = randomblob(64)",
    ] {
        let folder = filled().await;
        tamper(
            &folder,
            &format!("UPDATE audit_log SET {change} WHERE id = 9"),
        );
        assert_eq!(findings(&folder), [Finding::Changed { id: 9 }], "{change}");
    }
    let folder = filled().await;
    tamper(&folder, "UPDATE audit_log SET id = 99 WHERE id = 9");
    let found = findings(&folder);
    assert_eq!(found[0], Finding::Missing { from: 9, to: 9 }, "{found:?}");
}

#[tokio::test]
async fn a_deleted_record_is_found_and_named() {
    for id in [1, 9, 12, 23] {
        let folder = filled().await;
        tamper(&folder, &format!("DELETE FROM audit_log WHERE id = {id}"));
        assert_eq!(findings(&folder), [Finding::Missing { from: id, to: id }]);
    }
    let folder = filled().await;
    tamper(&folder, "DELETE FROM audit_log WHERE id BETWEEN 8 AND 14");
    assert_eq!(findings(&folder), [Finding::Missing { from: 8, to: 14 }]);
}

#[tokio::test]
async fn two_swapped_records_are_found_and_named() {
    for (a, b) in [(9, 10), (2, 21)] {
        let folder = filled().await;
        tamper(
            &folder,
            &format!(
                "UPDATE audit_log SET id = 99 WHERE id = {a};
                 UPDATE audit_log SET id = {a} WHERE id = {b};
                 UPDATE audit_log SET id = {b} WHERE id = 99"
            ),
        );
        assert_eq!(findings(&folder), [Finding::Swapped { a, b }]);
    }
}

#[tokio::test]
async fn a_cut_tail_is_found_by_the_heads_that_are_left() {
    let folder = filled().await;
    tamper(&folder, "DELETE FROM audit_log WHERE id > 20");
    let expected = Finding::CutTail {
        last: 20,
        expected: RECORDS,
    };
    assert_eq!(findings(&folder), [expected]);
}

#[tokio::test]
async fn a_tail_that_was_cut_with_its_heads_is_found_by_a_head_kept_elsewhere() {
    let folder = filled().await;
    let outside = witnessed(&folder, RECORDS);
    let connection = tamper(
        &folder,
        "DELETE FROM audit_log WHERE id > 20; DELETE FROM audit_heads WHERE record_id > 20",
    );
    // A row of its own says what was signed last. The server has its key; without it, whoever changes
    // that row as well leaves nothing that can tell: this is what witnesses are for.
    let noted = Finding::CutTail {
        last: 20,
        expected: RECORDS,
    };
    assert_eq!(findings(&folder), [noted]);
    let note = "UPDATE settings SET value = '20' WHERE name = 'audit_signed'";
    connection.execute_batch(note).unwrap();
    assert_eq!(findings(&folder), []);
    let expected = Finding::RolledBack {
        last: 20,
        expected: RECORDS,
        at: NOW + RECORDS,
    };
    assert_eq!(verdict(&folder, Some(outside)).findings, [expected]);
}

#[tokio::test]
async fn an_older_copy_of_the_whole_file_is_found_by_a_head_kept_elsewhere() {
    let folder = filled().await;
    let old = std::fs::read(folder.database()).unwrap();
    let store = folder.open();
    grow(&store, RECORDS + HEADS_EVERY, "session.created").await;
    store.close().unwrap();
    let newest = RECORDS + HEADS_EVERY;
    let (shorter, longer) = (witnessed(&folder, newest), witnessed(&folder, newest));
    for left in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(folder.database().with_extension(left));
    }
    std::fs::write(folder.database(), old).unwrap();
    assert_eq!(findings(&folder), [], "the copy itself is whole");
    let expected = Finding::RolledBack {
        last: RECORDS,
        expected: newest,
        at: NOW + newest,
    };
    assert_eq!(verdict(&folder, Some(shorter)).findings, [expected]);
    // The server goes on with it, past where the witness saw it last.
    let store = folder.open();
    grow(&store, newest + HEADS_EVERY, "session.revoked").await;
    store.close().unwrap();
    assert_eq!(findings(&folder), []);
    let expected = Finding::Forked { id: newest };
    assert_eq!(verdict(&folder, Some(longer)).findings, [expected]);
}

#[tokio::test]
async fn a_history_that_was_written_anew_does_not_fit_the_heads() {
    let folder = filled().await;
    let connection = tamper(
        &folder,
        "UPDATE audit_log SET action = 'session.forged' WHERE id = 9",
    );
    let mut previous = [0; 64];
    for id in 1..=RECORDS {
        let mut record = connection
            .query_row(
                "SELECT event_id, user_id, action, timestamp, encrypted_details, previous_hash, hash
                 FROM audit_log WHERE id = ?1",
                [id],
                |row| {
                    Ok(audit::Record {
                        id,
                        event_id: row.get(0)?,
                        user_id: row.get(1)?,
                        action: row.get(2)?,
                        timestamp: row.get(3)?,
                        details: row.get(4)?,
                        previous: row.get(5)?,
                        hash: row.get(6)?,
                    })
                },
            )
            .unwrap();
        if id > 1 {
            record.previous = previous;
        }
        previous = record.computed_hash();
        connection
            .execute(
                "UPDATE audit_log SET previous_hash = ?1, hash = ?2 WHERE id = ?3",
                (record.previous, previous, id),
            )
            .unwrap();
    }
    let expected = Finding::Rewritten {
        after: 6,
        id: 12,
        number: 2,
    };
    assert_eq!(findings(&folder), [expected]);
    // The chain alone cannot tell.
    folder.open().verify_audit_chain().await.unwrap();
}

#[tokio::test]
async fn forged_deleted_and_moved_heads_are_found_and_named() {
    let forged = Finding::ForgedHead {
        number: 2,
        record_id: 12,
    };
    for (sql, expected) in [
        (
            "UPDATE audit_heads SET timestamp = timestamp + 1 WHERE id = 2",
            forged.clone(),
        ),
        (
            "UPDATE audit_heads SET signature = randomblob(4691) WHERE id = 2",
            forged.clone(),
        ),
        (
            "UPDATE audit_heads SET signature = x'00' WHERE id = 2",
            forged.clone(),
        ),
        (
            "UPDATE audit_heads SET hash = randomblob(64) WHERE id = 2",
            forged,
        ),
        (
            "UPDATE audit_heads SET record_id = 13 WHERE id = 2",
            Finding::ForgedHead {
                number: 2,
                record_id: 13,
            },
        ),
        (
            "DELETE FROM audit_heads WHERE id = 2",
            Finding::MissingHeads { from: 2, to: 2 },
        ),
        (
            "DELETE FROM audit_heads",
            Finding::Unsigned { records: RECORDS },
        ),
    ] {
        let folder = filled().await;
        tamper(&folder, sql);
        assert_eq!(findings(&folder), [expected], "{sql}");
    }
}

#[tokio::test]
async fn a_forged_door_does_not_let_records_go() {
    let folder = filled().await;
    tamper(
        &folder,
        "INSERT INTO audit_retention (through_id, hash, cutoff, timestamp)
             SELECT 10, hash, 1, 1 FROM audit_log WHERE id = 10;
         DELETE FROM audit_log WHERE id <= 10;
         DELETE FROM audit_heads WHERE record_id <= 10",
    );
    let expected = Finding::UnprovenRetention { through: 10 };
    assert_eq!(findings(&folder), [expected]);
}

#[tokio::test]
async fn what_the_retention_took_is_not_missed() {
    let folder = filled().await;
    let store = folder.open();
    let door = store.open_audit_door(NOW + 8, NOW + 100).await.unwrap();
    assert!(door.is_some_and(|door| door.through_id > 1));
    grow(&store, RECORDS + HEADS_EVERY, "session.created").await;
    while store.pass_audit_door(3).await.unwrap() > 0 {}
    store.close().unwrap();
    let verdict = verdict(&folder, None);
    assert_eq!(verdict.findings, []);
    assert!(verdict.from > 1);
    // And what goes beyond it is.
    let from = verdict.from;
    tamper(&folder, &format!("DELETE FROM audit_log WHERE id = {from}"));
    assert_eq!(findings(&folder), [Finding::Missing { from, to: from }]);
}

#[tokio::test]
async fn a_log_in_a_folder_that_cannot_be_written_to_is_read_as_well() {
    let folder = filled().await;
    let bytes = std::fs::read(folder.database()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let copy = other.path().join("a copy?#%.db");
    std::fs::write(&copy, bytes).unwrap();
    let file = AuditFile::open(&copy).unwrap();
    let verdict = file.verify(Verifier::new(None, None)).unwrap();
    assert_eq!((verdict.findings, verdict.to), (vec![], RECORDS));
    drop(file);
    assert!(AuditFile::open(&other.path().join("nothing.db")).is_err());
    std::fs::write(&copy, b"not a database").unwrap();
    assert!(AuditFile::open(&copy).is_err());
}
