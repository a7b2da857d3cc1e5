//! Authorship of audit records: each record of this program has a tag over its number and hash.
//!
//! The hash covers everything in a record and, by the hash before it, every record before. It can be
//! computed by anybody who has the file; the tag cannot.

use ::audit::{Record, ZERO_HASH};

use crate::audit::ChainHead;
use crate::audit::chain;
use crate::audit::proof::{Foreign, Own};
use crate::engine::sqlite::db::{Db, many};
use crate::fault::Fault;
use crate::sealing::bound_setting::{AUDIT_ADOPTED, AUDIT_SIGNED, BoundSetting};
use crate::sealing::tags::{Tagged, Tags};

/// Columns of a record for [`chain::record`], and its tag.
pub(crate) const TAGGED: &str =
    "SELECT id, event_id, user_id, action, timestamp, encrypted_details, previous_hash, hash, tag
     FROM audit_log";

/// The part of a record that its tag covers.
pub(crate) struct Written<'a> {
    pub id: u64,
    pub hash: &'a [u8; 64],
}

impl Tagged for Written<'_> {
    const TABLE: &'static str = "audit_log";

    fn with_values<T>(&self, use_them: impl FnOnce(&[&[u8]]) -> T) -> T {
        use_them(&[&self.id.to_be_bytes(), self.hash])
    }
}

/// Distinguishes records of this program from others.
pub(crate) struct Authorship<'a> {
    tags: &'a Tags,
    /// The newest record that is older than tags, and its hash.
    adopted: Option<(u64, [u8; 64])>,
}

impl<'a> Authorship<'a> {
    pub(crate) fn read(db: Db<'_>, tags: &'a Tags) -> Result<Self, Fault> {
        let adopted = BoundSetting::find(db, tags, AUDIT_ADOPTED)?;
        let parse = |text: &str| {
            let (id, hash) = text.split_once(':')?;
            let mut bytes = [0; 64];
            hex::decode_to_slice(hash, &mut bytes).ok()?;
            Some((id.parse().ok()?, bytes))
        };
        Ok(Self {
            tags,
            adopted: adopted.as_deref().and_then(parse),
        })
    }

    /// The same of a record whose tag was not read with it.
    pub(crate) fn wrote(&self, db: Db<'_>, id: u64, hash: &[u8; 64]) -> Result<bool, Fault> {
        let sql = "SELECT tag FROM audit_log WHERE id = ?1";
        let tag = db.one(many("audit_log"), sql, [id], |row| {
            row.get::<_, Option<Vec<u8>>>(0)
        })?;
        Ok(self.is_own(id, hash, tag.flatten().as_deref()))
    }

    /// Whether this program wrote a record, or took it over when records got tags.
    pub(crate) fn is_own(&self, id: u64, hash: &[u8; 64], tag: Option<&[u8]>) -> bool {
        match self.adopted {
            Some((newest, _)) if id < newest => true,
            Some((newest, adopted)) if id == newest => *hash == adopted,
            _ => self.tags.fits(&Written { id, hash }, tag),
        }
    }
}

/// Notes the newest record that a head signs.
pub(crate) fn note_signed(db: Db<'_>, tags: &Tags, record_id: u64) -> Result<(), Fault> {
    BoundSetting::put(db, tags, AUDIT_SIGNED, &record_id.to_string())
}

/// The newest record that a head signed, as [`note_signed`] had it.
fn signed(db: Db<'_>, tags: &Tags) -> Result<u64, Fault> {
    let value = BoundSetting::value(db, tags, AUDIT_SIGNED)?;
    let damaged = |_| Fault::damaged("settings", AUDIT_SIGNED, "it is no number");
    value.parse().map_err(damaged)
}

/// Adopts every existing record; returns how many there are.
pub(crate) fn adopt(db: Db<'_>, tags: &Tags) -> Result<u64, Fault> {
    let sql = "SELECT COALESCE(MAX(record_id), 0) FROM audit_heads";
    note_signed(db, tags, db.number(many("audit_heads"), sql, [])?)?;
    let tip = chain::tip(db)?;
    if tip.id > 0 {
        let value = format!("{}:{}", tip.id, hex::encode(tip.hash));
        BoundSetting::put(db, tags, AUDIT_ADOPTED, &value)?;
    }
    Ok(tip.id)
}

/// Follows the log from a record on, or from its beginning, as far as this program wrote it.
pub(crate) fn follow(
    db: Db<'_>,
    tags: &Tags,
    start: Option<ChainHead>,
    most: Option<u64>,
) -> Result<Own, Fault> {
    let authorship = Authorship::read(db, tags)?;
    let mut own = Own {
        tip: start.unwrap_or(ChainHead {
            id: 0,
            hash: ZERO_HASH,
        }),
        foreign: None,
    };
    let start = own.tip.id;
    let signed = signed(db, tags)?;
    if signed > start {
        own.foreign = Some(Foreign {
            id: signed,
            reason: "this server signed it, and its head is gone: the end of the log was cut off",
        });
        return Ok(own);
    }
    let known = "SELECT hash FROM audit_log WHERE id = ?1";
    let found: Option<[u8; 64]> = db.one(many("audit_log"), known, [start], |row| row.get(0))?;
    if start > 0 && found != Some(own.tip.hash) {
        own.foreign = Some(Foreign {
            id: start,
            reason: "it is not the record that the newest head signs",
        });
        return Ok(own);
    }
    let sql = format!("{TAGGED} WHERE id > ?1 ORDER BY id LIMIT ?2");
    let most = most.and_then(|most| i64::try_from(most).ok()).unwrap_or(-1);
    let place = many("audit_log");
    let failed = |error| place.fault(error);
    let mut records = db.connection.prepare_cached(&sql).map_err(failed)?;
    let mut records = records.query((start, most)).map_err(failed)?;
    while let Some(row) = records.next().map_err(failed)? {
        let id: u64 = row.get(0).map_err(failed)?;
        let read: rusqlite::Result<(Record, Option<Vec<u8>>)> =
            chain::record(row).and_then(|record| Ok((record, row.get(8)?)));
        let fits = match &read {
            Ok((record, tag)) => suits(&authorship, &own.tip, record, tag.as_deref()),
            Err(_) => Err("it cannot be read"),
        };
        match (fits, read) {
            (Ok(()), Ok((record, _))) => {
                own.tip = ChainHead {
                    id,
                    hash: record.hash,
                };
            }
            (Err(reason), _) => {
                own.foreign = Some(Foreign { id, reason });
                break;
            }
            (Ok(()), Err(_)) => {}
        }
    }
    Ok(own)
}

/// Returns whether a record follows the last one, is undamaged and was written by this program.
fn suits(
    authorship: &Authorship<'_>,
    before: &ChainHead,
    record: &Record,
    tag: Option<&[u8]>,
) -> Result<(), &'static str> {
    if record.id != before.id + 1 {
        return Err("records before it are missing");
    }
    if record.previous != before.hash {
        return Err("it does not follow the record before it");
    }
    if !record.is_whole() {
        return Err("its hash does not fit its content");
    }
    if !authorship.is_own(record.id, &record.hash, tag) {
        return Err("this program did not write it");
    }
    Ok(())
}
