//! The loop that carries out what the core asks for.

use std::collections::VecDeque;
use std::time::Duration;

use ambient::{Clock, Rng, SystemClock};
use client::{Command, Config, Core, Event, Input, Output};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::error::{ApiError, HeadlessError};
use crate::net::Net;
use crate::profile::Profile;
use crate::socket::{ApiSocket, Frame};

/// What goes wrong only when a peer keeps silent: the longest a single request may take.
const HTTP_PATIENCE: Duration = Duration::from_secs(60);

/// A whole client without a screen.
#[derive(Debug)]
pub struct Headless {
    orders: mpsc::UnboundedSender<Input>,
    events: mpsc::UnboundedReceiver<Event>,
    seen: VecDeque<Event>,
    profile: Profile,
    base_url: String,
}

impl Headless {
    /// Starts a client with an empty profile; must be called inside a tokio runtime.
    pub async fn connect(base_url: &str) -> Result<Self, HeadlessError> {
        Self::open(base_url, Profile::default()).await
    }

    /// Starts a client in an existing profile: another tab, or the same one after a reload.
    pub async fn open(base_url: &str, profile: Profile) -> Result<Self, HeadlessError> {
        let net = Net::new(base_url)?;
        let (orders, order_queue) = mpsc::unbounded_channel();
        let (event_sink, events) = mpsc::unbounded_channel();
        let config = Config {
            origin: net.address.origin(),
        };
        let base_url = net.address.base().to_owned();
        let mut runner = Runner {
            core: Core::new(config, Box::new(Rng::system())),
            net,
            clock: SystemClock::start(),
            profile: profile.clone(),
            events: event_sink,
            feed: orders.downgrade(),
            socket: None,
            wake: None,
        };
        tokio::spawn(async move { runner.run(order_queue).await });
        let client = Self {
            orders,
            events,
            seen: VecDeque::new(),
            profile,
            base_url,
        };
        client.command(Command::Start)?;
        Ok(client)
    }

    /// Hands a command to the core.
    pub fn command(&self, command: Command) -> Result<(), HeadlessError> {
        self.orders
            .send(Input::Command(command))
            .map_err(|_| HeadlessError::Closed)
    }

    /// Cookies and stored values.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The server's address.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The first event that the predicate likes; those before it are dropped.
    pub async fn next_event(
        &mut self,
        mut like: impl FnMut(&Event) -> bool,
        patience: Duration,
    ) -> Result<Event, HeadlessError> {
        let deadline = Instant::now() + patience;
        let mut passed = Vec::new();
        loop {
            let event = match self.seen.pop_front() {
                Some(event) => event,
                None => match tokio::time::timeout_at(deadline, self.events.recv()).await {
                    Ok(Some(event)) => event,
                    Ok(None) => return Err(HeadlessError::Closed),
                    Err(_) => return Err(HeadlessError::TimedOut(patience, passed)),
                },
            };
            if like(&event) {
                return Ok(event);
            }
            let mut line = format!("{event:?}");
            line.truncate(160);
            passed.push(line);
        }
    }

    /// Every event until now, for tests that assert absence.
    pub fn drain_events(&mut self) -> Vec<Event> {
        let mut all: Vec<Event> = self.seen.drain(..).collect();
        while let Ok(event) = self.events.try_recv() {
            all.push(event);
        }
        all
    }

    /// Ends the client without a word to the server, as closing the only tab does; keeps the profile.
    #[must_use]
    pub fn abandon(self) -> Profile {
        self.profile
    }
}

struct Runner {
    core: Core,
    clock: SystemClock,
    net: Net,
    profile: Profile,
    events: mpsc::UnboundedSender<Event>,
    /// For the answers of requests; weak, so that the runner ends with its [`Headless`].
    feed: mpsc::WeakUnboundedSender<Input>,
    socket: Option<ApiSocket>,
    wake: Option<u64>,
}

impl Runner {
    async fn run(&mut self, mut orders: mpsc::UnboundedReceiver<Input>) {
        loop {
            let sleep = self.wake.map_or(Duration::from_secs(3_600), |at| {
                Duration::from_millis(at.saturating_sub(self.clock.now_ms()))
            });
            let input = tokio::select! {
                order = orders.recv() => match order {
                    Some(input) => input,
                    None => return,
                },
                frame = next_frame(self.socket.as_mut()) => match frame {
                    Frame::Binary(bytes) => Input::SocketFrame(bytes),
                    Frame::Closed(code) => {
                        self.socket = None;
                        Input::SocketClosed { code }
                    }
                },
                () = tokio::time::sleep(sleep) => {
                    self.wake = None;
                    Input::Tick
                }
            };
            self.feed(input).await;
        }
    }

    async fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.core.handle(input, self.clock.now_ms()) {
                if let Some(more) = self.carry_out(output).await {
                    inputs.push_back(more);
                }
            }
        }
    }

    async fn carry_out(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Http {
                id,
                method,
                path,
                content_type,
                body,
            } => {
                self.request(id, method, path, content_type, body.to_vec());
                None
            }
            Output::SocketConnect { live_id } => {
                self.socket = None;
                match ApiSocket::open(&self.net.address, &self.profile, &live_id).await {
                    Ok(socket) => {
                        self.socket = Some(socket);
                        None
                    }
                    Err(ApiError::SocketRefused { status, body }) => {
                        Some(Input::SocketRefused { status, body })
                    }
                    Err(_) => Some(Input::SocketClosed { code: 1006 }),
                }
            }
            Output::SocketFrame(bytes) => {
                let sent = match self.socket.as_mut() {
                    Some(socket) => socket.send(bytes).await.is_ok(),
                    None => true,
                };
                self.broken_unless(sent)
            }
            Output::SocketDisconnect => {
                if let Some(socket) = self.socket.take() {
                    socket.close().await;
                }
                None
            }
            Output::Store { key, value, .. } => {
                self.profile.store(key, value);
                None
            }
            Output::Load { key, .. } => {
                let value = self.profile.load(&key);
                Some(Input::Stored { key, value })
            }
            Output::Erase { key } => {
                self.profile.erase(&key);
                None
            }
            Output::WakeAt(at) => {
                self.wake = Some(at);
                None
            }
            Output::Wiped { .. } => None,
            Output::Event(event) => {
                // Nobody listens any more only while the client is being dropped.
                let _closing = self.events.send(event);
                None
            }
        }
    }

    fn broken_unless(&mut self, sent: bool) -> Option<Input> {
        if sent {
            return None;
        }
        self.socket = None;
        Some(Input::SocketClosed { code: 1006 })
    }

    fn request(
        &self,
        id: u64,
        method: &'static str,
        path: String,
        content_type: Option<&'static str>,
        body: Vec<u8>,
    ) {
        let (net, profile, feed) = (self.net.clone(), self.profile.clone(), self.feed.clone());
        tokio::spawn(async move {
            let call = net.call(&profile, method, &path, content_type, body);
            let input = match tokio::time::timeout(HTTP_PATIENCE, call).await {
                Ok(Ok(response)) => Input::Http {
                    id,
                    status: response.status,
                    body: response.body,
                },
                Ok(Err(_)) | Err(_) => Input::HttpFailed { id },
            };
            if let Some(feed) = feed.upgrade() {
                let _closing = feed.send(input);
            }
        });
    }
}

async fn next_frame(socket: Option<&mut ApiSocket>) -> Frame {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}
