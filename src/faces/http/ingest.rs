//! Reads a body that was sealed under a ticket, chunk by chunk, directly into the vault's memory.
//!
//! Specification: `docs/protocol/link.md#tickets`.

use actix_web::web::{Bytes, Payload};
use bytes::Buf;
use ephemeral::CiphertextBuilder;
use futures_util::StreamExt;
use protocol::envelope::{SlotSet, SubmissionHeader};
use protocol::link::TicketOpener;
use protocol::suite::ObjectType;
use zeroize::Zeroizing;

use crate::app::Problem;
use crate::app::messages::Caller;
use crate::app::messages::service::{self, unreadable};

/// The plaintext of a sealed body, piece by piece.
struct Opened {
    opener: TicketOpener,
    payload: Payload,
    /// What came and is not opened.
    rest: Bytes,
}

impl Opened {
    /// Opens the next chunk; `None` is the end.
    async fn next(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, Problem> {
        let Some(len) = self.opener.next_len() else {
            return self.end().await;
        };
        let mut chunk = Zeroizing::new(Vec::with_capacity(len));
        while chunk.len() < len {
            if self.rest.is_empty() {
                self.rest = match self.payload.next().await {
                    Some(Ok(bytes)) => bytes,
                    Some(Err(_)) | None => return Err(broke_off()),
                };
            }
            let taken = self.rest.len().min(len - chunk.len());
            chunk.extend_from_slice(self.rest.get(..taken).unwrap_or_default());
            self.rest.advance(taken);
        }
        let opened = self.opener.open(&mut chunk).map_err(|_| does_not_open())?;
        let len = opened.len();
        chunk.truncate(len);
        Ok(Some(chunk))
    }

    async fn end(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, Problem> {
        let more = !self.rest.is_empty() || self.payload.next().await.is_some();
        match more {
            true => Err(does_not_open()),
            false => Ok(None),
        }
    }
}

/// Handles a body under a ticket; what becomes of what it holds is told at the caller's socket, and what
/// cannot be read is refused here, because it names no message.
pub(super) async fn sealed(
    caller: &Caller<'_>,
    opener: TicketOpener,
    payload: Payload,
) -> Result<(), Problem> {
    let mut body = Opened {
        opener,
        payload,
        rest: Bytes::new(),
    };
    let first = body.next().await?.unwrap_or_default();
    match first.first() {
        Some(&kind) if kind == ObjectType::Submission as u8 => {
            submission(caller, first, &mut body).await
        }
        Some(&kind) if kind == ObjectType::SlotSet as u8 => slots(caller, first, &mut body).await,
        _ => Err(Problem::malformed("The body is of no known kind.")),
    }
}

async fn submission(
    caller: &Caller<'_>,
    mut front: Zeroizing<Vec<u8>>,
    body: &mut Opened,
) -> Result<(), Problem> {
    let (app, who) = (caller.app, caller.who);
    let max_header = service::max_header(app);
    let (header, consumed) = loop {
        let parsed = SubmissionHeader::parse_prefix(&front);
        if let Some(parsed) = parsed.map_err(|error| unreadable(&error))? {
            break parsed;
        }
        if front.len() > max_header {
            return Err(Problem::too_large(max_header));
        }
        let more = body.next().await?.ok_or_else(not_whole)?;
        front.extend_from_slice(&more);
    };
    let id = header.message_id;
    let reservation = match service::reserve(app, who, &header).await {
        Ok(reservation) => reservation,
        Err(problem) => {
            caller.sent(id, Err(problem)).await;
            return Ok(());
        }
    };
    let mut held = CiphertextBuilder::with_capacity(header.body_len);
    let push = |held: &mut CiphertextBuilder, bytes: &[u8]| {
        held.push(bytes).map_err(|_| longer_than_said())
    };
    push(&mut held, front.get(consumed..).unwrap_or_default())?;
    drop(front);
    while let Some(chunk) = body.next().await? {
        push(&mut held, &chunk)?;
    }
    if held.len() != header.body_len {
        return Err(not_whole());
    }
    if who.session().is_over(app.ambient().now()) {
        return Err(Problem::signed_out());
    }
    let put = service::put(app, reservation, header, held.finish()).await;
    caller.sent(id, put.map(|put| put.expires_at)).await;
    Ok(())
}

async fn slots(
    caller: &Caller<'_>,
    mut bytes: Zeroizing<Vec<u8>>,
    body: &mut Opened,
) -> Result<(), Problem> {
    let limit = service::max_header(caller.app);
    while let Some(chunk) = body.next().await? {
        if bytes.len() + chunk.len() > limit {
            return Err(Problem::too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    let set = SlotSet::decode(&bytes).map_err(|error| unreadable(&error))?;
    let id = set.message_id;
    let added = service::add_slots(caller.app, caller.who, set).await;
    caller.slots_added(id, added).await;
    Ok(())
}

fn longer_than_said() -> Problem {
    Problem::malformed("More bytes came than the header says.")
}

fn not_whole() -> Problem {
    Problem::malformed("Fewer bytes came than the header says.")
}

fn broke_off() -> Problem {
    Problem::malformed("The body broke off.")
}

fn does_not_open() -> Problem {
    Problem::malformed("The body does not open under its ticket.")
}
