//! Messages over HTTP: for bodies larger than a frame, and for clients without a socket.
//!
//! Specification: `docs/protocol/messages.md#claims-and-leases`.

use actix_web::web::{Data, Json, Path, Payload, Query};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use api::bodies::{ByLive, ClaimToken, Lease, Sent, StatusAnswer, StatusQuestion, WaitingList};
use api::ids::MessageId;
use protocol::envelope::SlotSet;

use crate::app::messages::frames::{self, status_entry};
use crate::app::messages::service;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};
use crate::faces::http::body::{read_all, read_octets, require_octets};
use crate::faces::http::ingest;

use super::{Answer, done};

/// Largest optional body of a claim in bytes.
const CLAIM_BODY: usize = 1024;

/// Takes a message.
pub(crate) async fn post(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    require_octets(&request)?;
    let (id, outcome) = ingest::submission(&app, &who, payload).await?;
    Ok(HttpResponse::Created().json(Sent {
        id,
        expires_at: outcome.expires_at,
    }))
}

/// Adds slots to the account's own message, or replaces those of the same target.
pub(crate) async fn add_slots(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Answer {
    let id = message(&id)?;
    let limit = service::max_header(&app);
    let bytes = read_octets(&request, payload, limit).await?;
    let set = SlotSet::decode(&bytes).map_err(|error| service::unreadable(&error))?;
    if set.message_id.as_bytes() != id.as_bytes() {
        return Err(Problem::malformed("The slots name another message."));
    }
    done(service::add_slots(&app, &who, set).await)
}

/// Lists waiting messages.
pub(crate) async fn waiting(
    app: Data<App>,
    who: SignedIn,
    query: Query<ByLive>,
) -> Result<Json<WaitingList>, Problem> {
    let items = service::waiting(&app, &who, query.live_id).await?;
    Ok(Json(WaitingList {
        waiting: items.iter().map(frames::waiting).collect(),
    }))
}

/// Claims a message, or fetches one that was claimed over the socket if the body has its token.
pub(crate) async fn claim(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<String>,
    query: Query<ByLive>,
    payload: Payload,
) -> Answer {
    let id = message(&id)?;
    let given = claim_token(&request, payload).await?;
    let claim = match given {
        Some(given) => service::fetch(&app, &who, id, &given.token).await?,
        None => service::claim(&app, &who, id, query.live_id).await?,
    };
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .body(service::parcel(id, &claim)))
}

async fn claim_token(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Option<ClaimToken>, Problem> {
    let empty = request
        .headers()
        .get("content-length")
        .is_none_or(|n| n == "0")
        && !request.headers().contains_key("transfer-encoding");
    if empty {
        return Ok(None);
    }
    if request.content_type() != "application/json" {
        return Err(Problem::wrong_type("application/json"));
    }
    let bytes = read_all(payload, CLAIM_BODY).await?;
    serde_json::from_slice(&bytes).map_err(|_| Problem::malformed("The JSON does not fit."))
}

/// Acknowledges a claim: the slot, or the whole message, is wiped.
pub(crate) async fn acknowledge(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
    body: Json<ClaimToken>,
) -> Answer {
    let id = message(&id)?;
    done(service::acknowledge(&app, &who, id, &body.token).await)
}

/// Extends a lease.
pub(crate) async fn extend(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
    body: Json<ClaimToken>,
) -> Result<Json<Lease>, Problem> {
    let id = message(&id)?;
    let lease_ms = service::extend(&app, &who, id, &body.token).await?;
    Ok(Json(Lease { lease_ms }))
}

/// Returns a claim whose message does not open.
pub(crate) async fn cannot_open(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
    body: Json<ClaimToken>,
) -> Answer {
    let id = message(&id)?;
    done(service::cannot_open(&app, &who, id, &body.token).await)
}

/// Returns the states of the account's own messages.
pub(crate) async fn status(
    app: Data<App>,
    who: SignedIn,
    body: Json<StatusQuestion>,
) -> Result<Json<StatusAnswer>, Problem> {
    let states = service::status(&app, &who, &body.ids).await?;
    Ok(Json(StatusAnswer {
        states: states.iter().map(status_entry).collect(),
    }))
}

fn message(id: &str) -> Result<MessageId, Problem> {
    id.parse().map_err(|_| Problem::gone())
}
