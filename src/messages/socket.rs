//! One WebSocket: its opening, its loop and what its frames do.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::StreamExt;
use protocol::envelope::{SlotSet, SubmissionHeader};
use protocol::prekeys::SessionBundle;
use protocol::suite::ObjectType;
use serde::Deserialize;
use tokio::sync::mpsc;
use vault::{Ciphertext, LiveId, MessageId};

use crate::http::{Blob, Id, Problem};
use crate::sessions::SignedIn;
use crate::state::App;

use super::frames::{Said, StatusEntry, Told, Waiting};
use super::routes::MAX_STATUS;
use super::wire::{self, Frames, Incoming, MAX_FRAME};
use super::{Outgoing, Socket, close, ingest, service};

/// Malformed frames that a connection may send before it is closed.
const MAX_MALFORMED: u32 = 100;

/// Waiting messages that the first frame lists; the rest is behind `GET /messages`.
const HELLO_ITEMS: usize = 64;

/// How long a client may take to read what fills every buffer on the way.
const SLOW_READER: Duration = Duration::from_secs(20);

/// Seconds between two pings of the server's.
const PING_SECS: u64 = 20;

/// Pings that may stay unanswered.
const MAX_SILENT_PINGS: u32 = 3;

/// The live session that connects.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Opening {
    /// Chosen at random by the client core.
    pub live_id: Id,
}

/// Opens a socket.
pub async fn open(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    query: Query<Opening>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let mut response = actix_http::ws::handshake(request.head())
        .map_err(|_| Problem::malformed("This is no WebSocket handshake of version 13."))?;
    let (socket, frames) = Socket::new(query.live_id.0, Arc::clone(who.session()));
    app.hub()
        .join(&socket, app.config().sockets_per_session)
        .map_err(|_| Problem::too_many(60))?;
    let (out, body) = mpsc::channel::<Bytes>(4);
    let connection = Connection {
        app: Data::clone(&app),
        who,
        socket,
        malformed: 0,
        silent_pings: 0,
    };
    actix_web::rt::spawn(connection.run(payload, frames, out));
    let body = futures_util::stream::unfold(body, |mut body| async move {
        let bytes = body.recv().await?;
        Some((Ok::<_, Problem>(bytes), body))
    });
    Ok(HttpResponse::from(
        response
            .message_body(actix_web::body::BodyStream::new(body))
            .map_err(|cause| Problem::internal(&cause))?
            .map_into_boxed_body(),
    ))
}

struct Connection {
    app: Data<App>,
    who: SignedIn,
    socket: Arc<Socket>,
    malformed: u32,
    silent_pings: u32,
}

/// Leaves the hub however the loop ends.
struct Membership(Data<App>, Arc<Socket>);

impl Drop for Membership {
    fn drop(&mut self) {
        self.0.hub().leave(&self.1);
    }
}

impl Connection {
    async fn run(
        mut self,
        mut payload: Payload,
        mut queue: mpsc::Receiver<Outgoing>,
        out: mpsc::Sender<Bytes>,
    ) {
        let _membership = Membership(Data::clone(&self.app), Arc::clone(&self.socket));
        self.hello();
        let mut incoming = Frames::default();
        let mut pings = tokio::time::interval(Duration::from_secs(PING_SECS));
        pings.tick().await;
        let socket = Arc::clone(&self.socket);
        let code = loop {
            tokio::select! {
                biased;
                code = socket.closed() => break Some(code),
                frame = queue.recv() => {
                    let Some(frame) = frame else { break None };
                    // A reader that stands still must not keep this task from closing.
                    tokio::select! {
                        biased;
                        sent = out.send(wire::encode(&frame)) => if sent.is_err() { break None },
                        code = socket.closed() => break Some(code),
                        () = tokio::time::sleep(SLOW_READER) => break Some(close::TOO_MUCH),
                    }
                }
                _ = pings.tick() => {
                    self.silent_pings += 1;
                    if self.silent_pings > MAX_SILENT_PINGS {
                        break None;
                    }
                    let _ = out.try_send(wire::ping());
                }
                chunk = payload.next() => {
                    let Some(Ok(chunk)) = chunk else { break None };
                    self.silent_pings = 0;
                    incoming.push(&chunk);
                    drop(chunk);
                    match self.take(&mut incoming, &out) {
                        Ok(()) => {}
                        Err(code) => break code,
                    }
                }
            }
        };
        if let Some(code) = code {
            let _ =
                tokio::time::timeout(Duration::from_millis(500), out.send(wire::close(code))).await;
        }
    }

