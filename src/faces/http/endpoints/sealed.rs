//! Bodies that are too large for a frame of the link, each under a ticket.
//!
//! Specification: `docs/protocol/link.md#tickets`.

use actix_web::body::SizedStream;
use actix_web::web::{Bytes, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use protocol::link::{Direction, TicketSealer, sealed_len};
use zeroize::Zeroizing;

use crate::app::links::{Errand, Links};
use crate::app::messages::{Caller, service};
use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};
use crate::faces::http::body::require_octets;
use crate::faces::http::ingest;

use super::{Answer, done};

/// Takes a submission or a set of slots; its outcome is told over the socket.
pub(crate) async fn send(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Answer {
    require_octets(&request)?;
    let taken = Links::take(&app, &who, ticket(&id)?, Direction::Up)?;
    let caller = Caller {
        app: &app,
        who: &who,
        origin: &origin,
        socket: &taken.socket,
    };
    done(ingest::sealed(&caller, taken.ticket.into_opener(), payload).await)
}

/// Gives a parcel that was claimed over the socket.
pub(crate) async fn fetch(app: Data<App>, who: SignedIn, id: Path<String>) -> Answer {
    let taken = Links::take(&app, &who, ticket(&id)?, Direction::Down)?;
    let Errand::Fetch(id, token) = taken.errand else {
        return Err(Problem::gone());
    };
    let claim = service::fetch(&app, &who, id, token.as_bytes()).await?;
    let parcel = Zeroizing::new(service::parcel(id, &claim));
    if parcel.len() as u64 != taken.ticket.body_len() {
        return Err(Problem::gone());
    }
    let len = sealed_len(taken.ticket.body_len());
    let chunks = stream::iter(Chunks {
        sealer: taken.ticket.into_sealer(),
        parcel,
        from: 0,
    });
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .body(SizedStream::new(len, chunks)))
}

/// A parcel's chunks, each sealed when it is asked for.
struct Chunks {
    sealer: TicketSealer,
    parcel: Zeroizing<Vec<u8>>,
    from: usize,
}

impl Iterator for Chunks {
    type Item = Result<Bytes, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let to = self.from + self.sealer.next_len()?;
        let chunk = self.parcel.get(self.from..to).unwrap_or_default();
        self.from = to;
        let sealed = self.sealer.seal(chunk).map(Bytes::from);
        Some(sealed.map_err(|cause| Problem::internal(&cause)))
    }
}

fn ticket(id: &str) -> Result<[u8; 16], Problem> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(id, &mut bytes).map_err(|_| Problem::gone())?;
    Ok(bytes)
}
