//! The keys that a database needs before anything else can be read.

use std::sync::Arc;

use keyring::{
    Entropy, IndexKey, KekId, KeyMaterial, Keyring, LocalProvider, SALT_LEN, SubjectKey,
};
use rusqlite::Connection;

use crate::config::{OpenError, StoreConfig};
use crate::fault::Fault;
use crate::sqlite::db::{Db, at, many};
use crate::sqlite::sealer::{
    AUDIT_KEY, KEK_CHECK, SERVER_SECRET, Sealer, open, seal, sealing, subject_key,
};

/// Subject of the audit records that belong to no user.
pub(crate) const SYSTEM: [u8; 16] = [0; 16];
/// What the check column opens to.
const CHECK: &[u8] = b"this key opens this database";
/// Name of the handle index's key among the server's secrets.
const HANDLE_INDEX: &str = "handle-index";
const LOCAL: &str = "local";

struct KekRow {
    kek_id: [u8; 16],
    version: u32,
    salt: Vec<u8>,
    iterations: u32,
    check: Vec<u8>,
}

/// Opens the keyring of an existing database; `None` when it has no KEK at all.
pub(crate) fn open_keyring(
    connection: &Connection,
    config: &StoreConfig,
    key: &KeyMaterial,
) -> Result<Option<Keyring>, OpenError> {
    let db = Db { connection };
    let row = db
        .one(
            many("keks"),
            "SELECT kek_id, provider, version, salt, iterations, encrypted_check
             FROM keks WHERE state = 'active'",
            [],
            |row| {
                let provider: String = row.get(1)?;
                let kek = KekRow {
                    kek_id: row.get(0)?,
                    version: row.get(2)?,
                    salt: row.get(3)?,
                    iterations: row.get(4)?,
                    check: row.get(5)?,
                };
                Ok((provider, kek))
            },
        )
        .map_err(OpenError::Damaged)?;
    let Some((provider, row)) = row else {
        return Ok(None);
    };
    if provider != LOCAL {
        let fault = at("keks", &row.kek_id).damaged(format!("unknown provider {provider:?}"));
        return Err(OpenError::Damaged(fault));
    }
    let keyring = derive(config, key, &row)?;
    let wrong = || OpenError::WrongKey {
        database: config.path.clone(),
        kek_id: hex::encode(row.kek_id),
    };
    let check = open(&keyring, KEK_CHECK, &row.kek_id, &row.check).map_err(|_| wrong())?;
    if check.expose() != CHECK {
        return Err(wrong());
    }
    Ok(Some(keyring))
}

fn derive(config: &StoreConfig, key: &KeyMaterial, row: &KekRow) -> Result<Keyring, OpenError> {
    let kek_id = KekId::from_bytes(row.kek_id);
    let entropy: Arc<dyn Entropy> = Arc::clone(&config.entropy);
    let provider = LocalProvider::derive(
        key,
        &row.salt,
        row.iterations,
        kek_id,
        row.version,
        Arc::clone(&entropy),
    )?;
    Ok(Keyring::new(Arc::new(provider), entropy))
}

/// Draws and keeps the keys of a new database, in one transaction.
///
/// Refused when anything is in it already: rows without their keys mean damage, and a fresh key
/// would only hide it.
pub(crate) fn initialise(
    connection: &mut Connection,
    config: &StoreConfig,
    key: &KeyMaterial,
    now: u64,
) -> Result<Keyring, OpenError> {
    let mut row = KekRow {
        kek_id: [0; 16],
        version: 1,
        salt: vec![0; SALT_LEN],
        iterations: config.iterations,
        check: Vec::new(),
    };
    let draw = |bytes: &mut [u8]| {
        config
            .entropy
            .fill(bytes)
            .map_err(|error| OpenError::Damaged(sealing(error)))
    };
    draw(&mut row.kek_id)?;
    draw(&mut row.salt)?;
    let keyring = derive(config, key, &row)?;
    write_first_rows(connection, config, &keyring, &mut row, now).map_err(OpenError::Damaged)?;
    Ok(keyring)
}

