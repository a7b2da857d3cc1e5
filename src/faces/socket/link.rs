//! Opens a socket's link: the handshake's messages, in their order and their time.
//!
//! Specification: `docs/protocol/link.md#handshake`.

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, ORIGIN};
use actix_web::web::Payload;
use bytes::BytesMut;
use protocol::link::PskId;

use crate::app::Problem;
use crate::app::links::{HalfOpen, Opened, Refused};
use crate::config::PublicUrl;
use api::{Code, close};

use super::channel::Channel;
use super::wire::{Frames, Incoming};

/// Close code of a server that could not look something up, as RFC 6455 has it.
const INTERNAL: u16 = 1011;

/// The origin by which a client reached the server: its page's, or that of the address that it asked.
///
/// On plain HTTP the server has several names for itself; over TLS it is the public address.
pub(super) fn origin(request: &HttpRequest, public: &PublicUrl) -> String {
    let header = |name| {
        let value = request.headers().get(name)?;
        value.to_str().ok()
    };
    let scheme = if public.is_https() { "https" } else { "http" };
    let asked = || header(HOST).map(|host| format!("{scheme}://{host}"));
    let told = header(ORIGIN).map(str::to_owned).or_else(asked);
    told.filter(|origin| public.is_origin(origin))
        .unwrap_or_else(|| public.origin().to_owned())
}

/// Opens the link; gives the name of what the next one may begin with. An error is the code to close with,
/// where there is one.
pub(super) async fn open(
    half: HalfOpen,
    channel: &Channel,
    frames: &mut Frames,
    payload: &mut Payload,
) -> Result<Option<PskId>, Option<u16>> {
    let over = half.over();
    let handshake = Box::pin(handshake(half, channel, frames, payload));
    let link = tokio::select! {
        link = handshake => link?,
        () = over => return Err(Some(close::LINK)),
    };
    channel.start(link.link);
    Ok(link.key)
}

async fn handshake(
    half: HalfOpen,
    channel: &Channel,
    frames: &mut Frames,
    payload: &mut Payload,
) -> Result<Opened, Option<u16>> {
    channel.greet(half.hello());
    let open = message(frames, payload).await?;
    let (answered, opened) = half.answer(&open).map_err(|refused| code(&refused))?;
    channel.greet(&opened);
    let proof = message(frames, payload).await?;
    let proved = answered.prove(&proof).await;
    let opened = proved.map_err(|refused| code(&refused))?;
    channel.greet(&opened.active);
    Ok(opened)
}

fn code(refused: &Refused) -> Option<u16> {
    match refused {
        Refused::Link(error) => {
            tracing::debug!(%error, "a link was refused");
            Some(close::LINK)
        }
        Refused::Server(problem) => Some(unable(problem)),
    }
}

/// The code of a socket that cannot go on although the client did nothing wrong.
pub(super) fn unable(problem: &Problem) -> u16 {
    match problem.code() {
        Code::TooManyRequests => close::TOO_MUCH,
        Code::SignedOut => close::SESSION_OVER,
        _ => INTERNAL,
    }
}

/// Waits for the next message of the client.
async fn message(frames: &mut Frames, payload: &mut Payload) -> Result<BytesMut, Option<u16>> {
    loop {
        match frames.next() {
            Ok(Some(Incoming::Binary(message))) => return Ok(message),
            Ok(Some(Incoming::Ping(_) | Incoming::Pong)) => {}
            Ok(Some(Incoming::Close)) => return Err(Some(1000)),
            Ok(Some(Incoming::Text | Incoming::Unfit)) | Err(_) => {
                return Err(Some(close::MISUSE));
            }
            Ok(None) if frames.receive(payload).await => {}
            Ok(None) => return Err(None),
        }
    }
}
