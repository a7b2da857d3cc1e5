//! Adds tags to rows of a database that has none.
//!
//! The key of the tags and the key of the handle index are one sealed value. A database whose value holds
//! the index key alone has no tags: one transaction tags every row, adopts the audit records as they are,
//! replaces the value by one with both keys, and writes a record. A process that ends before the commit
//! leaves everything as it was.

use api::Action;

use crate::audit::AuditEvent;
use crate::audit::authorship::adopt;
use crate::audit::log::SubjectKeys;
use crate::engine::Changes;
use crate::engine::log::Chain;
use crate::fault::Fault;
use crate::keys::opening::{HANDLE_INDEX, STORE_KEYS, keep_store_keys};
use crate::repository::public_key_rows::save_keys;
use crate::sealing::bound_setting::{BEFORE_TAGS, BoundSetting};
use crate::sealing::sealer::Sealer;
use crate::sealing::tags::Tags;

/// The record that says when rows got their tags, and how many.
pub const ROWS_BOUND: &str = Action::KeysRowsBound.as_str();

/// Gives every row its tag, in one transaction.
pub(crate) fn bind_rows(rows: &dyn Changes, sealer: &Sealer, now: u64) -> Result<(), Fault> {
    let tags = &*sealer.tags;
    let mut bound = bind_users(rows, tags)?;
    bound += bind_public_keys(rows, tags)?;
    bound += bind_sessions(rows, tags)?;
    bound += bind_invites(rows, tags)?;
    for name in BEFORE_TAGS {
        if let Some(setting) = rows.setting(name)? {
            BoundSetting::put(rows, tags, name, &setting.value)?;
        }
    }
    let adopted = adopt(rows, tags)?;
    keep_store_keys(rows, sealer, now)?;
    if !rows.delete_secret(HANDLE_INDEX)? {
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
    rows.append_records(&tags.link(&mut rows.lock_chain()?, vec![event]))?;
    tracing::info!(rows = bound, records = adopted, "rows have their tags now");
    Ok(())
}

/// Rows that cannot be read get no tag: they are damaged, and stop nothing else.
fn readable<T>(rows: Vec<Result<T, Fault>>) -> Vec<T> {
    rows.into_iter().filter_map(Result::ok).collect()
}

fn bind_users(rows: &dyn Changes, tags: &Tags) -> Result<usize, Fault> {
    let mut users = readable(rows.bound_users()?);
    users
        .iter_mut()
        .try_for_each(|user| user.save(rows, tags))?;
    Ok(users.len())
}

fn bind_public_keys(rows: &dyn Changes, tags: &Tags) -> Result<usize, Fault> {
    let users = rows.public_key_owners()?;
    for user in &users {
        if let Ok(Some((stored, _))) = rows.public_keys(user) {
            save_keys(rows, tags, *user, &stored.keys)?;
        }
    }
    Ok(users.len())
}

fn bind_sessions(rows: &dyn Changes, tags: &Tags) -> Result<usize, Fault> {
    let mut sessions = readable(rows.sessions()?);
    for session in &mut sessions {
        session.save(rows, tags)?;
    }
    Ok(sessions.len())
}

fn bind_invites(rows: &dyn Changes, tags: &Tags) -> Result<usize, Fault> {
    let mut invites = readable(rows.invites()?);
    for invite in &mut invites {
        invite.save(rows, tags)?;
    }
    Ok(invites.len())
}

/// Takes the tags away, and keeps the handle index's key as a database without tags does.
#[cfg(feature = "testing")]
pub(crate) fn untag(config: &crate::StoreConfig) -> Result<(), Box<dyn std::error::Error>> {
    use crate::classes::Sealed;
    use crate::repository::with_its_keys;
    use crate::sealing::bound_setting::{AUDIT_ADOPTED, AUDIT_SIGNED};
    use crate::sealing::sealer::{SERVER_SECRET, seal};

    let (mut opening, sealer) = with_its_keys(config)?;
    let index = sealer.index_key.expose();
    let name = HANDLE_INDEX.as_bytes();
    let sealed = Sealed::of_envelope(seal(&sealer.keyring, SERVER_SECRET, name, index)?);
    opening.transact(|rows| {
        rows.delete_secret(STORE_KEYS)?;
        rows.insert_secret(HANDLE_INDEX, &sealed, 0)?;
        rows.delete_setting(AUDIT_ADOPTED)?;
        rows.delete_setting(AUDIT_SIGNED).map(drop)
    })?;
    Ok(())
}
