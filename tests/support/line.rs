//! What an account asks of messages, over a socket that is kept for it; outcomes in the form of answers, so
//! that tests ask them the same as any other.

use api::Code;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use protocol::link::MAX_PAYLOAD;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use super::{Account, Answer, Heard, TestSocket, b64, random_id};

/// What the server said to one question.
enum Told {
    Frame(Value),
    Parcel(Vec<u8>),
    Nothing,
}

impl Account {
    /// Posts a submission: 201, or a refusal.
    pub(crate) async fn post(&self, bytes: Vec<u8>) -> Answer {
        self.send(bytes, 201).await
    }

    /// Adds slots: 204, or a refusal.
    pub(crate) async fn add_slots(&self, bytes: Vec<u8>) -> Answer {
        self.send(bytes, 204).await
    }

    async fn send(&self, bytes: Vec<u8>, status: u16) -> Answer {
        let sent = async |socket: &mut TestSocket| match bytes.len() > MAX_PAYLOAD {
            true => socket.send_large(&self.client, &bytes).await,
            false => socket.send(&bytes).await.is_ok(),
        };
        let told = self.told(sent, &["sent", "slots_added"]).await;
        answered(told, status)
    }

    /// Claims a message: 200 with the parcel, or a refusal.
    pub(crate) async fn claim(&self, id: [u8; 16]) -> Answer {
        let claim = json!({"t": "claim", "id": hex::encode(id)});
        let told = self.ask(claim, &["claimed_large"]).await;
        let Ok(Told::Frame(large)) = &told else {
            return answered(told, 200);
        };
        if large["t"] == "refused" {
            return answered(told, 200);
        }
        super::socket::fetch(&self.client, large).await
    }

    /// Acknowledges, extends or gives back a claim: 204, 200 with the lease, or a refusal.
    pub(crate) async fn held(&self, what: &str, id: [u8; 16], token: &[u8]) -> Answer {
        let said = json!({"t": what, "id": hex::encode(id), "token": b64(token)});
        let told = self.ask(said, &["acked", "extended"]).await;
        answered(told, if what == "extend" { 200 } else { 204 })
    }

    /// Lists what waits, as a `hello` does.
    pub(crate) async fn waiting(&self) -> Answer {
        let told = self.ask(json!({"t": "list"}), &["listed"]).await;
        answered(told, 200)
    }

    /// Asks what became of messages.
    pub(crate) async fn status(&self, ids: &[[u8; 16]]) -> Answer {
        let ids: Vec<_> = ids.iter().map(hex::encode).collect();
        let told = self
            .ask(json!({"t": "status", "ids": ids}), &["status"])
            .await;
        answered(told, 200)
    }

    async fn ask(&self, said: Value, awaited: &[&str]) -> Result<Told, Box<Answer>> {
        let said = said.to_string();
        let sent = async |socket: &mut TestSocket| socket.send(said.as_bytes()).await.is_ok();
        self.told(sent, awaited).await
    }

    /// Sends by the account's socket, and waits for what is told about it; connects where there is none, or
    /// the server closed it.
    async fn told(
        &self,
        sent: impl AsyncFn(&mut TestSocket) -> bool,
        awaited: &[&str],
    ) -> Result<Told, Box<Answer>> {
        let mut line = self.line.lock().await;
        loop {
            let (mut socket, is_new) = match line.take() {
                Some(socket) => (socket, false),
                None => (self.connected().await?, true),
            };
            if sent(&mut socket).await
                && let Some(told) = outcome(&mut socket, awaited).await
            {
                *line = Some(socket);
                return Ok(told);
            }
            assert!(!is_new, "the server closed a socket that had just opened");
        }
    }

    async fn connected(&self) -> Result<TestSocket, Box<Answer>> {
        match TestSocket::open(&self.client, random_id()).await {
            Ok(socket) => Ok(socket),
            Err(error) => match *error {
                Error::Http(response) => {
                    let (head, body) = response.into_parts();
                    Err(Box::new(Answer {
                        status: head.status,
                        headers: head.headers,
                        body: body.unwrap_or_default().into(),
                    }))
                }
                other => panic!("{other}"),
            },
        }
    }
}

/// Waits for one of these frames, a refusal or a parcel; nothing where the server was done without a word,
/// `None` where it closed.
async fn outcome(socket: &mut TestSocket, awaited: &[&str]) -> Option<Told> {
    socket.send(br#"{"t":"ping"}"#).await.ok()?;
    let mut told = Told::Nothing;
    loop {
        match socket.hear().await {
            Heard::Text(text) => match text["t"].as_str().unwrap_or_default() {
                "pong" => return Some(told),
                kind if kind == "refused" || awaited.contains(&kind) => told = Told::Frame(text),
                _ => {}
            },
            Heard::Binary(parcel) => told = Told::Parcel(parcel),
            Heard::Closed(_) => return None,
        }
    }
}

fn answered(told: Result<Told, Box<Answer>>, status: u16) -> Answer {
    let mut headers = HeaderMap::new();
    let (status, body) = match told {
        Err(answer) => return *answer,
        Ok(Told::Nothing) => (status, Vec::new()),
        Ok(Told::Parcel(parcel)) => (status, parcel),
        Ok(Told::Frame(frame)) if frame["t"] == "refused" => {
            headers.insert("content-type", "application/problem+json".parse().unwrap());
            if let Some(seconds) = frame["retry_after"].as_u64() {
                headers.insert("retry-after", seconds.into());
            }
            let code = Code::named(frame["code"].as_str().unwrap()).unwrap();
            let problem = json!({
                "type": "of a frame", "title": "of a frame", "status": code.status(),
                "code": frame["code"], "detail": frame["detail"], "retry_after": frame["retry_after"],
            });
            (code.status(), problem.to_string().into_bytes())
        }
        Ok(Told::Frame(frame)) => (status, frame.to_string().into_bytes()),
    };
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.into(),
    }
}
