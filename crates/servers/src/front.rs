//! A proxy that a test puts before a server, to make it slow, dead or unwilling.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::{Answer, Asked, HttpServer, ask};
use crate::program::until_then;

/// What the proxy does instead of asking the server.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It gives this answer.
    Answers(Answer),
    /// It gives no answer before the fault is over.
    Hangs,
    /// It closes the connection.
    HangsUp,
}

/// A proxy before one server.
pub struct Front {
    server: HttpServer,
    state: Arc<State>,
}

struct State {
    fault: Mutex<Option<Fault>>,
    asked: AtomicUsize,
    seen: Mutex<Vec<Asked>>,
}

impl State {
    fn fault(&self) -> Option<Fault> {
        let fault = self.fault.lock();
        fault.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Front {
    /// Stands before the server at this address.
    pub fn before(server: SocketAddr) -> Self {
        let state = Arc::new(State {
            fault: Mutex::default(),
            asked: AtomicUsize::new(0),
            seen: Mutex::default(),
        });
        let theirs = Arc::clone(&state);
        let server = HttpServer::start(move |asked| {
            theirs.asked.fetch_add(1, Ordering::SeqCst);
            let seen = theirs.seen.lock();
            seen.unwrap_or_else(PoisonError::into_inner)
                .push(asked.clone());
            match theirs.fault() {
                None => ask(server, &asked).ok(),
                Some(Fault::Answers(answer)) => Some(answer),
                Some(Fault::HangsUp) => None,
                Some(Fault::Hangs) => {
                    until_then(|| !matches!(theirs.fault(), Some(Fault::Hangs)));
                    None
                }
            }
        });
        Self { server, state }
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Begins a fault.
    pub fn fails(&self, fault: Fault) {
        let mut place = self.state.fault.lock().expect("nobody panicked");
        *place = Some(fault);
    }

    /// Ends the fault.
    pub fn works(&self) {
        let mut place = self.state.fault.lock().expect("nobody panicked");
        *place = None;
    }

    /// How many requests there were.
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Every request.
    pub fn seen(&self) -> Vec<Asked> {
        self.state.seen.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.works();
    }
}
