//! The server: listeners, workers, and the guard around the application.

use std::cell::OnceCell;
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_codec::Framed;
use actix_http::error::DispatchError;
use actix_http::h1::Codec;
use actix_http::{ConnectionType, HttpService, Request, Response};
use actix_rt::net::TcpStream;
use actix_server::Server;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_factory,
    fn_service, map_config,
};
use actix_web::ResponseError;
use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::AppConfig;
use actix_web::http::{Method, StatusCode, header};

use futures_util::future::LocalBoxFuture;

use crate::app::Problem;

use super::body::{Answer, Turn, Way};
use super::connection::Connection;
use super::give_back::GiveBack;
use super::intake::Found;
use super::limits::Limits;
use super::payload::GuardedPayload;
use super::places::{self, Places};
use super::stream::Guarded;
use super::transport::Transport;
use super::upgrade::HandedOver;

/// Starts to serve an application on listeners, over TLS when there is a configuration for it.
///
/// Bodies in both directions pass the dispatcher's buffers by; see the [module](super). The peer's
/// address reaches handlers as usual. Connections that end by a request that cannot be read are
/// counted in `unreadable`. A client that asks whether its body is wanted (`Expect: 100-continue`) hears
/// at once what `refusal` says. Signals are left to the caller: stop by the server's handle.
pub fn serve<E, F, I, S, B>(
    listeners: Vec<TcpListener>,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: &Limits,
    unreadable: &Arc<AtomicU64>,
    refusal: E,
    application: F,
) -> io::Result<Server>
where
    E: Fn(&Request) -> Option<Problem> + Send + Clone + 'static,
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let mut builder = Server::build()
        .workers(limits.workers)
        .max_concurrent_connections(limits.connections_per_worker)
        .shutdown_timeout(limits.shutdown.as_secs())
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let places = Places::new(limits);
    let closings = Arc::new(GiveBack::default());
    tokio::spawn(Arc::clone(&closings).run());
    for listener in listeners {
        let application = application.clone();
        let places = places.clone();
        let closings = Arc::clone(&closings);
        let tls = tls.clone();
        let limits = limits.clone();
        let stopping = stopping.clone();
        let unreadable = Arc::clone(unreadable);
        let refusal = refusal.clone();
        let address = listener.local_addr()?;
        builder = builder.listen(format!("http-{address}"), listener, move || {
            let tls = tls.clone();
            let places = places.clone();
            let closings = Arc::clone(&closings);
            let stopping = stopping.clone();
            let waits = limits.waits;
            let connect = move |socket: TcpStream| {
                let tls = tls.clone();
                let peer = socket.peer_addr().ok();
                let place = places.take(peer.map(|peer| peer.ip()));
                let open = closings.open();
                async move {
                    let Some(place) = place else {
                        let error = places::refuse(socket, tls.is_some()).await;
                        return Err(DispatchError::Io(error));
                    };
                    let transport = Transport::accept(socket, tls).await;
                    let stream = transport.and_then(|inner| Guarded::new(inner, waits));
                    stream
                        .map(|stream| (stream.in_place(place, open), peer))
                        .map_err(DispatchError::Io)
                }
            };
            let application = application()
                .into_factory()
                .map_err(|error| error.into().error_response());
            let application = map_config(application, |()| AppConfig::default());
            let guarded = Rc::new(apply_fn_factory(application, guard));
            // One instance for both: the dispatcher's requests, and those that it hands over.
            let shared = Rc::new(OnceCell::new());
            let instance = Rc::clone(&shared);
            let guarded = fn_factory(move || {
                let (guarded, instance) = (Rc::clone(&guarded), Rc::clone(&instance));
                async move {
                    let made = Rc::new(guarded.new_service(()).await?);
                    let _first = instance.set(Rc::clone(&made));
                    Ok::<_, S::InitError>(made)
                }
            });
            let disconnect = limits.disconnect;
            let upgrade = move |(request, framed): (Request, Framed<Guarded<Transport>, Codec>)| {
                let ended = shared
                    .get()
                    .map(|instance: &Rc<_>| hand_over(request, framed, &**instance, disconnect));
                async move {
                    if let Some(ended) = ended {
                        // What a client's connection ends with is no news.
                        let _ended = ended.await;
                    }
                    Ok::<_, actix_http::Error>(())
                }
            };
            let refusal = refusal.clone();
            let asked = move |request: Request| {
                let refused = refusal(&request).map(|problem| closing(&problem));
                std::future::ready(refused.map_or(Ok(request), Err))
            };
            let http = HttpService::build()
                .expect(fn_service(asked))
                .upgrade(fn_service(upgrade))
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .keep_alive(limits.keep_alive)
                // The stream does this, for every head of a connection.
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(limits.disconnect)
                .local_addr(address)
                .on_connect_ext(|stream: &Guarded<Transport>, data| {
                    data.insert(stream.connection());
                })
                .h1(guarded);
            let unreadable = Arc::clone(&unreadable);
            fn_service(connect).and_then(http).map_err(move |error| {
                if matches!(error, DispatchError::Parse(_)) {
                    unreadable.fetch_add(1, Ordering::Relaxed);
                }
                error
            })
        })?;
    }
    Ok(builder.run())
}

