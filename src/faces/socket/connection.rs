//! One WebSocket: its opening, its loop, and the handling of its frames.
//!
//! Specification: `docs/protocol.md#websocket`.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use api::frames::{Asked, ServerFrame};
use bytes::{Bytes, BytesMut};
use ephemeral::{LiveId, MessageId};
use serde::Deserialize;

use crate::app::App;
use crate::app::Problem;
use crate::app::limits;
use crate::app::origin::{Arrival, Origin};
use crate::app::sessions::SignedIn;

use super::wire::{self, Frames, Incoming, MAX_FRAME};
use crate::app::messages::Socket;
use crate::app::messages::live::Membership;
use api::close;

/// Malformed frames that a connection may send before it is closed.
const MAX_MALFORMED: u32 = 100;

/// Seconds between two pings of the server.
const PING_SECS: u64 = 20;

/// The most pings without an answer.
const MAX_SILENT_PINGS: u32 = 3;

/// The live session that connects.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Opening {
    /// Chosen at random by the client core.
    pub live_id: LiveId,
}

/// Opens a socket.
pub async fn open(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    request: HttpRequest,
    query: Query<Opening>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let mut response = actix_http::ws::handshake(request.head())
        .map_err(|_| Problem::malformed("This is no WebSocket handshake of version 13."))?;
    let member = Membership::join(&app, &who, query.live_id).await?;
    let socket = Arc::clone(member.socket());
    let connection = Connection {
        app: Arc::clone(&app),
        who,
        origin,
        member,
        malformed: 0,
        silent_pings: 0,
    };
    actix_web::rt::spawn(connection.run(payload));
    let frames = futures_util::stream::poll_fn(move |cx| poll_frames(&socket, cx));
    Ok(HttpResponse::from(
        response
            .message_body(actix_web::body::BodyStream::new(frames))
            .map_err(|cause| Problem::internal(&cause))?
            .map_into_boxed_body(),
    ))
}

/// Takes the frames that wait, up to the length of a large one, as bytes for one write.
fn poll_frames(socket: &Socket, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Problem>>> {
    let mut out = BytesMut::new();
    while out.len() < MAX_FRAME {
        match socket.outbox().poll_next(cx) {
            Poll::Ready(Some(frame)) => wire::encode(frame, &mut out),
            Poll::Ready(None) if out.is_empty() => return Poll::Ready(None),
            Poll::Pending if out.is_empty() => return Poll::Pending,
            Poll::Ready(None) | Poll::Pending => break,
        }
    }
    Poll::Ready(Some(Ok(out.freeze())))
}

/// A socket's task.
pub(super) struct Connection {
    pub(super) app: Arc<App>,
    pub(super) who: SignedIn,
    /// The request that opened the socket, with the arrival time of the frames in progress.
    origin: Origin,
    pub(super) member: Membership,
    malformed: u32,
    silent_pings: u32,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.member.socket().outbox().end(None);
    }
}

impl Connection {
    async fn run(mut self, mut payload: Payload) {
        if let Err(problem) = self.member.hello().await {
            self.refuse(Asked::Frame, None, &problem).await;
            self.member.socket().close(close::SHUTTING_DOWN);
        }
        let mut incoming = Frames::default();
        let mut pings = tokio::time::interval(Duration::from_secs(PING_SECS));
        pings.tick().await;
        let socket = Arc::clone(self.member.socket());
        let code = loop {
            tokio::select! {
                biased;
                code = socket.closed() => break Some(code),
                _ = pings.tick() => {
                    self.silent_pings += 1;
                    if self.silent_pings > MAX_SILENT_PINGS {
                        break None;
                    }
                    if socket.outbox().is_stuck() {
                        break Some(close::TOO_MUCH);
                    }
                    socket.outbox().offer(wire::ping());
                }
                received = incoming.receive(&mut payload) => {
                    if !received {
                        break None;
                    }
                    self.silent_pings = 0;
                    self.origin.arrival = Some(Arrival(self.app.ambient().stopwatch()));
                    match self.take(&mut incoming).await {
                        Ok(()) => {}
                        Err(code) => break code,
                    }
                }
            }
        };
        socket.outbox().end(code.map(wire::close));
    }

    /// Handles every complete frame; `Err` closes the connection with a code.
    async fn take(&mut self, incoming: &mut Frames) -> Result<(), Option<u16>> {
        loop {
            match incoming.next() {
                Ok(None) => return Ok(()),
                Ok(Some(Incoming::Close)) => return Err(Some(1000)),
                Ok(Some(Incoming::Pong)) => {}
                Ok(Some(Incoming::Ping(payload))) => {
                    self.member.socket().outbox().offer(wire::pong(&payload));
                }
                Ok(Some(Incoming::Text(text))) => {
                    match std::str::from_utf8(&text)
                        .ok()
                        .and_then(|t| serde_json::from_str(t).ok())
                    {
                        Some(said) => self.said(said).await,
                        None => self.unfit("The frame is no JSON of a known kind.").await?,
                    }
                }
                Ok(Some(Incoming::Binary(bytes))) => self.binary(&bytes).await?,
                Ok(Some(Incoming::Unfit)) => {
                    self.unfit("A message is one text or binary frame.").await?
                }
                // After a broken frame nobody knows where the next one begins.
                Err(_) => {
                    self.app.metrics().malformed_frame();
                    return Err(Some(close::MISUSE));
                }
            }
        }
    }

    /// Refuses a malformed frame; too many of them close the connection.
    pub(super) async fn unfit(&mut self, detail: &str) -> Result<(), Option<u16>> {
        self.malformed += 1;
        self.app.metrics().malformed_frame();
        if self.malformed > MAX_MALFORMED {
            return Err(Some(close::MISUSE));
        }
        let problem = Problem::malformed(detail);
        self.refuse(Asked::Frame, None, &problem).await;
        Ok(())
    }

    /// Sends a refusal.
    pub(super) async fn refuse(&self, re: Asked, id: Option<MessageId>, problem: &Problem) {
        let user = Some(self.who.user_id());
        limits::note(&self.app, problem, user, &self.origin).await;
        self.member.socket().tell(&ServerFrame::Refused {
            re,
            id,
            code: problem.code().name().into(),
            detail: problem.detail().to_owned(),
            retry_after: problem.seconds(),
        });
    }
}
