//! Reads the audit log: newest first, filtered, in pages.

use std::collections::HashMap;

use api::Action;
use api::bodies::{self, AuditPage, RecordsWanted};
use store::{AuditFilter, AuditRecord, Fault, UserId};

use crate::app::accounts::audit;
use crate::app::accounts::handle::Handle;
use crate::app::audit::record;
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;
use crate::app::{App, Problem};

/// Records of a page by default.
const PAGE: u32 = 50;

/// The most records on a page.
const MAX_PAGE: u32 = 200;

/// Writes down that somebody looks at the administration page.
pub async fn note_view(
    app: &App,
    reader: &Authorized<permit::ReadAudit>,
    origin: &Origin,
    filtered: bool,
) -> Result<(), Problem> {
    let mut details = origin.details();
    details["page"] = "admin".into();
    details["filtered"] = filtered.into();
    let now = app.ambient().now();
    let event = audit::event(reader.user_id(), Action::AdminAuditViewed, now, details);
    record::write(app, event, origin.ip).await
}

/// Reads a page.
pub async fn page(
    app: &App,
    _: &Authorized<permit::ReadAudit>,
    wanted: &RecordsWanted,
) -> Result<AuditPage, Problem> {
    let named = wanted.user.as_deref().filter(|text| !text.is_empty());
    let user_id = match named {
        None => None,
        Some(text) => match find(app, text).await? {
            Some(user) => Some(user),
            // Nobody of that name: no record fits.
            None => {
                return Ok(AuditPage {
                    records: Vec::new(),
                    next: None,
                });
            }
        },
    };
    let filter = AuditFilter {
        user_id,
        action: wanted.action.clone().filter(|text| !text.is_empty()),
        from: wanted.from,
        to: wanted.to,
    };
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let found = app
        .store()
        .query_audit(filter, wanted.before, limit)
        .await?;
    let mut handles: HashMap<UserId, Option<String>> = HashMap::new();
    let mut records = Vec::with_capacity(found.records.len());
    for record in found.records {
        let handle = match record.user_id {
            None => None,
            Some(user) => match handles.get(&user) {
                Some(handle) => handle.clone(),
                None => {
                    // A damaged account has no handle to show, and its records go on.
                    let handle = match app.store().user_by_id(user).await {
                        Ok(row) => row.map(|row| row.handle),
                        Err(Fault::Damaged { .. }) => None,
                        Err(other) => return Err(other.into()),
                    };
                    handles.insert(user, handle.clone());
                    handle
                }
            },
        };
        records.push(shown(record, handle));
    }
    Ok(AuditPage {
        records,
        next: found.next,
    })
}

async fn find(app: &App, text: &str) -> Result<Option<UserId>, Problem> {
    if let Ok(id) = text.parse::<UserId>() {
        return Ok(Some(id));
    }
    let Ok(handle) = Handle::parse(text) else {
        return Ok(None);
    };
    let found = app.store().user_by_handle(handle.as_str()).await?;
    Ok(found.map(|user| user.user_id))
}

fn shown(record: AuditRecord, handle: Option<String>) -> bodies::AuditRecord {
    bodies::AuditRecord {
        id: record.id,
        user_id: record.user_id,
        handle,
        action: record.action,
        timestamp: record.timestamp,
        details: record.details,
        damage: record.damage.map(|damage| damage.to_string()),
        foreign: record.foreign,
        hash: hex::encode(record.hash),
    }
}
