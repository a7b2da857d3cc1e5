//! Roles: one that owns the tables, one that serves, and one that does jobs.
//!
//! The serving role owns nothing. It reads and writes the rows of accounts; of the audit log it can only append
//! to the end, and of keys it can only read. What moves keys and lets old records go is done within transactions
//! that take the role of jobs, which nobody can sign in as. A statement of ours that is wrong meets these limits;
//! whoever has the serving role's password can take the role of jobs too.

use deadpool_postgres::ClientWrapper;
use tokio::runtime::Handle;

use crate::config::OpenError;
use crate::engine::place::many;
use crate::engine::postgres::db::quoted;
use crate::engine::postgres::fault::fault;

/// What the role of jobs is called: the serving role's name and this.
const JOBS: &str = "_jobs";

/// Tables that the serving role changes as it likes.
const FREE: &str =
    "server_secrets, settings, users, public_keys, key_safes, safe_wraps, prekey_safes,
     prekey_batches, prekey_stock, prekeys, sessions, invites, audit_keys,
     service_keys, leases";

/// The role of jobs, where the connection's role does not own the tables.
///
/// It must be there and granted: `secure-messaging migrate --grant` makes it.
pub(crate) fn jobs(client: &ClientWrapper, runtime: &Handle) -> Result<Option<String>, OpenError> {
    let failed = |error: tokio_postgres::Error| OpenError::Damaged(fault(many("pg_roles"), &error));
    let sql = "SELECT pg_has_role(current_user, tableowner, 'USAGE'), current_user || $1::text,
             EXISTS (SELECT 1 FROM pg_roles WHERE rolname = current_user || $1::text
                 AND pg_has_role(current_user, oid, 'MEMBER'))
         FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'keks'";
    let row = runtime
        .block_on(client.query_one(sql, &[&JOBS]))
        .map_err(failed)?;
    let read = || -> Result<(bool, String, bool), tokio_postgres::Error> {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    };
    let (owns, name, granted) = read().map_err(failed)?;
    match (owns, granted) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(name)),
        (false, false) => Err(OpenError::NotGranted(format!(
            "its role of jobs {name} is not there, or not granted"
        ))),
    }
}

/// Gives a role that exists what serving needs, and makes its role of jobs.
pub(crate) fn grant(client: &ClientWrapper, runtime: &Handle, role: &str) -> Result<(), OpenError> {
    let failed = |error: tokio_postgres::Error| OpenError::Damaged(fault(many("pg_roles"), &error));
    if let Some(reason) = runtime.block_on(unfit(client, role)).map_err(failed)? {
        return Err(OpenError::Grant {
            role: role.to_owned(),
            reason: reason.to_owned(),
        });
    }
    let jobs = format!("{role}{JOBS}");
    let (to, by) = (quoted(role), quoted(&jobs));
    let literal = format!("'{}'", jobs.replace('\'', "''"));
    let statements = format!(
        "BEGIN;
         DO $$ BEGIN
             IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = {literal}) THEN
                 CREATE ROLE {by} NOLOGIN;
             END IF;
         END $$;
         ALTER ROLE {to} NOINHERIT;
         GRANT {by} TO {to};
         GRANT USAGE ON SCHEMA public TO {to}, {by};
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {to}, {by};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {to}, {by};
         GRANT INSERT, UPDATE, DELETE ON {FREE} TO {to}, {by};
         GRANT INSERT ON audit_log, audit_heads TO {to}, {by};
         GRANT UPDATE ON audit_turn TO {to}, {by};
         GRANT INSERT, UPDATE ON keks, key_jobs TO {by};
         GRANT DELETE ON audit_log, audit_heads TO {by};
         GRANT INSERT ON audit_retention TO {by};
         COMMIT;"
    );
    runtime
        .block_on(client.batch_execute(&statements))
        .map_err(failed)
}

/// Why a role cannot be let in by the connection's; `None` where it can.
async fn unfit(
    client: &ClientWrapper,
    role: &str,
) -> Result<Option<&'static str>, tokio_postgres::Error> {
    let sql = "SELECT pg_has_role(current_user, tableowner, 'USAGE'),
             $1::text IN (current_user::text, tableowner::text),
             EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1::text),
             (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user)
         FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'keks'";
    let row = client.query_one(sql, &[&role]).await?;
    let (owns, is_owner, exists): (bool, bool, bool) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(match (owns, is_owner, exists) {
        (false, _, _) => Some(
            "the role in DATABASE_URL does not own the tables: run this with the owner's address",
        ),
        (true, true, _) => Some(
            "it is the owner, which migrates and may everything: name the role that serves, which owns nothing",
        ),
        (true, false, false) => {
            Some("there is no such role: make it first (CREATE ROLE … LOGIN PASSWORD …)")
        }
        (true, false, true) if !row.try_get::<_, bool>(3)? => Some(
            "the owner may make no roles, and a role of jobs is needed: let it (ALTER ROLE … CREATEROLE)",
        ),
        (true, false, true) => None,
    })
}
