//! One WebSocket: its opening, its loop, and the handling of its frames.
//!
//! Specification: `docs/protocol.md#websocket`.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use api::frames::Asked;
use ephemeral::{LiveId, MessageId};
use protocol::link::{LinkError, PskId};
use serde::Deserialize;

use crate::app::App;
use crate::app::Problem;
use crate::app::links::HalfOpen;
use crate::app::origin::{Arrival, Origin};
use crate::app::sessions::SignedIn;

use super::channel::Channel;
use super::link;
use super::wire::{self, Frames, Incoming};
use crate::app::messages::Caller;
use crate::app::messages::live::{self, Membership};
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
    /// `1` asks that messages for this live session come claimed.
    pub deliver: Option<u8>,
}

impl Opening {
    fn asks_for_delivery(&self) -> bool {
        self.deliver == Some(1)
    }
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
    let reached = link::origin(&request, app.public_url());
    // First, so that a browser, which does not see why a socket was refused, can ask without a handshake.
    let half = HalfOpen::begin(&app, &who, query.live_id, reached).await?;
    let mut response = actix_http::ws::handshake(request.head())
        .map_err(|_| Problem::malformed("This is no WebSocket handshake of version 13."))?;
    let socket = live::socket(&app, &who, query.live_id, query.asks_for_delivery());
    let channel = Channel::new(socket, app.ambient().clone());
    let arrived = Arrived {
        ending: Ending {
            app: Arc::clone(&app),
            channel: Arc::clone(&channel),
            key: None,
        },
        app: Arc::clone(&app),
        who,
        origin,
        payload,
    };
    actix_web::rt::spawn(arrived.link(half));
    let frames = futures_util::stream::poll_fn(move |cx| channel.poll(cx));
    Ok(HttpResponse::from(
        response
            .message_body(actix_web::body::BodyStream::new(frames))
            .map_err(|cause| Problem::internal(&cause))?
            .map_into_boxed_body(),
    ))
}

/// A socket that has not joined.
struct Arrived {
    ending: Ending,
    app: Arc<App>,
    who: SignedIn,
    origin: Origin,
    payload: Payload,
}

impl Arrived {
    /// Opens the link, then joins.
    async fn link(mut self, half: HalfOpen) {
        let mut frames = Frames::default();
        match self.enter(half, &mut frames).await {
            // A task of its own: this one is as large as a handshake.
            Ok(member) => drop(actix_web::rt::spawn(self.run(member, frames))),
            Err(code) => {
                let outbox = self.ending.channel.socket().outbox();
                outbox.end(code.map(wire::close));
            }
        }
    }

    /// Opens the link and joins, unless the session ended meanwhile.
    async fn enter(
        &mut self,
        half: HalfOpen,
        frames: &mut Frames,
    ) -> Result<Membership, Option<u16>> {
        let channel = Arc::clone(&self.ending.channel);
        self.ending.key = link::open(half, &channel, frames, &mut self.payload).await?;
        let joined = Membership::join(&self.app, &self.who, Arc::clone(channel.socket())).await;
        let member = joined.map_err(|problem| Some(link::unable(&problem)))?;
        // Whoever ended the session before it joined did not find it.
        match self.app.sessions().find(self.who.session().id()).await {
            Ok(Some(_)) => Ok(member),
            Ok(None) => Err(Some(close::SESSION_OVER)),
            Err(fault) => Err(Some(link::unable(&Problem::from(&fault)))),
        }
    }

    fn run(self, member: Membership, frames: Frames) -> impl Future<Output = ()> {
        let connection = Connection {
            ending: self.ending,
            app: self.app,
            who: self.who,
            origin: self.origin,
            member,
            malformed: 0,
            silent_pings: 0,
        };
        connection.run(self.payload, frames)
    }
}

/// A socket's task.
pub(super) struct Connection {
    /// Dropped first: nothing is written to a socket that has left.
    ending: Ending,
    pub(super) app: Arc<App>,
    pub(super) who: SignedIn,
    /// The request that opened the socket, with the arrival time of the frames in progress.
    origin: Origin,
    pub(super) member: Membership,
    malformed: u32,
    silent_pings: u32,
}

/// Ends a socket's channel when its task ends, in whichever way.
struct Ending {
    app: Arc<App>,
    channel: Arc<Channel>,
    /// What the next link of the live session may begin with.
    key: Option<PskId>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let (socket, now) = (self.channel.socket(), self.app.ambient().now());
        self.app.links().left(socket, self.key, now);
        self.channel.end();
    }
}

impl Connection {
    async fn run(mut self, mut payload: Payload, mut incoming: Frames) {
        if let Err(problem) = self.member.hello().await {
            self.member.socket().outbox().begin(None);
            self.refuse(Asked::Frame, None, &problem).await;
            self.member.socket().close(close::SHUTTING_DOWN);
        }
        let mut pings = tokio::time::interval(Duration::from_secs(PING_SECS));
        pings.tick().await;
        let socket = Arc::clone(self.member.socket());
        // What came behind the handshake.
        if let Err(code) = self.take(&mut incoming).await {
            return socket.outbox().end(code.map(wire::close));
        }
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
                () = socket.has_due() => self.deliver().await,
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
                Ok(Some(Incoming::Binary(mut bytes))) => {
                    let channel = Arc::clone(&self.ending.channel);
                    match channel.open(&mut bytes) {
                        Ok(Some(text)) if text.first() == Some(&b'{') => self.text(text).await?,
                        Ok(Some(object)) => self.binary(object).await?,
                        Ok(None) => {}
                        Err(LinkError::OutOfOrder) => return Err(Some(close::MISUSE)),
                        Err(_) => return Err(Some(close::LINK)),
                    }
                }
                // Nothing but frames of the link; after a broken frame nobody knows where the next begins.
                Ok(Some(Incoming::Text | Incoming::Unfit)) | Err(_) => {
                    self.app.metrics().malformed_frame();
                    return Err(Some(close::MISUSE));
                }
            }
        }
    }

    async fn text(&mut self, text: &[u8]) -> Result<(), Option<u16>> {
        match serde_json::from_slice(text) {
            Ok(said) => {
                self.said(said).await;
                Ok(())
            }
            Err(_) => self.unfit("The frame is no JSON of a known kind.").await,
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
        self.caller().refuse(re, id, problem).await;
    }

    /// Whoever is at this socket.
    pub(super) fn caller(&self) -> Caller<'_> {
        Caller {
            app: &self.app,
            who: &self.who,
            origin: &self.origin,
            socket: self.member.socket(),
        }
    }
}
