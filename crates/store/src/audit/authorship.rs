//! Authorship of audit records: each record of this program has a tag over its number and hash.
//!
//! The hash covers everything in a record and, by the hash before it, every record before. It can be
//! computed by anybody who has the file; the tag cannot.

use ::audit::{Record, ZERO_HASH};

use crate::audit::ChainHead;
use crate::audit::chain::PAGE;
use crate::audit::proof::{Foreign, Own};
use crate::engine::{Changes, Rows};
use crate::fault::Fault;
use crate::sealing::bound_setting::{AUDIT_ADOPTED, AUDIT_SIGNED, BoundSetting};
use crate::sealing::tags::{Tagged, Tags};

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
    pub(crate) fn read(rows: &dyn Rows, tags: &'a Tags) -> Result<Self, Fault> {
        let adopted = BoundSetting::find(rows, tags, AUDIT_ADOPTED)?;
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
    pub(crate) fn wrote(&self, rows: &dyn Rows, id: u64, hash: &[u8; 64]) -> Result<bool, Fault> {
        let tag = rows.record_mark(id)?.and_then(|(_, tag)| tag);
        Ok(self.is_own(id, hash, tag.as_deref()))
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
pub(crate) fn note_signed(rows: &dyn Changes, tags: &Tags, record_id: u64) -> Result<(), Fault> {
    BoundSetting::put(rows, tags, AUDIT_SIGNED, &record_id.to_string())
}

/// The newest record that a head signed, as [`note_signed`] had it.
fn signed(rows: &dyn Rows, tags: &Tags) -> Result<u64, Fault> {
    let value = BoundSetting::value(rows, tags, AUDIT_SIGNED)?;
    let damaged = |_| Fault::damaged("settings", AUDIT_SIGNED, "it is no number");
    value.parse().map_err(damaged)
}

/// Adopts every existing record; returns how many there are.
pub(crate) fn adopt(rows: &dyn Changes, tags: &Tags) -> Result<u64, Fault> {
    let newest = rows.newest_head()?.map_or(0, |head| head.head.record_id);
    note_signed(rows, tags, newest)?;
    let tip = rows.chain_tip()?;
    if tip.id > 0 {
        let value = format!("{}:{}", tip.id, hex::encode(tip.hash));
        BoundSetting::put(rows, tags, AUDIT_ADOPTED, &value)?;
    }
    Ok(tip.id)
}

/// Follows the log from a record on, or from its beginning, as far as this program wrote it.
pub(crate) fn follow(
    rows: &dyn Rows,
    tags: &Tags,
    start: Option<ChainHead>,
    most: Option<u64>,
) -> Result<Own, Fault> {
    rows.hold_still()?;
    let authorship = Authorship::read(rows, tags)?;
    let mut own = Own {
        tip: start.unwrap_or(ChainHead {
            id: 0,
            hash: ZERO_HASH,
        }),
        foreign: None,
    };
    let start = own.tip.id;
    let signed = signed(rows, tags)?;
    if signed > start {
        own.foreign = Some(Foreign {
            id: signed,
            reason: "this server signed it, and its head is gone: the end of the log was cut off",
        });
        return Ok(own);
    }
    if start > 0 && rows.record_mark(start)?.map(|(hash, _)| hash) != Some(own.tip.hash) {
        own.foreign = Some(Foreign {
            id: start,
            reason: "it is not the record that the newest head signs",
        });
        return Ok(own);
    }
    let mut left = most.unwrap_or(u64::MAX);
    while left > 0 {
        let size = left.min(PAGE.into()) as u32;
        let page = rows.records_after(own.tip.id, size)?;
        left = if page.len() == size as usize {
            left - u64::from(size)
        } else {
            0
        };
        for logged in page {
            let id = logged.id;
            let suits = match &logged.record {
                Ok(record) => suits(&authorship, &own.tip, record, logged.tag.as_deref()),
                Err(_) => Err("it cannot be read"),
            };
            match suits {
                Ok(hash) => own.tip = ChainHead { id, hash },
                Err(reason) => {
                    own.foreign = Some(Foreign { id, reason });
                    return Ok(own);
                }
            }
        }
    }
    Ok(own)
}

/// The hash of a record that follows the last one, is undamaged and was written by this program.
fn suits(
    authorship: &Authorship<'_>,
    before: &ChainHead,
    record: &Record,
    tag: Option<&[u8]>,
) -> Result<[u8; 64], &'static str> {
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
    Ok(record.hash)
}
