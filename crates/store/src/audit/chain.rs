//! The chain of audit records: linking, reading in order, verifying.

use ::audit::{Fields, Verifier};

use crate::audit::authorship::Written;
use crate::audit::proof::{AuditItem, Seen};
use crate::audit::{ChainError, ChainHead};
use crate::engine::Rows;
use crate::engine::log::{Chain, Events, LinkedEvent};
use crate::fault::Fault;
use crate::sealing::tags::Tags;
use api::ids::UserId;

/// Records that are read at once.
pub(crate) const PAGE: u32 = 1_000;

impl Chain for Tags {
    fn link(&self, tip: &mut ChainHead, events: Events) -> Vec<LinkedEvent> {
        let link = |event: std::sync::Arc<crate::engine::log::SealedEvent>| {
            let id = tip.id + 1;
            let hash = Fields {
                id,
                event_id: &event.event_id,
                user_id: event.user_id.as_ref().map(UserId::as_bytes),
                action: event.action,
                timestamp: event.timestamp,
                details: event.details.as_bytes(),
                previous: &tip.hash,
            }
            .hash();
            let previous = std::mem::replace(tip, ChainHead { id, hash }).hash;
            LinkedEvent {
                id,
                previous,
                hash,
                tag: self.of(&Written { id, hash: &hash }).to_vec(),
                event,
            }
        };
        events.into_iter().map(link).collect()
    }
}

/// Recomputes the chain from the first record on, or from where the retention left it.
pub(crate) fn verify(rows: &dyn Rows) -> Result<ChainHead, ChainError> {
    let mut verifier = Verifier::new(None, None);
    read_all(rows, &mut verifier)?;
    let verdict = verifier.finish();
    match verdict.findings.first() {
        Some(finding) => Err(ChainError::Broken {
            id: finding.record().unwrap_or(verdict.to),
            reason: finding.to_string(),
        }),
        None => Ok(ChainHead {
            id: verdict.to,
            hash: verdict.hash,
        }),
    }
}

/// Passes the whole log as it is at one moment to a verifier.
pub(crate) fn read_all(rows: &dyn Rows, verifier: &mut Verifier) -> Result<(), Fault> {
    rows.hold_still()?;
    for door in rows.doors()? {
        verifier.door(door);
    }
    read(rows, 0, None, &mut |item| item.verify(verifier)).map(drop)
}

/// Recomputes the newest record, which must be undamaged before anything is appended to it.
pub(crate) fn verify_newest(rows: &dyn Rows) -> Result<(), Fault> {
    let newest = rows.chain_tip()?.id;
    let broken = |reason| Err(Fault::damaged("audit_log", newest, reason));
    match rows.records_after(newest.saturating_sub(1), 1)?.pop() {
        Some(logged) => match logged.record {
            Ok(record) if !record.is_whole() => broken("its hash does not fit its content"),
            Ok(_) => Ok(()),
            Err(_) => broken("it cannot be read"),
        },
        None => Ok(()),
    }
}

/// Reads the log after the record `after`, in its order: each record, then the heads that sign it.
///
/// Answers with the last number when `limit` records were read, and with nothing at the end.
pub(crate) fn read(
    rows: &dyn Rows,
    after: u64,
    limit: Option<u32>,
    take: &mut dyn FnMut(AuditItem),
) -> Result<Option<u64>, Fault> {
    let (mut last, mut left) = (after, limit);
    // Heads of records that the retention took are no part of what is read.
    let mut unsigned = None;
    loop {
        let size = left.map_or(PAGE, |left| left.min(PAGE));
        let page = rows.records_after(last, size)?;
        let first = page.first().map_or(1, |record| record.id);
        let mut begin = unsigned.unwrap_or(if after == 0 { first } else { after + 1 });
        let count = page.len() as u32;
        let end = page.last().map(|record| record.id);
        let mut heads = Vec::new();
        if let Some(end) = end {
            rows.heads(begin, Some(end), &mut |head| heads.push(head))?;
            (last, begin) = (end, end + 1);
        }
        unsigned = Some(begin);
        let mut heads = heads.into_iter().peekable();
        for logged in page {
            while let Some(early) = heads.next_if(|head| head.head.record_id < logged.id) {
                take(AuditItem::Head(early));
            }
            take(match logged.record {
                Ok(record) => AuditItem::Record(Box::new(record), Seen::default()),
                Err(_) => AuditItem::Unreadable(logged.id),
            });
            while let Some(own) = heads.next_if(|head| head.head.record_id == logged.id) {
                take(AuditItem::Head(own));
            }
        }
        left = left.map(|left| left - count);
        if left == Some(0) {
            return Ok(Some(last));
        }
        if count < size {
            rows.heads(begin, None, &mut |late| take(AuditItem::Head(late)))?;
            return Ok(None);
        }
    }
}
