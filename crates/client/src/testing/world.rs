//! Browsers, tabs and time around one server.

use std::collections::{BTreeMap, VecDeque};

use api::Code;
use protocol::ids::UserId;
use serde_json::Value;
use zeroize::Zeroizing;

use super::accounts::{DONE, problem};
use super::link::{Heard, ORIGIN};
use super::rng::SeededRng;
use super::server::{FakeServer, Reply};
use crate::command::Command;
use crate::config::Config;
use crate::core::Core;
use crate::event::{Event, Phase};
use crate::input::Input;
use crate::output::Output;
use crate::unsent::Unsent;

/// What a browser keeps over a reload.
#[derive(Default)]
struct Browser {
    cookie: Option<u64>,
    stored: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

/// One core with all its events.
pub struct Tab {
    core: Core,
    browser: usize,
    wake: Option<u64>,
    connected: bool,
    /// What the core gave at its last lock.
    pub unsent: Option<Unsent>,
    /// Every event since the tab was opened.
    pub events: Vec<Event>,
}

impl std::fmt::Debug for Tab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tab").field("core", &self.core).finish()
    }
}

/// A server, browsers with their tabs, and one clock.
pub struct World {
    /// The server.
    pub server: FakeServer,
    /// All tabs, closed ones too.
    pub tabs: Vec<Option<Tab>>,
    browsers: Vec<Browser>,
    inputs: VecDeque<(usize, Input)>,
    seed: u64,
    /// Whether requests reach the server.
    pub network: bool,
    /// Whether sockets open where requests are answered.
    pub sockets: bool,
    /// Whether clients hear how the server refused a socket, as native ones do.
    pub native: bool,
    /// Answers to this request are under way until they are let through.
    pub slow: Option<&'static str>,
    late: Vec<(usize, Input)>,
    /// Requests of this kind are under way to the server until they are let through.
    pub held_up: Option<&'static str>,
    under_way: Vec<(usize, Output)>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

/// 2026-01-01, in the middle of a bucket.
const START_MS: u64 = 1_767_225_650_000;

/// So many frames may be under way before the next one is sealed.
const MOST_AHEAD: usize = 256;

/// The passphrase of everybody.
pub const PASSPHRASE: &str = "six words that nobody has ever said";

impl Default for World {
    fn default() -> Self {
        Self {
            server: FakeServer::new(START_MS, 1),
            tabs: Vec::new(),
            browsers: Vec::new(),
            inputs: VecDeque::new(),
            seed: 100,
            network: true,
            sockets: true,
            native: false,
            slow: None,
            late: Vec::new(),
            held_up: None,
            under_way: Vec::new(),
        }
    }
}

impl World {
    /// Opens a tab in a new browser and starts it.
    pub fn browser(&mut self) -> usize {
        self.browsers.push(Browser::default());
        self.tab_in(self.browsers.len() - 1)
    }

    fn tab_in(&mut self, browser: usize) -> usize {
        self.seed += 1;
        let config = Config {
            origin: ORIGIN.to_owned(),
        };
        self.tabs.push(Some(Tab {
            core: Core::new(config, Box::new(SeededRng::new(self.seed))),
            browser,
            wake: None,
            connected: false,
            unsent: None,
            events: Vec::new(),
        }));
        let tab = self.tabs.len() - 1;
        self.command(tab, Command::Start);
        tab
    }

    /// Closes a tab without a word, then opens it again: memory is gone, the browser's store is not.
    pub fn reload(&mut self, tab: usize) -> usize {
        let browser = self.tab(tab).browser;
        self.close(tab);
        self.tab_in(browser)
    }

    /// Overwrites a core that has locked, as a browser does: another one starts in its place.
    pub fn overwrite(&mut self, tab: usize) {
        self.seed += 1;
        let open = self.tabs[tab].as_mut().expect("an open tab");
        let config = open.core.config.clone();
        open.core = Core::new(config, Box::new(SeededRng::new(self.seed)));
        open.wake = None;
        let unsent = open.unsent.take();
        let sealed = unsent.map(|unsent| Zeroizing::new(unsent.as_bytes().to_vec()));
        let inputs = sealed.map(|sealed| (tab, Input::Unsent(sealed)));
        self.inputs.extend(inputs);
        self.command(tab, Command::Start);
    }

