//! The server: listeners, workers, and the guard around the application.

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{ConnectionType, HttpService, Request, Response};
use actix_rt::net::TcpStream;
use actix_server::Server;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_service,
    map_config,
};
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::AppConfig;
use actix_web::http::{StatusCode, header};

use super::body::GuardedBody;
use super::connection::Connection;
use super::intake::Found;
use super::payload::GuardedPayload;
use super::places::{self, Places};
use super::stream::Guarded;
use super::transport::Transport;

/// Bounds of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Worker threads.
    pub workers: usize,
    /// Connections for each worker at once; more wait until they are accepted.
    pub connections_per_worker: usize,
    /// Connections of all workers at once; more are refused.
    pub connections: usize,
    /// How long a connection may stay idle between requests.
    pub keep_alive: Duration,
    /// How long a client may take to send a request's head.
    pub request_head: Duration,
    /// How long a client may take to close.
    pub disconnect: Duration,
    /// How long requests under way may take when the server shuts down; whole seconds.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            connections_per_worker: 25_000,
            connections: usize::MAX,
            keep_alive: Duration::from_secs(75),
            request_head: Duration::from_secs(10),
            disconnect: Duration::from_secs(2),
            shutdown: Duration::from_secs(5),
        }
    }
}

/// File descriptors that are not for connections: the database's files, logs, sockets of the
/// server's own, and connections that are being refused.
const OWN_DESCRIPTORS: u64 = 44;

/// The same for each worker.
const WORKER_DESCRIPTORS: u64 = 4;

/// Connections that may be in the course of being refused, for each worker.
const REFUSED_AT_ONCE: usize = 8;

impl Limits {
    /// Leaves enough of the process's file descriptors for everything that is no connection.
    ///
    /// First asks for as many descriptors as the system allows.
    pub fn within_descriptors(self) -> Self {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        let now = match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit.maximum,
            Err(_) => limit.current,
        };
        self.within(now)
    }

    fn within(mut self, descriptors: Option<u64>) -> Self {
        let Some(descriptors) = descriptors else {
            return self;
        };
        let own = OWN_DESCRIPTORS + WORKER_DESCRIPTORS * self.workers as u64;
        let left = descriptors.saturating_sub(own).max(4);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        if left < 256 {
            tracing::warn!(
                connections = left,
                descriptors,
                "few file descriptors: few connections; raise LimitNOFILE or `ulimit -n`"
            );
        }
        self.connections = self.connections.min(left);
        let accepted = self.connections.saturating_add(REFUSED_AT_ONCE);
        self.connections_per_worker = self.connections_per_worker.min(accepted);
        self
    }
}

/// Starts to serve an application on listeners, over TLS when there is a configuration for it.
///
/// Bodies in both directions pass the dispatcher's buffers by; see the [module](super). The peer's
/// address reaches handlers as usual. Signals are left to the caller: stop by the server's handle.
pub fn serve<F, I, S, B>(
    listeners: Vec<TcpListener>,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: &Limits,
    application: F,
) -> io::Result<Server>
where
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
    let places = Places::new(limits.connections);
    for listener in listeners {
        let application = application.clone();
        let places = places.clone();
        let tls = tls.clone();
        let limits = limits.clone();
        let stopping = stopping.clone();
        let address = listener.local_addr()?;
        builder = builder.listen(format!("http-{address}"), listener, move || {
            let tls = tls.clone();
            let places = places.clone();
            let stopping = stopping.clone();
            let connect = move |socket: TcpStream| {
                let tls = tls.clone();
                let place = places.take();
                async move {
                    let Some(place) = place else {
                        let error = places::refuse(socket, tls.is_some()).await;
                        return Err(DispatchError::Io(error));
                    };
                    let peer = socket.peer_addr().ok();
                    let transport = Transport::accept(socket, tls).await;
                    let stream = transport.and_then(Guarded::new);
                    stream
                        .map(|stream| (stream.in_place(place), peer))
                        .map_err(DispatchError::Io)
                }
            };
            let application = application()
                .into_factory()
                .map_err(|error| error.into().error_response());
            let application = map_config(application, |()| AppConfig::default());
            let guarded = apply_fn_factory(application, guard);
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .keep_alive(limits.keep_alive)
                .client_request_timeout(limits.request_head)
                .client_disconnect_timeout(limits.disconnect)
                .local_addr(address)
                .on_connect_ext(|stream: &Guarded<Transport>, data| {
                    data.insert(stream.connection());
                })
                .h1(guarded);
            fn_service(connect).and_then(http)
        })?;
    }
    Ok(builder.run())
}

type Body<B> = EitherBody<GuardedBody<B>, B>;

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
    let connection = request.conn_data::<Connection>().cloned();
    let found = connection.as_ref().map_or(Found::Unfollowed, |c| {
        c.with(|passing| passing.intake.serve_next())
    });
    let request = match (found, &connection) {
        (Found::Body(number), Some(connection)) => {
            let connection = connection.clone();
            let (mut request, stand_in) = request.replace_payload(actix_http::Payload::None);
            *request.payload() = GuardedPayload::replace(stand_in, connection, number);
            request
        }
        _ => request,
    };
    let response = application.call(request);
    async move {
        let mut response: Response<B> = response.await?.into();
        if found == Found::Unfollowed {
            // Its body may be in the buffers; they are freed, and wiped, with the connection.
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
        let connection = connection.filter(|_| is_opaque(&response));
        Ok(response.map_body(|_, body| match connection {
            Some(connection) => EitherBody::left(GuardedBody::new(body, connection)),
            None => EitherBody::right(body),
        }))
    }
}

/// Says whether a response carries sealed bytes: a parcel, or the frames of a WebSocket.
fn is_opaque<B>(response: &Response<B>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    response.status() == StatusCode::SWITCHING_PROTOCOLS
        || kind.is_some_and(|kind| kind == "application/octet-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_the_files_of_the_database() {
        let limits = Limits {
            workers: 2,
            ..Limits::default()
        };
        let few = limits.clone().within(Some(128));
        assert_eq!(few.connections, 128 - 44 - 8);
        assert_eq!(few.connections_per_worker, few.connections + 8);
        assert_eq!(limits.clone().within(Some(10)).connections, 4);
        let many = limits.clone().within(Some(1 << 20));
        assert_eq!(many.connections_per_worker, 25_000);
        assert_eq!(limits.clone().within(None), limits);
    }
}
