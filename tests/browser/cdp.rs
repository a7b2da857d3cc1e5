//! A small client of Chromium's DevTools protocol: one socket, one thread, calls in turn.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// How long anything may take before a test gives up; generous, because machines are shared.
pub(super) const PATIENCE: Duration = Duration::from_secs(45);

/// The socket to one browser.
pub(super) struct Cdp {
    socket: WebSocket<TcpStream>,
    last: u64,
    events: Vec<Value>,
    workers: Vec<String>,
}

impl Cdp {
    /// Connects to `ws://127.0.0.1:port` and `path`, as Chromium wrote them into its profile.
    pub(super) fn connect(port: u16, path: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("Chromium listens");
        let url = format!("ws://127.0.0.1:{port}{path}");
        let (socket, _) = tungstenite::client(url, stream).expect("a DevTools socket");
        // Only now: a busy machine may need longer to say hello.
        socket
            .get_ref()
            .set_read_timeout(Some(Duration::from_millis(250)))
            .expect("a timeout");
        Self {
            socket,
            last: 0,
            events: Vec::new(),
            workers: Vec::new(),
        }
    }

    /// Calls a method of a session (empty for the browser itself); its error is the protocol's text.
    pub(super) fn call(
        &mut self,
        session: &str,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        let id = self.send(session, method, params);
        let end = Instant::now() + PATIENCE + PATIENCE;
        loop {
            let Some(message) = self.read() else {
                assert!(Instant::now() < end, "{method} got no answer");
                continue;
            };
            if message["id"] == id {
                return match message["error"]["message"].as_str() {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(message["result"].clone()),
                };
            }
            self.note(message);
        }
    }

    /// Everything that was said without being asked, since the last time.
    pub(super) fn take_events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    /// The sessions of the workers that run.
    pub(super) fn workers(&self) -> Vec<String> {
        self.workers.clone()
    }

    fn send(&mut self, session: &str, method: &str, params: Value) -> u64 {
        self.last += 1;
        let mut call = json!({ "id": self.last, "method": method, "params": params });
        if !session.is_empty() {
            call["sessionId"] = session.into();
        }
        self.socket
            .send(Message::text(call.to_string()))
            .expect("Chromium reads");
        self.last
    }

    fn read(&mut self) -> Option<Value> {
        match self.socket.read() {
            Ok(Message::Text(text)) => serde_json::from_str(&text).ok(),
            Ok(_) => None,
            Err(tungstenite::Error::Io(error))
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                None
            }
            Err(error) => panic!("Chromium is gone: {error}"),
        }
    }

    /// Workers are held at their start until their console is watched.
    fn note(&mut self, message: Value) {
        if message["method"] == "Target.attachedToTarget" {
            let session = message["params"]["sessionId"].as_str().unwrap_or_default();
            if message["params"]["waitingForDebugger"] == true {
                for method in [
                    "Log.enable",
                    "Runtime.enable",
                    "Runtime.runIfWaitingForDebugger",
                ] {
                    self.send(session, method, json!({}));
                }
                self.workers.push(session.to_owned());
            }
        } else if message["method"] == "Target.detachedFromTarget" {
            let session = &message["params"]["sessionId"];
            self.workers.retain(|worker| worker != session);
        }
        self.events.push(message);
    }
}