    /// Closes a tab without a word.
    pub fn close(&mut self, tab: usize) {
        self.tabs[tab] = None;
        self.server.disconnect(tab);
    }

    /// A tab.
    #[must_use]
    pub fn tab(&self, tab: usize) -> &Tab {
        self.tabs[tab].as_ref().expect("an open tab")
    }

    /// What the browser of a tab keeps under a key.
    #[must_use]
    pub fn stored(&self, tab: usize, key: &str) -> Option<Vec<u8>> {
        let browser = &self.browsers[self.tab(tab).browser];
        browser.stored.get(key).map(|value| value.to_vec())
    }

    /// Where a tab stands.
    #[must_use]
    pub fn phase(&self, tab: usize) -> Phase {
        self.tab(tab).core.phase()
    }

    /// Gives a command and lets everything settle.
    pub fn command(&mut self, tab: usize, command: Command) {
        self.inputs.push_back((tab, Input::Command(command)));
        self.settle();
    }

    /// Hands any input to a tab and lets everything settle.
    pub fn input(&mut self, tab: usize, input: Input) {
        self.inputs.push_back((tab, input));
        self.settle();
    }

    /// Exchanges the next two announcements of waiting messages to a tab, and those after them likewise. Nothing is
    /// pushed.
    pub fn swap_announcements(&mut self, tab: usize) {
        let mut held = None;
        self.server.delivers = false;
        self.server.tamper = Some(Box::new(move |to, reply| {
            if to != tab || !reply.announces() {
                return vec![reply];
            }
            match held.take() {
                None => {
                    held = Some(reply);
                    Vec::new()
                }
                Some(first) => vec![reply, first],
            }
        }));
    }

    /// Lets answers and requests through that were slow.
    pub fn arrive(&mut self) {
        self.slow = None;
        self.held_up = None;
        for (tab, request) in std::mem::take(&mut self.under_way) {
            self.carry_out(tab, request);
        }
        self.inputs.extend(self.late.drain(..));
        self.settle();
    }

    /// Breaks a tab's socket.
    pub fn cut(&mut self, tab: usize) {
        self.server.disconnect(tab);
        self.input(tab, Input::SocketClosed { code: 1006 });
    }

    /// Lets time pass, waking tabs when they asked to be.
    pub fn advance(&mut self, ms: u64) {
        let end = self.server.now_ms + ms;
        loop {
            let next = self
                .tabs
                .iter()
                .flatten()
                .filter_map(|tab| tab.wake)
                .min()
                .filter(|at| *at <= end);
            self.server.now_ms = next.unwrap_or(end).max(self.server.now_ms);
            self.server.tick();
            self.settle();
            let now = self.server.now_ms;
            for tab in 0..self.tabs.len() {
                let due = self.tabs[tab]
                    .as_ref()
                    .is_some_and(|tab| tab.wake.is_some_and(|at| at <= now));
                if due {
                    self.tabs[tab].as_mut().unwrap().wake = None;
                    self.inputs.push_back((tab, Input::Tick));
                }
            }
            self.settle();
            if next.is_none() {
                return;
            }
        }
    }

    /// Carries everything out until nothing is left to do at this moment.
    pub fn settle(&mut self) {
        loop {
            // A server sends no more than its clients take.
            while self.inputs.len() < MOST_AHEAD
                && let Some((tab, reply)) = self.server.pushed.pop_front()
            {
                self.deliver(tab, None, reply);
            }
            let Some((tab, input)) = self.inputs.pop_front() else {
                return;
            };
            let now_ms = self.server.now_ms;
            let Some(open) = self.tabs[tab].as_mut() else {
                continue;
            };
            if matches!(
                input,
                Input::SocketClosed { .. } | Input::SocketRefused { .. }
            ) {
                open.connected = false;
            }
            for output in open.core.handle(input, now_ms) {
                self.carry_out(tab, output);
            }
        }
    }

