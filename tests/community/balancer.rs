//! What a proxy does: it sends only to instances that say that they are ready, takes them in turn, and tries
//! once more elsewhere when nobody listens any more.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use api::Blob;
use api::bodies::{SignInFinish, SignInStart, SignInStarted};
use hyper::Method;
use protocol::opaque;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Passphrase, rng};

/// Sends requests to instances that are ready.
#[derive(Default)]
pub(super) struct Balancer {
    pub instances: RefCell<Vec<SocketAddr>>,
    pub ready: RefCell<Vec<SocketAddr>>,
    next: Cell<usize>,
    pub retries: Cell<usize>,
}

impl Balancer {
    /// Asks every instance whether it is ready.
    pub(super) async fn look(&self) {
        let all = self.instances.borrow().clone();
        let mut ready = Vec::new();
        for address in all {
            let client = Client::new(address).tolerant();
            if client.get("/health/ready").await.status == 200 {
                ready.push(address);
            }
        }
        *self.ready.borrow_mut() = ready;
    }

    fn pick(&self) -> SocketAddr {
        let ready = self.ready.borrow();
        assert!(!ready.is_empty(), "no instance is ready");
        self.next.set(self.next.get() + 1);
        ready[self.next.get() % ready.len()]
    }

    /// Sends a request to the next instance, with a connection of its own; once more where nobody listens.
    async fn send(&self, method: Method, path: &str, body: &Value, cookie: Option<&str>) -> Answer {
        let text = body.to_string();
        let mut refused = None;
        for _ in 0..2 {
            let address = self.pick();
            let client = Client::new(address);
            client.set_cookie(cookie.map(str::to_owned));
            let kind = [("content-type", "application/json")];
            let sent = client.try_send(method.clone(), path, &kind, text.clone().into());
            let error = match sent.await {
                Ok(answer) => return answer,
                Err(error) => error,
            };
            let connecting = error.downcast_ref::<hyper_util::client::legacy::Error>();
            assert!(
                connecting.is_some_and(|error| error.is_connect()),
                "{path} was cut: {error:?}"
            );
            self.retries.set(self.retries.get() + 1);
            self.ready.borrow_mut().retain(|other| *other != address);
            refused = Some(error);
        }
        panic!("{path}: nobody listens: {refused:?}");
    }

    /// Signs in; whoever answers the first message need not be there for the second.
    pub(super) async fn sign_in(&self, handle: &str, passphrase: Passphrase) -> Result<(), String> {
        let passphrase = passphrase.0.as_bytes();
        let (state, request) = opaque::login_start(&mut rng(), passphrase).unwrap();
        let start = json!(SignInStart {
            handle: handle.to_owned(),
            request: Blob::from(request),
        });
        let started = self.send(Method::POST, "/api/v1/session/start", &start, None);
        let started: SignInStarted = read(started.await)?;
        let (finalization, _) = state.finish(&mut rng(), &started.response).unwrap();
        let finish = json!(SignInFinish {
            token: started.token,
            finalization: Blob::from(finalization),
            device_name: None,
        });
        let finished = self.send(Method::POST, "/api/v1/session/finish", &finish, None);
        let finished = finished.await;
        let cookie = finished.headers.get_all("set-cookie").into_iter();
        let mut pairs = cookie.filter_map(|set| set.to_str().ok()?.split(';').next());
        let cookie = pairs.find(|pair| !pair.contains("device="));
        let cookie = cookie.map(str::to_owned);
        read::<Value>(finished)?;
        // The session is one at whichever instance is next.
        let session = Method::GET;
        let nothing = json!({});
        let shown = self.send(session, "/api/v1/session", &nothing, cookie.as_deref());
        let shown: Value = read(shown.await)?;
        match shown["handle"] == handle {
            true => Ok(()),
            false => Err(format!("somebody else's session: {shown}")),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: Answer) -> Result<T, String> {
    match answer.status.is_success() {
        true => Ok(serde_json::from_slice(&answer.body).unwrap()),
        false => Err(format!("{} {:?}", answer.status, answer.body)),
    }
}
