//! The admin page, the only page that is rendered for each request.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use api::Action;
use api::bodies::{AuditProof, AuditRecord, Figures, RecordsWanted, Verified, WitnessState};
use askama::Template;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::app::administration::{audit_log, audit_proof, server};
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;
use crate::app::{App, Problem, time};

use super::{Assets, Pages, rendered};

/// What is escaped in a value of an address's query.
const IN_A_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Fields of the form, in the query of the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    /// A handle.
    user: String,
    /// An action.
    action: String,
    /// `YYYY-MM-DDTHH:MM` in UTC.
    from: String,
    /// The same.
    to: String,
    /// Below this record.
    before: Option<u64>,
}

struct Figure {
    id: &'static str,
    label: &'static str,
    value: String,
    kind: &'static str,
}

struct Row {
    id: u64,
    /// Whether the last verification read it and a head covers it.
    verified: bool,
    time: String,
    user: String,
    action: String,
    details: String,
    /// Whether this server did not write it.
    foreign: bool,
    hash: String,
    hash_short: String,
}

/// State of the log's proofs, in words.
struct Shown {
    head: Option<(u64, String)>,
    key: String,
    key_short: String,
    rolled_back: Option<String>,
    foreign: Option<String>,
    witnesses: Vec<Witness>,
}

struct Witness {
    address: String,
    good: bool,
    state: String,
    error: Option<String>,
    newest: String,
}

impl From<AuditProof> for Shown {
    fn from(proof: AuditProof) -> Self {
        Self {
            head: proof
                .head
                .map(|head| (head.record_id, time::format(head.timestamp))),
            key_short: proof.key.chars().take(32).collect(),
            key: proof.key,
            rolled_back: proof.rolled_back,
            foreign: proof.foreign,
            witnesses: proof.witnesses.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<WitnessState> for Witness {
    fn from(witness: WitnessState) -> Self {
        Self {
            good: witness.error.is_none(),
            state: match (&witness.error, witness.waiting) {
                (Some(_), waiting) => format!("Not taking heads, {waiting} waiting"),
                (None, 0) => "Up to date".to_owned(),
                (None, waiting) => format!("{waiting} waiting"),
            },
            error: witness.error,
            newest: witness.taken_at.map_or_else(
                || "None since the start".to_owned(),
                |at| format!("Record {}, {}", witness.newest_record, time::format(at)),
            ),
            address: witness.address,
        }
    }
}

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage<'a> {
    assets: &'a Assets,
    /// Whether keys and backups are shown as well.
    administers: bool,
    figures: Vec<Figure>,
    filter: &'a Filter,
    actions: Vec<&'static str>,
    records: Vec<Row>,
    proof: Shown,
    next: Option<String>,
}

/// Shows figures and the audit log to an administrator or an auditor.
pub(crate) async fn show(
    app: Data<App>,
    pages: Data<Pages>,
    reader: Authorized<permit::ReadAudit>,
    origin: Origin,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let Some(assets) = pages.assets() else {
        return Ok(pages.unavailable());
    };
    let filtered = !filter.user.is_empty() || !filter.action.is_empty();
    audit_log::note_view(&app, &reader, &origin, filtered).await?;
    let wanted = RecordsWanted {
        user: Some(filter.user.trim().to_owned()),
        action: Some(filter.action.clone()),
        from: time::parse(&filter.from),
        to: time::parse(&filter.to).map(|minute| minute + 59),
        before: filter.before,
        limit: None,
    };
    let page = audit_log::page(&app, &reader, &wanted).await?;
    let figures_reader = Authorized::check(reader.principal().clone())?;
    let figures = server::figures(&app, &figures_reader).await?;
    let proof = audit_proof::show(&app, &reader).await?;
    let verified = proof.verification.last.clone();
    let next = page.next.map(|before| next_page(&filter, before));
    rendered::html(
        StatusCode::OK,
        &AdminPage {
            assets,
            administers: Authorized::<permit::ReadKeys>::check(reader.principal().clone()).is_ok(),
            figures: shown(&figures),
            filter: &filter,
            actions: actions(),
            records: page
                .records
                .into_iter()
                .map(|record| row(record, verified.as_ref()))
                .collect(),
            proof: proof.into(),
            next,
        },
    )
}

fn shown(figures: &Figures) -> Vec<Figure> {
    let count = |id, label, value: u64| Figure {
        id,
        label,
        value: value.to_string(),
        kind: "count",
    };
    let bytes = |id, label, value: u64| Figure {
        id,
        label,
        value: value.to_string(),
        kind: "bytes",
    };
    let moment = |id, label, value: Option<u64>| Figure {
        id,
        label,
        value: value.map_or_else(|| "–".to_owned(), time::format),
        kind: "time",
    };
    vec![
        count("users", "Users", figures.users),
        count(
            "active_sessions",
            "Active sessions",
            figures.active_sessions,
        ),
        count("open_sockets", "Open connections", figures.open_sockets),
        count("audit_records", "Audit records", figures.audit_records),
        count("messages_held", "Messages held", figures.messages_held),
        bytes("bytes_held", "Bytes held", figures.bytes_held),
        moment("next_expiry", "Next expiry", figures.next_expiry),
        moment("started_at", "Started", Some(figures.started_at)),
    ]
}

/// Returns every action that this server writes, in alphabetical order.
fn actions() -> Vec<&'static str> {
    let mut actions: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
    actions.sort_unstable();
    actions
}

fn row(record: AuditRecord, verified: Option<&Verified>) -> Row {
    Row {
        id: record.id,
        verified: verified.is_some_and(|it| it.covers(record.id)),
        time: time::format(record.timestamp),
        user: record.handle.unwrap_or_else(|| match record.user_id {
            Some(_) => "(deleted)".to_owned(),
            None => "system".to_owned(),
        }),
        action: record.action,
        details: match record.damage {
            Some(_) => format!("details damaged (record {})", record.id),
            None => details(&record.details),
        },
        foreign: record.foreign,
        hash_short: record.hash.chars().take(12).collect(),
        hash: record.hash,
    }
}

/// Writes the details as `name: value` in the order of their names.
fn details(value: &Value) -> String {
    let Value::Object(members) = value else {
        return "erased with the account".to_owned();
    };
    let mut parts: Vec<String> = members
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        })
        .collect();
    parts.sort();
    parts.join(", ")
}

fn next_page(filter: &Filter, before: u64) -> String {
    let mut address = format!("/admin?before={before}");
    for (name, value) in [
        ("user", &filter.user),
        ("action", &filter.action),
        ("from", &filter.from),
        ("to", &filter.to),
    ] {
        if !value.is_empty() {
            address.push_str(&format!(
                "&{name}={}",
                utf8_percent_encode(value, IN_A_QUERY)
            ));
        }
    }
    address.push_str("#records");
    address
}