/// Serves the last request of a connection, which asks for another protocol.
///
/// What stays as long as the connection is small: the rest is in boxes that end before.
fn hand_over<S, B>(
    request: Request,
    framed: Framed<Guarded<Transport>, Codec>,
    application: &S,
    disconnect: Duration,
) -> LocalBoxFuture<'static, io::Result<()>>
where
    S: Service<Request, Response = Response<B>>,
    S::Error: Into<Response<BoxBody>>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    let parts = framed.into_parts();
    let connection = HandedOver::new(parts.io, &parts.write_buf);
    let response = application.call(request);
    let response = Box::pin(async move {
        match response.await {
            Ok(response) => response.map_into_boxed_body(),
            Err(error) => error.into(),
        }
    });
    Box::pin(connection.serve(Box::new(parts.codec), response, disconnect))
}

type Body<B> = EitherBody<Answer<B>, BoxBody>;

/// Serves one request with its body taken from, and its response's body given to, the stream.
fn guard<S, B>(
    request: Request,
    application: &S,
) -> impl Future<Output = Result<Response<Body<B>>, S::Error>> + use<S, B>
where
    S: Service<Request>,
    S::Response: Into<Response<B>>,
    B: MessageBody,
{
    let is_head = request.method() == Method::HEAD;
    let accepted = accept(&request);
    let request = match &accepted {
        Ok(Accepted {
            connection,
            found: Found::Body(number),
            ..
        }) => {
            let (mut request, stand_in) = request.replace_payload(actix_http::Payload::None);
            *request.payload() = GuardedPayload::replace(stand_in, connection.clone(), *number);
            request
        }
        _ => request,
    };
    let response = accepted.map(|accepted| (accepted, application.call(request)));
    async move {
        let (
            Accepted {
                connection,
                found,
                asks_to_switch,
            },
            response,
        ) = match response {
            Ok(begun) => begun,
            Err(refused) => return Ok(refused.map_body(|_, body| EitherBody::right(body))),
        };
        let turn = Turn::of(connection.clone());
        let mut response: Response<B> = response.await?.into();
        let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        // A body that was not followed may be in the buffers; they are freed, and wiped, with the
        // connection.
        if found == Found::Unfollowed || (asks_to_switch && !switches) {
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
        if switches {
            connection.with(|passing| passing.intake.switch());
        }
        let handed_over = connection.with(|passing| passing.handed_over);
        let way = if is_head {
            Way::Silent
        } else if !handed_over && is_opaque(&response) {
            Way::Guarded
        } else {
            Way::Open
        };
        Ok(response.map_body(|_, body| EitherBody::left(Answer::new(body, way, connection, turn))))
    }
}

/// A request that reaches the application.
struct Accepted {
    connection: Connection,
    found: Found,
    /// Whether the connection becomes one of another protocol if the application agrees, and ends
    /// with the response if it does not: the dispatcher reads no further request then.
    asks_to_switch: bool,
}

/// Finds what belongs to a request; or the response that it gets where it can have no other.
fn accept(request: &Request) -> Result<Accepted, Response<BoxBody>> {
    let Some(connection) = request.conn_data::<Connection>().cloned() else {
        return Err(closing(&Problem::internal(
            &"a connection without its stream",
        )));
    };
    let (found, is_endless) = connection.with(|passing| {
        let found = passing.intake.serve_next();
        (found, passing.intake.is_asked_to_switch())
    });
    // Its body would end with the connection, and whoever read it would wait for that.
    if is_endless && request.method() != Method::GET {
        return Err(closing(&Problem::malformed(
            "Only a GET request can become a WebSocket; leave out its Upgrade header.",
        )));
    }
    Ok(Accepted {
        connection,
        found,
        asks_to_switch: is_endless || request.head().upgrade(),
    })
}

fn closing(problem: &Problem) -> Response<BoxBody> {
    let mut response: Response<BoxBody> = problem.error_response().into();
    let head = response.head_mut();
    head.set_connection_type(ConnectionType::Close);
    response
}

/// Says whether a response carries sealed bytes: a parcel. What is sent in chunks is framed by the
/// dispatcher, and no stand-in can be told from the framing.
fn is_opaque<B: MessageBody>(response: &Response<B>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let octets = kind.is_some_and(|kind| kind == "application/octet-stream");
    octets && matches!(response.body().size(), BodySize::Sized(_))
}