fn write_first_rows(
    connection: &mut Connection,
    config: &StoreConfig,
    keyring: &Keyring,
    row: &mut KekRow,
    now: u64,
) -> Result<(), Fault> {
    let place = at("keks", &row.kek_id);
    row.check = seal(keyring, KEK_CHECK, &row.kek_id, CHECK)?;
    let system_key = SubjectKey::generate(&*config.entropy).map_err(sealing)?;
    let index_key = IndexKey::generate(&*config.entropy).map_err(sealing)?;
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(|error| place.fault(error))?;
    let db = Db {
        connection: &transaction,
    };
    for table in ["keks", "users", "server_secrets", "audit_keys", "audit_log"] {
        let rows = db.number(many("keks"), &format!("SELECT count(*) FROM {table}"), [])?;
        if rows > 0 {
            return Err(
                many("keks").damaged(format!("there is no active key, yet {table} has rows"))
            );
        }
    }
    db.execute(
        place,
        "INSERT INTO keks (kek_id, provider, version, state, salt, iterations, encrypted_check,
             created_at) VALUES (?1, ?2, ?3, 'active', ?4, ?5, ?6, ?7)",
        (
            &row.kek_id,
            LOCAL,
            row.version,
            &row.salt,
            row.iterations,
            &row.check,
            now,
        ),
    )?;
    db.execute(
        at("audit_keys", &SYSTEM),
        "INSERT INTO audit_keys (subject, encrypted_key, created_at) VALUES (?1, ?2, ?3)",
        (
            &SYSTEM,
            seal(keyring, AUDIT_KEY, &SYSTEM, system_key.expose())?,
            now,
        ),
    )?;
    let sealed = seal(
        keyring,
        SERVER_SECRET,
        HANDLE_INDEX.as_bytes(),
        index_key.expose(),
    )?;
    db.execute(
        many("server_secrets"),
        "INSERT INTO server_secrets (name, encrypted_secret, created_at) VALUES (?1, ?2, ?3)",
        (HANDLE_INDEX, sealed, now),
    )?;
    db.execute(
        many("settings"),
        "INSERT INTO settings (name, value) VALUES ('registration', 'closed'), ('setup', 'open')",
        [],
    )?;
    transaction.commit().map_err(|error| place.fault(error))
}

/// Opens the keys that stand in the database itself; one that is missing is damage.
pub(crate) fn sealer(
    connection: &Connection,
    config: &StoreConfig,
    keyring: Keyring,
) -> Result<Sealer, Fault> {
    let db = Db { connection };
    let blob = |row: &rusqlite::Row<'_>| row.get::<_, Vec<u8>>(0);

    let place = at("audit_keys", &SYSTEM);
    let find = "SELECT encrypted_key FROM audit_keys WHERE subject = ?1";
    let sealed = db.one(place, find, [&SYSTEM], blob)?;
    let sealed = sealed.ok_or_else(|| place.damaged("the row is gone"))?;
    let system_key = subject_key(&keyring, &SYSTEM, &sealed)?;

    let gone = |reason| Fault::damaged("server_secrets", HANDLE_INDEX, reason);
    let find = "SELECT encrypted_secret FROM server_secrets WHERE name = ?1";
    let sealed = db.one(many("server_secrets"), find, [HANDLE_INDEX], blob)?;
    let sealed = sealed.ok_or_else(|| gone("the row is gone"))?;
    let opened = open(&keyring, SERVER_SECRET, HANDLE_INDEX.as_bytes(), &sealed)?;
    let index_key = IndexKey::from_slice(opened.expose()).ok_or_else(|| gone("not a key"))?;

    Ok(Sealer {
        keyring,
        entropy: Arc::clone(&config.entropy),
        system_key,
        index_key,
    })
}