    fn carry_out(&mut self, tab: usize, output: Output) {
        let browser = self.tab(tab).browser;
        if self.is_held_up(&output) {
            self.under_way.push((tab, output));
            return;
        }
        match output {
            Output::Http {
                id,
                method,
                path,
                body,
                ..
            } => self.http(tab, id, method, &path, &body),
            Output::SocketConnect { live_id } => {
                let cookie = self.browsers[browser].cookie;
                let live = live_id.parse().unwrap();
                if !self.network || !self.sockets {
                    self.inputs
                        .push_back((tab, Input::SocketClosed { code: 1006 }));
                } else if let Some(hello) = self.server.connect(tab, live, cookie) {
                    self.tabs[tab].as_mut().unwrap().connected = true;
                    self.wire(tab, hello);
                } else if let Some((status, body)) = &self.server.refuse_sockets
                    && self.native
                {
                    let (status, body) = (*status, body.to_string().into_bytes());
                    let refused = Input::SocketRefused { status, body };
                    self.inputs.push_back((tab, refused));
                } else {
                    // As a browser has it: why it was refused is not told.
                    self.inputs
                        .push_back((tab, Input::SocketClosed { code: 1006 }));
                }
            }
            Output::SocketFrame(message) => match self.server.hears(tab, message) {
                Heard::Nothing => {}
                Heard::Answer(answer) => self.wire(tab, answer),
                Heard::Payload(payload) => self.payload(tab, payload),
                Heard::Refused => {
                    self.server.disconnect(tab);
                    let closed = Input::SocketClosed { code: 1008 };
                    self.inputs.push_back((tab, closed));
                }
            },
            Output::SocketDisconnect => {
                self.tabs[tab].as_mut().unwrap().connected = false;
                self.server.disconnect(tab);
            }
            Output::Store { key, value, .. } => {
                self.browsers[browser].stored.insert(key, value);
            }
            Output::Load { key, .. } => {
                let value = self.browsers[browser].stored.get(&key).cloned();
                self.inputs.push_back((tab, Input::Stored { key, value }));
            }
            Output::Erase { key } => {
                self.browsers[browser].stored.remove(&key);
            }
            Output::WakeAt(at) => self.tabs[tab].as_mut().unwrap().wake = Some(at),
            Output::Wiped { unsent } => self.tabs[tab].as_mut().unwrap().unsent = unsent,
            Output::Event(event) => self.tabs[tab].as_mut().unwrap().events.push(event),
        }
    }

    /// What a frame of a tab brought to the server.
    fn payload(&mut self, tab: usize, payload: Vec<u8>) {
        self.server.traffic.push(payload.clone());
        let replies = if payload.starts_with(b"{") {
            match self.tab(tab).connected {
                true => self.server.text(tab, &String::from_utf8(payload).unwrap()),
                false => Vec::new(),
            }
        } else {
            match self.server.sockets.get(&tab).map(|socket| socket.user) {
                Some(user) => self.server.binary(user, &payload),
                None => Vec::new(),
            }
        };
        for reply in replies {
            self.deliver(tab, None, reply);
        }
    }

    /// A message of the link goes to a tab, through the hands of whoever is on the way.
    fn wire(&mut self, tab: usize, message: Vec<u8>) {
        let messages = match self.server.tamper_link.take() {
            None => vec![message],
            Some(mut tamper) => {
                let messages = tamper(tab, message);
                self.server.tamper_link = Some(tamper);
                messages
            }
        };
        let inputs = messages.into_iter().map(Input::SocketFrame);
        self.inputs.extend(inputs.map(|input| (tab, input)));
    }

