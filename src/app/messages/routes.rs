//! Messages over HTTP: for bodies larger than a frame, and for clients without a socket.
//!
//! Specification: `docs/protocol/messages.md#claims-and-leases`.

use actix_web::web::{Data, Json, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use api::bodies::{ByLive, ClaimToken, Lease, Sent, StatusAnswer, StatusQuestion, WaitingList};
use api::ids::{LiveId, MessageId};
use protocol::envelope::{MAX_SLOT_LEN, SlotSet};

use crate::app::sessions::SignedIn;
use crate::app::state::App;
use crate::faces::http::{Problem, read_octets, require_octets};

use super::frames::{self, status_entry};
use super::{ingest, service};

/// Largest optional body of a claim in bytes.
const CLAIM_BODY: usize = 1024;

/// Takes a message.
pub async fn post(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    require_octets(&request)?;
    let (id, outcome) = ingest::submission(&app, &who, payload).await?;
    Ok(HttpResponse::Created().json(Sent {
        id,
        expires_at: outcome.expires_at,
    }))
}

/// Adds slots to the account's own message, or replaces those of the same target.
pub async fn add_slots(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = message(&id)?;
    let limit = 64 + app.vault().config().slots_per_message * (MAX_SLOT_LEN + 64);
    let bytes = read_octets(&request, payload, limit).await?;
    let set = SlotSet::decode(&bytes).map_err(|error| ingest::unreadable(&error))?;
    if set.message_id.as_bytes() != id.as_bytes() {
        return Err(Problem::malformed("The slots name another message."));
    }
    service::add_slots(&app, &who, set)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lists waiting messages.
pub async fn waiting(app: Data<App>, who: SignedIn, query: Query<ByLive>) -> Json<WaitingList> {
    let items = app.vault().waiting_for(who.user_id(), live(&query));
    Json(WaitingList {
        waiting: items.iter().map(frames::waiting).collect(),
    })
}

/// Claims a message, or fetches one that was claimed over the socket if the body has its token.
pub async fn claim(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<String>,
    query: Query<ByLive>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = message(&id)?;
    let given = claim_token(&request, payload).await?;
    let claim = match given {
        Some(given) => {
            let token = service::token(&given.token)?;
            app.vault().fetch(id, who.user_id(), &token)?
        }
        None => service::claim(&app, &who, id, live(&query))?,
    };
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .body(service::parcel(id, &claim)))
}

async fn claim_token(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Option<ClaimToken>, Problem> {
    use actix_web::HttpMessage;
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
    let bytes = crate::faces::http::read_all(payload, CLAIM_BODY).await?;
    serde_json::from_slice(&bytes).map_err(|_| Problem::malformed("The JSON does not fit."))
}

/// Acknowledges a claim: the slot, or the whole message, is wiped.
pub async fn acknowledge(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
    body: Json<ClaimToken>,
) -> Result<HttpResponse, Problem> {
    let id = message(&id)?;
    service::acknowledge(&app, &who, id, &body.token)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Extends a lease.
pub async fn extend(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
    body: Json<ClaimToken>,
) -> Result<Json<Lease>, Problem> {
    let id = message(&id)?;
    let lease_ms = service::extend(&app, &who, id, &body.token)?;
    Ok(Json(Lease { lease_ms }))
}

/// Returns a claim whose message does not open.
pub async fn cannot_open(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
    body: Json<ClaimToken>,
) -> Result<HttpResponse, Problem> {
    let id = message(&id)?;
    service::cannot_open(&app, &who, id, &body.token)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Returns the states of the account's own messages.
pub async fn status(
    app: Data<App>,
    who: SignedIn,
    body: Json<StatusQuestion>,
) -> Result<Json<StatusAnswer>, Problem> {
    let states = service::status(&app, &who, &body.ids)?;
    Ok(Json(StatusAnswer {
        states: states.iter().map(status_entry).collect(),
    }))
}

fn message(id: &str) -> Result<MessageId, Problem> {
    id.parse().map_err(|_| Problem::gone())
}

fn live(query: &ByLive) -> Option<LiveId> {
    query.live_id
}
