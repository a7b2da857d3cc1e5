//! Adds tags to rows of a database that has none.
//!
//! The key of the tags and the key of the handle index are one sealed value. A database whose value holds
//! the index key alone has no tags: one transaction tags every row, adopts the audit records as they are,
//! replaces the value by one with both keys, and writes a record. A process that ends before the commit
//! leaves everything as it was.

use api::Action;
use rusqlite::{Connection, Row, TransactionBehavior};

use crate::audit::AuditEvent;
use crate::audit::authorship::adopt;
use crate::audit::log::SubjectKeys;
use crate::engine::sqlite::db::{Db, many};
use crate::engine::sqlite::writer::WriteTx;
use crate::fault::Fault;
use crate::keys::opening::{HANDLE_INDEX, STORE_KEYS, keep_store_keys};
use crate::repository::invite_rows;
use crate::repository::public_key_rows::{BoundKeys, stored};
use crate::repository::session_rows::{self, RawSession};
use crate::sealing::bound_setting::{BEFORE_TAGS, BoundSetting};
use crate::sealing::bound_user::{BOUND, BoundUser};
use crate::sealing::classes::Public;
use crate::sealing::sealer::Sealer;
use api::ids::UserId;

/// The record that says when rows got their tags, and how many.
pub const ROWS_BOUND: &str = Action::KeysRowsBound.as_str();

/// Gives every row its tag, in one transaction.
pub(crate) fn bind_rows(
    connection: &mut Connection,
    sealer: &Sealer,
    now: u64,
) -> Result<(), Fault> {
    let place = many("server_secrets");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| place.fault(error))?;
    let db = Db {
        connection: &transaction,
    };
    let mut bound = bind_users(db, sealer)?;
    bound += bind_public_keys(db, sealer)?;
    bound += bind_sessions(db, sealer)?;
    bound += bind_invites(db, sealer)?;
    for name in BEFORE_TAGS {
        let sql = "SELECT value FROM settings WHERE name = ?1";
        let value: Option<String> =
            db.one(many("settings"), sql, [Public(name)], |row| row.get(0))?;
        if let Some(value) = value {
            BoundSetting::put(db, &sealer.tags, name, &value)?;
        }
    }
    let adopted = adopt(db, &sealer.tags)?;
    keep_store_keys(db, sealer, now)?;
    let gone = "DELETE FROM server_secrets WHERE name = ?1";
    if db.execute(place, gone, [Public(HANDLE_INDEX)])? != 1 {
        return Err(Fault::Unavailable(format!(
            "another process made {STORE_KEYS} meanwhile: try again"
        )));
    }
    let event = AuditEvent {
        user_id: None,
        action: ROWS_BOUND,
        timestamp: now,
        details: serde_json::json!({ "rows": bound, "records_taken_over": adopted }),
    };
    let event = SubjectKeys::new(sealer).seal(event)?;
    let mut tx = WriteTx {
        db,
        tags: &sealer.tags,
        tip: None,
    };
    tx.append(vec![event])?;
    transaction.commit().map_err(|error| place.fault(error))?;
    tracing::info!(rows = bound, records = adopted, "rows have their tags now");
    Ok(())
}

/// Rows that cannot be read get no tag: they are damaged, and stop nothing else.
fn readable<T>(rows: Vec<rusqlite::Result<T>>) -> Vec<T> {
    rows.into_iter().filter_map(Result::ok).collect()
}

fn bind_users(db: Db<'_>, sealer: &Sealer) -> Result<usize, Fault> {
    let sql = format!("SELECT {BOUND} FROM users");
    let rows = readable(db.all(many("users"), &sql, [], |row| Ok(BoundUser::read(row)))?);
    for row in &rows {
        row.save(db, &sealer.tags)?;
    }
    Ok(rows.len())
}

fn bind_public_keys(db: Db<'_>, sealer: &Sealer) -> Result<usize, Fault> {
    let users = db.all(
        many("public_keys"),
        "SELECT user_id FROM public_keys",
        [],
        |row| Ok(UserId::from_bytes(row.get(0)?)),
    )?;
    for user in &users {
        let Ok(Some((stored, _))) = stored(db, *user) else {
            continue;
        };
        let tag = sealer.tags.of(&BoundKeys {
            user: *user,
            keys: &stored.keys,
        });
        let sql = "UPDATE public_keys SET tag = ?1 WHERE user_id = ?2";
        db.execute(many("public_keys"), sql, (tag, user.as_bytes()))?;
    }
    Ok(users.len())
}

fn bind_sessions(db: Db<'_>, sealer: &Sealer) -> Result<usize, Fault> {
    let sql = format!("SELECT {} FROM sessions", session_rows::COLUMNS);
    let rows = readable(db.all(many("sessions"), &sql, [], |row| Ok(RawSession::read(row)))?);
    for row in &rows {
        row.save_tag(db, &sealer.tags)?;
    }
    Ok(rows.len())
}

fn bind_invites(db: Db<'_>, sealer: &Sealer) -> Result<usize, Fault> {
    let read = |row: &Row<'_>| Ok(invite_rows::read(row));
    let rows = readable(db.all(many("invites"), invite_rows::SELECT, [], read)?);
    for (kept, _) in &rows {
        let sql = "UPDATE invites SET tag = ?1 WHERE code_hash = ?2";
        let values = (sealer.tags.of(kept), kept.invite.code_hash.as_bytes());
        db.execute(many("invites"), sql, values)?;
    }
    Ok(rows.len())
}

/// Takes the tags away, and keeps the handle index's key as a database without tags does.
#[cfg(feature = "testing")]
pub(crate) fn untag(config: &crate::StoreConfig) -> Result<(), Box<dyn std::error::Error>> {
    use crate::engine::sqlite::connection;
    use crate::keys::opening as keys;
    use crate::keys::sources;
    use crate::sealing::classes::Sealed;
    use crate::sealing::sealer::{SERVER_SECRET, seal};

    let mut connection = connection::open_writer(config)?;
    let mut sources = sources::Sources::find(config, false)?;
    let keyring = keys::open_keyring(&connection, config, &mut sources, keys::HalfMoved::Leave)?
        .ok_or("no key")?;
    let sealer = keys::sealer(&mut connection, config, keyring, 0)?;
    let index = sealer.index_key.expose();
    let sealed = seal(
        &sealer.keyring,
        SERVER_SECRET,
        HANDLE_INDEX.as_bytes(),
        index,
    )?;
    let db = Db {
        connection: &connection,
    };
    db.execute(
        many("server_secrets"),
        "UPDATE server_secrets SET name = ?1, encrypted_secret = ?2 WHERE name = ?3",
        (
            Public(HANDLE_INDEX),
            Sealed::of_envelope(sealed),
            Public(STORE_KEYS),
        ),
    )?;
    let gone = "DELETE FROM settings WHERE name IN ('audit_adopted', 'audit_signed')";
    db.execute(many("settings"), gone, [])?;
    Ok(())
}