    /// Seals a payload for a tab, where there is a link.
    fn send(&mut self, tab: usize, payload: Vec<u8>) {
        if let Some(frame) = self.server.seal(tab, &payload) {
            self.server.traffic.push(payload);
            self.wire(tab, frame);
        }
    }

    fn is_held_up(&self, output: &Output) -> bool {
        let Output::Http { method, path, .. } = output else {
            return false;
        };
        self.held_up
            .is_some_and(|held| request(method, path) == held)
    }

    fn http(&mut self, tab: usize, id: u64, method: &str, path: &str, body: &[u8]) {
        if !self.network {
            self.inputs.push_back((tab, Input::HttpFailed { id }));
            return;
        }
        let request = request(method, path);
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        self.server.log.push(format!("{method} {path}"));
        self.server.traffic.push(body.to_vec());
        let browser = self.tab(tab).browser;
        let mut cookie = self.browsers[browser].cookie;
        let parts: Vec<&str> = path.trim_start_matches('/').split(['/', '?']).collect();
        let owner = cookie.and_then(|c| self.server.cookies.get(&c).copied());
        let reply = match (method, parts.as_slice(), owner) {
            ("POST", ["messages", "sealed", ticket], Some(user)) => {
                self.posted(tab, user, request, ticket, body)
            }
            ("GET", ["messages", "sealed", ticket], Some(_)) => {
                let (status, body) = self.server.fetch_sealed(tab, ticket);
                Reply::Octets {
                    request,
                    status,
                    body,
                }
            }
            _ => {
                let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
                let (status, body) = self.server.json(tab, method, path, &body, &mut cookie);
                Reply::Json {
                    request,
                    status,
                    body,
                }
            }
        };
        self.browsers[browser].cookie = cookie;
        self.deliver(tab, Some(id), reply);
    }

    /// A body under a ticket; what becomes of it is told in a frame.
    fn posted(
        &mut self,
        tab: usize,
        user: UserId,
        request: String,
        ticket: &str,
        body: &[u8],
    ) -> Reply {
        let (status, body) = match self.server.unsealed(tab, ticket, body) {
            Some(opened) => {
                self.server.traffic.push(opened.clone());
                for reply in self.server.binary(user, &opened) {
                    self.deliver(tab, None, reply);
                }
                DONE
            }
            None => problem(Code::Gone),
        };
        Reply::Json {
            request,
            status,
            body,
        }
    }

    fn deliver(&mut self, tab: usize, id: Option<u64>, reply: Reply) {
        let replies = match self.server.tamper.take() {
            None => vec![reply],
            Some(mut tamper) => {
                let replies = tamper(tab, reply);
                self.server.tamper = Some(tamper);
                replies
            }
        };
        for reply in replies {
            let is_late = matches!(&reply, Reply::Json { request, .. } if Some(request.as_str()) == self.slow);
            let input = match (reply, id) {
                (Reply::Json { status, body, .. }, Some(id)) => {
                    let body = serde_json::to_vec(&body).unwrap();
                    self.server.traffic.push(body.clone());
                    Input::Http { id, status, body }
                }
                (Reply::Octets { status, body, .. }, Some(id)) => {
                    self.server.traffic.push(body.clone());
                    Input::Http { id, status, body }
                }
                (Reply::Text(value), _) => {
                    self.send(tab, value.to_string().into_bytes());
                    continue;
                }
                (Reply::Binary(bytes), _) => {
                    self.send(tab, bytes);
                    continue;
                }
                (Reply::Close(code), _) => Input::SocketClosed { code },
                (Reply::Json { .. } | Reply::Octets { .. }, None) => continue,
            };
            if is_late {
                self.late.push((tab, input));
            } else {
                self.inputs.push_back((tab, input));
            }
        }
    }
}

/// A request as tests name it: its method and its path below the interface's, without what is asked.
fn request(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let path = path.split('?').next().unwrap_or(path);
    let sealed = "/messages/sealed";
    let path = if path.starts_with(sealed) {
        sealed
    } else {
        path
    };
    format!("{method} {path}")
}