    /// Acts on every whole frame; `Err` ends the connection with a code.
    fn take(
        &mut self,
        incoming: &mut Frames,
        out: &mpsc::Sender<Bytes>,
    ) -> Result<(), Option<u16>> {
        loop {
            match incoming.next() {
                Ok(None) => return Ok(()),
                Ok(Some(Incoming::Close)) => return Err(Some(1000)),
                Ok(Some(Incoming::Pong)) => {}
                Ok(Some(Incoming::Ping(payload))) => {
                    let _ = out.try_send(wire::pong(&payload));
                }
                Ok(Some(Incoming::Text(text))) => {
                    match std::str::from_utf8(&text)
                        .ok()
                        .and_then(|t| serde_json::from_str(t).ok())
                    {
                        Some(said) => self.said(said),
                        None => self.unfit("The frame is no JSON of a known kind.")?,
                    }
                }
                Ok(Some(Incoming::Binary(bytes))) => self.binary(&bytes)?,
                Ok(Some(Incoming::Unfit)) => {
                    self.unfit("A message is one text or binary frame.")?
                }
                // After a broken frame nobody knows where the next one begins.
                Err(_) => {
                    self.app.metrics().malformed_frame();
                    return Err(Some(close::MISUSE));
                }
            }
        }
    }

    fn hello(&self) {
        let live = LiveId::from(self.socket.live());
        let items = self.app.vault().waiting_for(self.who.account(), Some(live));
        self.socket.tell(&Told::Hello {
            boot_id: Id(self.app.boot().id()),
            now: self.app.ambient().now(),
            waiting: items.iter().take(HELLO_ITEMS).map(Waiting::from).collect(),
            more: items.len() > HELLO_ITEMS,
        });
    }

    fn unfit(&mut self, detail: &str) -> Result<(), Option<u16>> {
        self.malformed += 1;
        self.app.metrics().malformed_frame();
        if self.malformed > MAX_MALFORMED {
            return Err(Some(close::MISUSE));
        }
        self.refuse("frame", None, &Problem::malformed(detail));
        Ok(())
    }

    fn refuse(&self, re: &'static str, id: Option<Id>, problem: &Problem) {
        self.socket.tell(&Told::Refused {
            re,
            id,
            code: problem.code(),
            detail: problem.detail().to_owned(),
        });
    }

    fn said(&self, said: Said) {
        match said {
            Said::Bundle { bundle } => {
                if let Err(problem) = self.publish(bundle) {
                    self.refuse("bundle", None, &problem);
                }
            }
            Said::Withdraw {} => self.socket.set_bundle(None),
            Said::Claim { id } => {
                if let Err(problem) = self.claim(id) {
                    self.refuse("claim", Some(id), &problem);
                }
            }
            Said::Ack { id, token } => match self.acknowledge(id, &token) {
                Ok(()) => self.socket.tell(&Told::Acked { id }),
                Err(problem) => self.refuse("ack", Some(id), &problem),
            },
            Said::Extend { id, token } => match self.extend(id, &token) {
                Ok(lease_ms) => self.socket.tell(&Told::Extended { id, lease_ms }),
                Err(problem) => self.refuse("extend", Some(id), &problem),
            },
            Said::CannotOpen { id, token } => {
                if let Err(problem) = self.cannot_open(id, &token) {
                    self.refuse("cannot_open", Some(id), &problem);
                }
            }
            Said::Active {} => self.app.sessions().act(self.who.session()),
            Said::Status { ids } => self.status(&ids),
            Said::Ping {} => self.socket.tell(&Told::Pong {}),
        }
    }

    fn publish(&self, bundle: Blob) -> Result<(), Problem> {
        let decoded = SessionBundle::decode(&bundle).map_err(|error| ingest::unreadable(&error))?;
        let own = decoded.user_id.as_bytes() == self.who.user_id().as_bytes()
            && decoded.live_id.as_bytes() == &self.socket.live();
        if !own {
            return Err(Problem::forbidden("The bundle is another session's."));
        }
        self.socket
            .set_bundle(Some((decoded.bucket, bundle.into_vec())));
        Ok(())
    }

