//! Browsers, tabs and time around one server.

use std::collections::{BTreeMap, VecDeque};

use protocol::ids::UserId;
use serde_json::Value;
use zeroize::Zeroizing;

use super::rng::SeededRng;
use super::server::{FakeServer, Reply};
use crate::command::Command;
use crate::config::Config;
use crate::core::Core;
use crate::event::{ChatView, Event, MessageView, Phase, RequestView};
use crate::id::Id;
use crate::input::Input;
use crate::output::Output;

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
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

/// 2026-01-01, in the middle of a bucket.
const START_MS: u64 = 1_767_225_650_000;

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
        }
    }
}

impl World {
    /// Opens a tab in a new browser and starts it.
    pub fn browser(&mut self) -> usize {
        self.browsers.push(Browser::default());
        self.tab_in(self.browsers.len() - 1)
    }

    /// Opens another tab in the browser of a tab.
    pub fn second_tab(&mut self, tab: usize) -> usize {
        let browser = self.tab(tab).browser;
        self.tab_in(browser)
    }

    fn tab_in(&mut self, browser: usize) -> usize {
        self.seed += 1;
        let config = Config {
            origin: Some("http://127.0.0.1:8080".to_owned()),
        };
        self.tabs.push(Some(Tab {
            core: Core::new(config, Box::new(SeededRng::new(self.seed))),
            browser,
            wake: None,
            connected: false,
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
            while let Some((tab, reply)) = self.server.pushed.pop_front() {
                self.deliver(tab, None, reply);
            }
            let Some((tab, input)) = self.inputs.pop_front() else {
                return;
            };
            let now_ms = self.server.now_ms;
            let Some(open) = self.tabs[tab].as_mut() else {
                continue;
            };
            if matches!(input, Input::SocketClosed { .. }) {
                open.connected = false;
            }
            for output in open.core.handle(input, now_ms) {
                self.carry_out(tab, output);
            }
        }
    }

    fn carry_out(&mut self, tab: usize, output: Output) {
        let browser = self.tab(tab).browser;
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
                if !self.network {
                    self.inputs
                        .push_back((tab, Input::SocketClosed { code: 1006 }));
                } else if self.server.connect(tab, live, cookie) {
                    self.tabs[tab].as_mut().unwrap().connected = true;
                    self.inputs.push_back((tab, Input::SocketOpen));
                } else {
                    self.inputs
                        .push_back((tab, Input::SocketClosed { code: 4401 }));
                }
            }
            Output::SocketText(text) => {
                self.server.traffic.push(text.clone().into_bytes());
                if self.tab(tab).connected {
                    for reply in self.server.text(tab, &text) {
                        self.deliver(tab, None, reply);
                    }
                }
            }
            Output::SocketBinary(bytes) => {
                self.server.traffic.push(bytes.clone());
                let user = self.server.sockets.get(&tab).map(|socket| socket.user);
                if let Some(user) = user {
                    for reply in self.server.binary(user, &bytes) {
                        self.deliver(tab, None, reply);
                    }
                }
            }
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
            Output::Wiped => {}
            Output::Event(event) => self.tabs[tab].as_mut().unwrap().events.push(event),
        }
    }

    fn http(&mut self, tab: usize, id: u64, method: &str, path: &str, body: &[u8]) {
        if !self.network {
            self.inputs.push_back((tab, Input::HttpFailed { id }));
            return;
        }
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        let request = format!("{method} {path}");
        self.server.log.push(request.clone());
        self.server.traffic.push(body.to_vec());
        let browser = self.tab(tab).browser;
        let mut cookie = self.browsers[browser].cookie;
        let parts: Vec<&str> = path.trim_start_matches('/').split(['/', '?']).collect();
        let owner = cookie.and_then(|c| self.server.cookies.get(&c).copied());
        let reply = match (method, parts.as_slice(), owner) {
            ("POST", ["messages"] | ["messages", _, "slots"], Some(user)) => {
                self.posted(user, request, body)
            }
            ("POST", ["messages", message, "claim", ..], Some(_)) => {
                let token: Value = serde_json::from_slice(body).unwrap();
                let token = super::accounts::blob(&token, "token");
                let (status, body) = self.server.fetch(message.parse().unwrap(), &token);
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

    fn posted(&mut self, user: UserId, request: String, body: &[u8]) -> Reply {
        let frame = self.server.binary(user, body).pop();
        let Some(Reply::Text(frame)) = frame else {
            panic!("a text frame");
        };
        let status = if frame["t"] == "refused" { 409 } else { 201 };
        Reply::Json {
            request,
            status,
            body: frame,
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
                    let text = value.to_string();
                    self.server.traffic.push(text.clone().into_bytes());
                    Input::SocketText(text)
                }
                (Reply::Binary(bytes), _) => {
                    self.server.traffic.push(bytes.clone());
                    Input::SocketBinary(bytes)
                }
                (Reply::Close(code), _) => Input::SocketClosed { code },
                (Reply::Json { .. } | Reply::Octets { .. }, None) => continue,
            };
            self.inputs.push_back((tab, input));
        }
    }
}

/// What people do and see.
impl World {
    /// Registers in a new browser and confirms the recovery key; gives tab and recovery key.
    pub fn register(&mut self, handle: &str) -> (usize, String) {
        let tab = self.browser();
        self.command(
            tab,
            Command::Register {
                handle: handle.to_owned(),
                alias: String::new(),
                passphrase: PASSPHRASE.into(),
                setup: None,
                invite: None,
            },
        );
        let key = self.recovery_key(tab);
        self.command(
            tab,
            Command::ConfirmRecoveryKey {
                typed: key.as_str().into(),
            },
        );
        assert_eq!(
            self.phase(tab),
            Phase::Unlocked,
            "{:?}",
            self.tab(tab).events
        );
        (tab, key)
    }

