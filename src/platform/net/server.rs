//! The server: listeners, workers, and the guard around the application.

use std::cell::OnceCell;
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_codec::Framed;
use actix_http::error::DispatchError;
use actix_http::h1::Codec;
use actix_http::{ConnectionType, HttpMessage, HttpService, Request, Response};
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
use actix_web::web::Bytes;
use futures_util::future::LocalBoxFuture;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use crate::app::Problem;

use super::gate::{Gate, Turn};
use super::give_back::GiveBack;
use super::limits::Limits;
use super::places::{self, Places};
use super::stream::Guarded;
use super::upgrade::HandedOver;

/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Starts to serve an application on listeners, over TLS when there is a configuration for it.
///
/// The peer's address reaches handlers as usual. Connections that end by a request that cannot be read are
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
                    let transport = accept(socket, tls).await.map_err(DispatchError::Io)?;
                    Ok((Guarded::new(transport, waits, place, open), peer))
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
                    data.insert(stream.gate());
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

/// The socket, with or without TLS; boxed, so that a connection without it does not take its room.
type Transport = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Agrees on TLS where there is a configuration for it.
async fn accept(
    socket: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> io::Result<Transport> {
    socket.set_nodelay(true)?;
    let Some(config) = tls else {
        return Ok(Either::Left(socket));
    };
    let accepted = Box::pin(TlsAcceptor::from(config).accept(socket));
    let accepted = Box::pin(tokio::time::timeout(HANDSHAKE, accepted)).await??;
    Ok(Either::Right(Box::new(accepted)))
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
    let (connection, request) = HandedOver::new(framed, request);
    // Its body would end with the connection, and whoever read it would wait for that.
    if request.method() != Method::GET {
        let refused = closing(&Problem::malformed(
            "Only a GET request can become a WebSocket; leave out its Upgrade header.",
        ));
        return Box::pin(connection.answer(refused, disconnect));
    }
    request.extensions_mut().insert(Last);
    let response = Box::pin(application.call(request));
    Box::pin(async move {
        let response = match response.await {
            Ok(response) => response.map_into_boxed_body(),
            Err(error) => error.into(),
        };
        connection.answer(response, disconnect).await
    })
}

/// Marks the request with which a connection was handed over.
struct Last;

/// Serves one request, behind which the next one waits until its response is complete.
fn guard<S, B>(
    request: Request,
    application: &S,
) -> impl Future<Output = Result<Response<EitherBody<Answer<B>, BoxBody>>, S::Error>> + use<S, B>
where
    S: Service<Request>,
    S::Response: Into<Response<B>>,
    B: MessageBody,
{
    let gate = request.conn_data::<Gate>().cloned();
    let handed_over = request.extensions().contains::<Last>();
    // The dispatcher answers no further request behind one that asks for another protocol, and it alone judges
    // chunks.
    let is_last = handed_over
        || request.head().upgrade()
        || request
            .head()
            .headers()
            .contains_key(header::TRANSFER_ENCODING);
    let begun = gate.map(|gate| {
        if handed_over {
            gate.hand_over();
        }
        let turn = gate.serve(&request, is_last);
        (gate, turn, application.call(request))
    });
    async move {
        let Some((gate, turn, response)) = begun else {
            let problem = Problem::internal(&"a connection without its stream");
            return Ok(closing(&problem).map_body(|_, body| EitherBody::right(body)));
        };
        let mut response: Response<B> = response.await?.into();
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            if !handed_over {
                let refused = Problem::malformed(
                    "A request for a WebSocket has no body; leave out its Transfer-Encoding header.",
                );
                return Ok(closing(&refused).map_body(|_, body| EitherBody::right(body)));
            }
            gate.switch();
        } else if is_last {
            let head = response.head_mut();
            head.set_connection_type(ConnectionType::Close);
        }
        Ok(response.map_body(|_, body| {
            EitherBody::left(Answer {
                body: Box::pin(body),
                rest: Bytes::new(),
                _turn: turn,
            })
        }))
    }
}

/// The most bytes that the dispatcher copies into its buffer at once.
const PIECE: usize = 16 * 1024;

/// A response's body in small pieces, and the turn that ends with it.
struct Answer<B> {
    body: Pin<Box<B>>,
    /// What is left of the latest piece.
    rest: Bytes,
    _turn: Turn,
}

impl<B: MessageBody> MessageBody for Answer<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(this.body.as_mut().poll_next(cx)) {
                Some(Ok(piece)) => this.rest = piece,
                ended => return Poll::Ready(ended),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(piece)))
    }
}

fn closing(problem: &Problem) -> Response<BoxBody> {
    let mut response: Response<BoxBody> = problem.error_response().into();
    let head = response.head_mut();
    head.set_connection_type(ConnectionType::Close);
    response
}