    fn claim(&self, id: Id) -> Result<(), Problem> {
        let message = MessageId::from(id.0);
        let live = LiveId::from(self.socket.live());
        let claim = self
            .app
            .vault()
            .claim(message, self.who.account(), Some(live))?;
        if service::parcel_len(&claim) <= MAX_FRAME {
            let parcel = service::parcel(message, &claim);
            self.socket.send(Outgoing::Binary(Bytes::from(parcel)));
        } else {
            self.socket.tell(&Told::ClaimedLarge {
                id,
                token: Blob::new(claim.token.as_bytes().to_vec()),
                lease_ms: claim.lease.as_millis() as u64,
            });
        }
        Ok(())
    }

    fn acknowledge(&self, id: Id, token: &[u8]) -> Result<(), Problem> {
        let token = service::token(token)?;
        self.app.sessions().act(self.who.session());
        self.app
            .vault()
            .acknowledge(MessageId::from(id.0), self.who.account(), &token)?;
        Ok(())
    }

    fn extend(&self, id: Id, token: &[u8]) -> Result<u64, Problem> {
        let token = service::token(token)?;
        let lease = self
            .app
            .vault()
            .extend(MessageId::from(id.0), self.who.account(), &token)?;
        Ok(lease.as_millis() as u64)
    }

    fn cannot_open(&self, id: Id, token: &[u8]) -> Result<(), Problem> {
        let token = service::token(token)?;
        self.app
            .vault()
            .cannot_open(MessageId::from(id.0), self.who.account(), &token)?;
        Ok(())
    }

    fn status(&self, ids: &[Id]) {
        let ids: Vec<_> = ids
            .iter()
            .take(MAX_STATUS)
            .map(|id| MessageId::from(id.0))
            .collect();
        let states = self.app.vault().status(self.who.account(), &ids);
        // Each entry takes about a hundred bytes: several frames keep each under the limit.
        for part in states.chunks(100) {
            self.socket.tell(&Told::Status {
                states: part.iter().map(StatusEntry::from).collect(),
            });
        }
    }

    fn binary(&mut self, bytes: &[u8]) -> Result<(), Option<u16>> {
        match bytes.first() {
            Some(&kind) if kind == ObjectType::Submission as u8 => {
                let parsed = SubmissionHeader::parse_prefix(bytes);
                let Ok(Some((header, consumed))) = parsed else {
                    return self.unfit("The frame is no whole submission.");
                };
                let id = Id(*header.message_id.as_bytes());
                match self.submit(header, bytes.get(consumed..).unwrap_or_default()) {
                    Ok(expires_at) => self.socket.tell(&Told::Sent { id, expires_at }),
                    Err(problem) => self.refuse("send", Some(id), &problem),
                }
                Ok(())
            }
            Some(&kind) if kind == ObjectType::SlotSet as u8 => {
                let Ok(set) = SlotSet::decode(bytes) else {
                    return self.unfit("The frame is no set of slots.");
                };
                let id = Id(*set.message_id.as_bytes());
                match service::add_slots(self.app.vault(), self.who.account(), set) {
                    Ok(()) => self.socket.tell(&Told::SlotsAdded { id }),
                    Err(problem) => self.refuse("slots", Some(id), &problem),
                }
                Ok(())
            }
            _ => self.unfit("The frame is of no known kind."),
        }
    }

    fn submit(&self, header: SubmissionHeader, body: &[u8]) -> Result<u64, Problem> {
        if body.len() != header.body_len {
            return Err(Problem::malformed(
                "The body is not as long as the header says.",
            ));
        }
        self.app.limits().message(self.who.key())?;
        self.app.sessions().act(self.who.session());
        let limit = self.app.config().max_message_bytes;
        let reservation = service::reserve(self.app.vault(), self.who.account(), &header, limit)?;
        let body = Ciphertext::copy_of(body);
        Ok(service::put(self.app.vault(), reservation, header, body)?.expires_at)
    }
}