    /// The recovery key that was shown last.
    #[must_use]
    pub fn recovery_key(&self, tab: usize) -> String {
        let shown = self
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::RecoveryKey { recovery_key, .. } => Some(recovery_key.expose().to_owned()),
                _ => None,
            });
        shown.unwrap_or_else(|| panic!("no recovery key: {:?}", self.tab(tab).events))
    }

    /// Signs in in a new browser.
    pub fn sign_in(&mut self, handle: &str) -> usize {
        let tab = self.browser();
        self.command(
            tab,
            Command::SignIn {
                handle: handle.to_owned(),
                passphrase: PASSPHRASE.into(),
                device_name: None,
            },
        );
        tab
    }

    /// Two people who are contacts: (tab, tab, how one names the chat, how the other does).
    pub fn friends(&mut self) -> Friends {
        let (alice, _) = self.register("alice");
        let (bob, _) = self.register("bob");
        self.befriend(alice, bob, "bob");
        let to_bob = self.id("bob");
        let to_alice = self.id("alice");
        Friends {
            alice,
            bob,
            to_bob,
            to_alice,
        }
    }

    /// One asks, the other accepts.
    pub fn befriend(&mut self, asks: usize, accepts: usize, handle: &str) {
        self.command(
            asks,
            Command::RequestContact {
                handle: handle.to_owned(),
                greeting: "hello".into(),
            },
        );
        let request = self.requests(accepts).pop().expect("a request");
        self.command(accepts, Command::AcceptRequest { chat: request.chat });
        self.advance(3_000);
    }

    /// A person's id as chats name it.
    #[must_use]
    pub fn id(&self, handle: &str) -> Id {
        Id::from_bytes(*self.server.user(handle).as_bytes())
    }

    /// Sends a text with the defaults; gives its id.
    pub fn say(&mut self, tab: usize, chat: Id, text: &str) -> Id {
        self.say_with(tab, chat, text, None, None)
    }

    /// Sends a text with a burn rule and a life.
    pub fn say_with(
        &mut self,
        tab: usize,
        chat: Id,
        text: &str,
        burn: Option<crate::command::Burn>,
        life_secs: Option<u32>,
    ) -> Id {
        let tag = format!("tag of {text}");
        self.command(
            tab,
            Command::Send {
                chat,
                text: text.into(),
                burn,
                life_secs,
                tag: Some(tag.clone()),
            },
        );
        let found = self
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Message { message, .. } if message.tag.as_deref() == Some(tag.as_str()) => {
                    Some(message.id)
                }
                _ => None,
            });
        found.unwrap_or_else(|| panic!("not sent: {:?}", self.tab(tab).events))
    }

    /// Says that messages are on the screen.
    pub fn show(&mut self, tab: usize, chat: Id, messages: Vec<Id>) {
        self.command(tab, Command::Shown { chat, messages });
    }

    /// The last view of a message that a tab was told, if it was not removed.
    #[must_use]
    pub fn message(&self, tab: usize, id: Id) -> Option<MessageView> {
        let mut last = None;
        for event in &self.tab(tab).events {
            match event {
                Event::Message { message, .. } if message.id == id => last = Some(message.clone()),
                Event::Conversation { messages, .. } => {
                    if let Some(message) = messages.iter().find(|m| m.id == id) {
                        last = Some(message.clone());
                    }
                }
                Event::MessageRemoved { message, .. } if *message == id => last = None,
                _ => {}
            }
        }
        last
    }

    /// Texts of a chat in order, as `open_chat` gives them.
    pub fn texts(&mut self, tab: usize, chat: Id) -> Vec<String> {
        self.command(tab, Command::OpenChat { chat });
        match self
            .tab(tab)
            .events
            .iter()
            .rev()
            .find(|event| matches!(event, Event::Conversation { chat: of, .. } if *of == chat))
        {
            Some(Event::Conversation { messages, .. }) => messages
                .iter()
                .filter_map(|m| m.text.as_ref().map(|t| t.expose().to_owned()))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The chat list that a tab was told last.
    #[must_use]
    pub fn chats(&self, tab: usize) -> Vec<ChatView> {
        let found = self
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Chats { chats } => Some(chats.clone()),
                _ => None,
            });
        found.unwrap_or_default()
    }

    /// The requests that a tab was told last.
    #[must_use]
    pub fn requests(&self, tab: usize) -> Vec<RequestView> {
        let found = self
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Requests { requests } => Some(requests.clone()),
                _ => None,
            });
        found.unwrap_or_default()
    }

    /// Codes of everything that a tab refused.
    #[must_use]
    pub fn refusals(&self, tab: usize) -> Vec<String> {
        let refused = self.tab(tab).events.iter().filter_map(|event| match event {
            Event::Refused { code, .. } => Some(code.clone()),
            _ => None,
        });
        refused.collect()
    }

    /// Codes of every command that failed in a tab.
    #[must_use]
    pub fn failures(&self, tab: usize) -> Vec<String> {
        let failed = self.tab(tab).events.iter().filter_map(|event| match event {
            Event::Failed { code, .. } => Some(code.clone()),
            _ => None,
        });
        failed.collect()
    }
}

/// Two contacts.
#[derive(Debug, Clone, Copy)]
pub struct Friends {
    /// Alice's tab.
    pub alice: usize,
    /// Bob's tab.
    pub bob: usize,
    /// How Alice names the chat.
    pub to_bob: Id,
    /// How Bob names the chat.
    pub to_alice: Id,
}
