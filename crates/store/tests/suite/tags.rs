//! What stands in the clear and decides is bound to its row: whoever changes it in the file makes
//! damage, and no administrator, session, invite, key or audit record.

use crate::support::filled::{CODE, change, damaged, filled, intent};
use audit::Fields;
use rusqlite::Connection;
use store::testing::sample::{self, NOW, event, session_id, user_id};
use store::{
    AccountChangeError, AuditFilter, ChainHead, Fault, InviteHash, InviteUse, RegisterError, Role,
    ServiceKeyError, UseInviteError,
};

#[tokio::test]
async fn an_account_whose_role_state_or_keys_were_changed_in_the_file_is_damaged() {
    for changed in [
        "role = 'admin'",
        "active = 0",
        "created_at = created_at - 1",
        "fingerprint = zeroblob(64)",
        "handle_index = zeroblob(32)",
        "tag = NULL",
        "tag = (SELECT tag FROM users WHERE number = 1)",
    ] {
        let folder = filled().await;
        change(
            &folder,
            &format!("UPDATE users SET {changed} WHERE number = 3"),
        );
        let store = folder.open();
        let three = user_id(3);
        damaged(changed, store.user_by_id(three).await, "users");
        damaged(changed, store.credential_by_id(three).await, "users");
        let session = sample::session(three, 30, NOW);
        let refused = store.create_session(session, vec![]).await;
        assert!(refused.is_err(), "{changed}");
        let refused = store
            .set_active(three, true, &intent(&store).await, NOW)
            .await;
        assert!(
            matches!(
                refused,
                Err(AccountChangeError::Fault(Fault::Damaged { .. }))
            ),
            "{changed}: {refused:?}"
        );
        // The others are what they were, and the list goes on.
        let listed = store.list_users(None, 9).await.unwrap();
        let sound: Vec<bool> = listed.iter().map(|(_, row)| row.is_ok()).collect();
        assert_eq!(sound, [true, true, false], "{changed}");
        // It is told once, and can be erased.
        let told = store.take_damages();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].table, &told[0].row), ("users", &three.to_string()));
        store
            .erase_user(three, &intent(&store).await, NOW)
            .await
            .unwrap();
        assert!(store.user_by_id(three).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_administrator_made_in_the_file_does_not_count_as_one() {
    let folder = filled().await;
    change(&folder, "UPDATE users SET role = 'user' WHERE number = 1");
    change(&folder, "UPDATE users SET role = 'admin' WHERE number = 3");
    let store = folder.open();
    let by = intent(&store).await;
    let last = store.set_role(user_id(2), Role::User, &by, NOW).await;
    assert!(
        matches!(last, Err(AccountChangeError::LastAdministrator)),
        "{last:?}"
    );
}

#[tokio::test]
async fn a_session_whose_end_was_changed_in_the_file_signs_nobody_in() {
    for changed in [
        "expires_at = expires_at + 1",
        "absolute_expires_at = absolute_expires_at + 1",
        "created_at = created_at + 1",
        "last_activity = last_activity + 1",
        "tag = NULL",
    ] {
        let folder = filled().await;
        let one = session_id(1);
        change(
            &folder,
            &format!("UPDATE sessions SET {changed} WHERE session_id = x'{one}'"),
        );
        let store = folder.open();
        damaged(changed, store.find_session(one, NOW).await, "sessions");
        damaged(
            changed,
            store.touch_session(one, NOW + 1, NOW + 2).await,
            "sessions",
        );
        let other = session_id(2);
        assert!(store.touch_session(other, NOW + 1, NOW + 2).await.unwrap());
        let found = store.find_session(other, NOW + 1).await.unwrap().unwrap();
        assert_eq!(found.last_activity, NOW + 1);
    }
}

#[tokio::test]
async fn keys_and_settings_that_were_changed_in_the_file_are_damaged() {
    let hash = "aa".repeat(32);
    let link = format!("UPDATE settings SET value = '{hash}:9999999999' WHERE name = 'admin_link'");
    for (sql, table) in [
        (
            "UPDATE public_keys SET identity_key = zeroblob(32) WHERE number = 1",
            "public_keys",
        ),
        (
            "UPDATE public_keys SET account_keys = zeroblob(32) WHERE number = 1",
            "public_keys",
        ),
        (
            "UPDATE public_keys SET tag = NULL WHERE number = 1",
            "public_keys",
        ),
        (
            "UPDATE settings SET value = 'open' WHERE name = 'registration'",
            "settings",
        ),
        (
            "UPDATE settings SET value = 'done' WHERE name = 'setup'",
            "settings",
        ),
        (
            "UPDATE settings SET tag = NULL WHERE name = 'setup'",
            "settings",
        ),
        ("DELETE FROM settings WHERE name = 'setup'", "settings"),
        (&link, "admin_link"),
        (
            "UPDATE settings SET tag = NULL WHERE name = 'admin_link'",
            "admin_link",
        ),
    ] {
        let folder = filled().await;
        change(&folder, sql);
        let store = folder.open();
        match table {
            "public_keys" => {
                damaged(sql, store.public_keys(user_id(1)).await, table);
                assert!(store.public_keys(user_id(2)).await.unwrap().is_some());
            }
            "settings" => damaged(sql, store.server_settings().await, table),
            _ => {
                let usable = store.admin_link_usable([0xaa; 32], NOW).await;
                damaged(sql, usable, "settings");
            }
        }
    }
}

#[tokio::test]
async fn an_invite_that_was_changed_or_made_in_the_file_lets_nobody_in() {
    for sql in [
        "UPDATE invites SET expires_at = expires_at + 1000",
        "UPDATE invites SET max_uses = 9",
        "UPDATE invites SET created_by = (SELECT user_id FROM users WHERE number = 2)",
        "UPDATE invites SET used_by = zeroblob(32)",
        "UPDATE invites SET tag = NULL",
        "UPDATE invites SET code_hash = zeroblob(32)",
    ] {
        let folder = filled().await;
        change(&folder, sql);
        let store = folder.open();
        let code = match sql.contains("code_hash") {
            true => InviteHash::from_bytes([0; 32]),
            false => CODE,
        };
        damaged(sql, store.find_invite(code).await, "invites");
        let listed = store.list_invites(user_id(1)).await.unwrap();
        assert!(listed.is_empty(), "{sql}");
        let by = |number: u64| InviteUse {
            code_hash: code,
            user: user_id(number),
            mark: [number as u8; 32],
        };
        let refused = store.use_invite(by(3), NOW, vec![]).await;
        assert!(
            matches!(refused, Err(UseInviteError::Fault(Fault::Damaged { .. }))),
            "{sql}: {refused:?}"
        );
        let user = sample::user(9, 4, store::Admission::Invite(by(9)));
        let session = sample::session(user_id(9), 9, NOW);
        let refused = store.register(user, session, vec![]).await;
        assert!(
            matches!(refused, Err(RegisterError::Fault(Fault::Damaged { .. }))),
            "{sql}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn who_used_an_invite_is_bound_to_its_row() {
    let folder = filled().await;
    let used = InviteUse {
        code_hash: CODE,
        user: user_id(3),
        mark: [3; 32],
    };
    let store = folder.open();
    assert!(store.use_invite(used, NOW, vec![]).await.unwrap());
    store.close().unwrap();
    let store = folder.open();
    assert!(!store.use_invite(used, NOW, vec![]).await.unwrap());
    store.close().unwrap();
    change(&folder, "UPDATE invites SET used_by = x''");
    let store = folder.open();
    damaged("emptied", store.find_invite(CODE).await, "invites");
}

#[tokio::test]
async fn a_service_key_that_was_changed_in_the_file_is_given_to_nobody() {
    for changed in [
        "service_name = 'Another'",
        "version = 3",
        "state = 'retired'",
        "algorithm = 'RS256'",
        "key_size = 1",
        "kid = 'another'",
        "public_key = zeroblob(2624)",
        "created_at = created_at + 1",
        "updated_at = updated_at + 1",
        "retired_at = 5",
        "service_id = 'service-002'",
        "tag = NULL",
        "tag = (SELECT tag FROM service_keys WHERE service_id = 'service-009')",
    ] {
        let folder = filled().await;
        let store = folder.open();
        let by = intent(&store).await;
        for number in [1, 9] {
            let (name, key) = (format!("Service {number}"), sample::service_key(number));
            let made = store.create_service_key(sample::service(number), name, key, &by, NOW);
            made.await.unwrap();
        }
        store.close().unwrap();
        let sql = format!("UPDATE service_keys SET {changed} WHERE service_id = 'service-001'");
        change(&folder, &sql);
        let store = folder.open();
        let service = sample::service(match changed.starts_with("service_id") {
            true => 2,
            false => 1,
        });
        let version = if changed.starts_with("version") { 3 } else { 1 };
        let private = store.private_service_key(service.clone(), version).await;
        damaged(changed, private, "service_keys");
        let found = store.service_key_versions(service.clone()).await.unwrap();
        assert!(found.iter().all(Result::is_err), "{changed}: {found:?}");
        let (by, key) = (intent(&store).await, sample::service_key(2));
        let rotated = store.rotate_service_key(service.clone(), version, key, &by, NOW);
        let refused = rotated.await;
        assert!(
            matches!(refused, Err(ServiceKeyError::Fault(Fault::Damaged { .. }))),
            "{changed}: {refused:?}"
        );
        // The other service is what it was, and what is damaged can be deleted.
        let other = store.private_service_key(sample::service(9), 1).await;
        assert!(other.unwrap().is_some());
        let deleted = store.delete_service_keys(service, None, &by, NOW).await;
        assert_eq!(deleted.unwrap(), 1, "{changed}");
    }
}

/// An invite of before the uses were kept: its row has no column for them.
#[tokio::test]
async fn an_invite_of_an_older_schema_is_used_as_before() {
    let folder = filled().await;
    store::testing::join_wraps(&folder.config());
    folder
        .tamper()
        .execute_batch(
            "ALTER TABLE invites DROP COLUMN used_by;
             DELETE FROM refinery_schema_history WHERE version >= 4;",
        )
        .unwrap();
    let store = folder.open();
    assert_eq!(store.report().migrated, 6);
    assert!(store.find_invite(CODE).await.unwrap().is_some());
    let used = InviteUse {
        code_hash: CODE,
        user: user_id(3),
        mark: [3; 32],
    };
    assert!(store.use_invite(used, NOW, vec![]).await.unwrap());
    assert_eq!(
        store.find_invite(CODE).await.unwrap().map(|it| it.uses),
        Some(1)
    );
}

#[tokio::test]
async fn roles_of_an_older_schema_stay_what_they_were_and_may_be_a_third() {
    let folder = filled().await;
    store::testing::join_wraps(&folder.config());
    folder
        .tamper()
        .execute_batch(
            "ALTER TABLE users ADD COLUMN role_of_two TEXT NOT NULL DEFAULT 'user'
                 CHECK (role_of_two IN ('user', 'admin'));
             UPDATE users SET role_of_two = role;
             ALTER TABLE users DROP COLUMN role;
             ALTER TABLE users RENAME COLUMN role_of_two TO role;
             DELETE FROM refinery_schema_history WHERE version = 5;",
        )
        .unwrap();
    let store = folder.open();
    assert_eq!(store.report().migrated, 5);
    let role = async |number| {
        let row = store.user_by_id(user_id(number)).await.unwrap();
        row.unwrap().role
    };
    assert_eq!(role(1).await, Role::Admin);
    assert_eq!(role(3).await, Role::User);
    let by = intent(&store).await;
    let auditor = store.set_role(user_id(2), Role::Auditor, &by, NOW);
    auditor.await.unwrap();
    assert_eq!(role(2).await, Role::Auditor);
}

/// Appends a record as somebody would who has the file and can compute hashes.
fn append_to_the_file(connection: &Connection) -> u64 {
    let (id, previous): (u64, [u8; 64]) = connection
        .query_row(
            "SELECT id, hash FROM audit_log ORDER BY id DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let id = id + 1;
    let fields = Fields {
        id,
        event_id: &[3; 16],
        user_id: None,
        action: "session.created",
        timestamp: NOW,
        details: b"what nobody sealed",
        previous: &previous,
    };
    connection
        .execute(
            "INSERT INTO audit_log (id, event_id, user_id, action, timestamp, encrypted_details,
                 previous_hash, hash) VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6, ?7)",
            (
                id,
                fields.event_id,
                fields.action,
                NOW,
                fields.details,
                previous,
                fields.hash(),
            ),
        )
        .unwrap();
    id
}

#[tokio::test]
async fn a_record_that_this_program_did_not_write_is_named_and_the_page_goes_on() {
    let folder = filled().await;
    let store = folder.open();
    let own = store.own_audit_tip(None, None).await.unwrap();
    let tip = store.audit_tip().await.unwrap();
    assert_eq!((own.tip, own.foreign), (tip.clone(), None));
    let foreign = append_to_the_file(&folder.tamper());
    // The server goes on writing after it, without noticing.
    store
        .append_audit(vec![event(None, "session.created", NOW)])
        .await
        .unwrap();
    store.verify_audit_chain().await.unwrap();
    store.close().unwrap();
    let store = folder.open();
    let own = store.own_audit_tip(None, None).await.unwrap();
    assert_eq!(own.tip, tip);
    assert_eq!(own.foreign.map(|it| it.id), Some(foreign));
    let page = store.query_audit(AuditFilter::default(), None, 50).await;
    let page = page.unwrap();
    assert_eq!(page.records.len() as u64, foreign + 1);
    for record in page.records {
        assert_eq!(record.foreign, record.id == foreign, "{record:?}");
        assert_eq!(record.damage.is_some(), record.id == foreign, "{record:?}");
    }
}

#[tokio::test]
async fn the_log_is_followed_from_the_newest_head_and_no_further_than_asked() {
    let folder = filled().await;
    let store = folder.open();
    let tip = store.audit_tip().await.unwrap();
    let own = store.own_audit_tip(None, Some(2)).await.unwrap();
    assert_eq!((own.tip.id, own.foreign), (2, None));
    let own = store.own_audit_tip(Some(own.tip), None).await.unwrap();
    assert_eq!((own.tip, own.foreign), (tip.clone(), None));
    let other = ChainHead {
        id: tip.id,
        hash: [1; 64],
    };
    let own = store.own_audit_tip(Some(other), None).await.unwrap();
    assert_eq!(own.foreign.map(|it| it.id), Some(tip.id));
}
