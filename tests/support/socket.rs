//! A WebSocket of the tests.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use protocol::boot::SignedBoot;
use protocol::epoch::LocalParty;
use protocol::identity::AccountKeys;
use protocol::ids::LiveId;
use protocol::link::client::{ClientLink, Opening, Proving, Received};
use protocol::link::{Hello, RENEW_AFTER_SECS, Ticket};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::account::identity;
use super::app::{START, TestApp};
use super::{Answer, Client, random_id, rng, unb64};

/// How long a test waits for a frame that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A frame from the server.
#[derive(Debug, Clone)]
pub(crate) enum Heard {
    Text(Value),
    Binary(Vec<u8>),
    Closed(Option<u16>),
}

/// A socket with a link.
pub(crate) struct TestSocket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub live_id: [u8; 16],
    link: ClientLink,
    /// What the link came out of.
    pub(crate) origins: Origins,
    /// Seconds since the link was renewed.
    age: u64,
    /// What came while a renewal was awaited.
    heard: VecDeque<Heard>,
}

/// What a link came out of.
pub(crate) struct Origins {
    /// What was agreed on.
    pub agreed: [[u8; 32]; 4],
    /// The keys of the handshake.
    pub handshake: [[u8; 32]; 5],
    /// X_L and EK_S, whose private halves the server drew.
    pub publics: [[u8; 32]; 2],
    /// The first keys of the link.
    pub first: Vec<[u8; 32]>,
}

impl Origins {
    /// Every key, whoever has which.
    pub(crate) fn all(&self) -> Vec<[u8; 32]> {
        [self.agreed.as_slice(), &self.handshake, &self.first].concat()
    }
}

/// A link whose server waits for the proof.
pub(crate) struct Answered {
    socket: Unlinked,
    proving: Proving,
    proof: Vec<u8>,
    pub origins: Origins,
}

/// Where a body under a ticket goes.
pub(crate) fn sealed_path(ticket: &Ticket) -> String {
    format!("/api/v1/messages/sealed/{}", hex::encode(ticket.id()))
}

/// A body, sealed under a ticket.
pub(crate) fn sealed(ticket: Ticket, bytes: &[u8]) -> Vec<u8> {
    let mut sealer = ticket.into_sealer();
    let (mut body, mut rest) = (Vec::new(), bytes);
    while let Some(len) = sealer.next_len() {
        let (chunk, others) = rest.split_at(len);
        body.extend(sealer.seal(chunk).unwrap());
        rest = others;
    }
    body
}

/// Fetches a parcel under the ticket of a `claimed_large` and opens it.
pub(crate) async fn fetch(client: &Client, claimed: &Value) -> Answer {
    let ticket = Ticket::decode(&unb64(&claimed["ticket"])).unwrap();
    let mut answer = client.get(&sealed_path(&ticket)).await;
    if answer.status.is_success() {
        let mut opener = ticket.into_opener();
        let (mut body, mut rest) = (Vec::new(), answer.body.to_vec());
        while let Some(len) = opener.next_len() {
            let others = rest.split_off(len);
            body.extend_from_slice(opener.open(&mut rest).unwrap());
            rest = others;
        }
        assert!(opener.is_whole() && rest.is_empty());
        answer.body = body.into();
    }
    answer
}

/// A socket whose link is not open.
pub(crate) struct Unlinked {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    live_id: [u8; 16],
}

impl TestSocket {
    /// Connects with the client's cookie, and hears the first frame.
    pub(crate) async fn connect(client: &Client) -> (Self, Value) {
        let mut socket = Self::open(client, random_id()).await.unwrap();
        let hello = socket.text().await;
        assert_eq!(hello["t"], "hello");
        (socket, hello)
    }

    /// Connects under a live id; an answer that is not 101 is an error.
    pub(crate) async fn open(client: &Client, live_id: [u8; 16]) -> Result<Self, Box<Error>> {
        Self::open_with(client, live_id, "").await
    }

    /// Connects with more in the query.
    pub(crate) async fn open_with(
        client: &Client,
        live_id: [u8; 16],
        query: &str,
    ) -> Result<Self, Box<Error>> {
        let socket = Unlinked::open_with(client, live_id, query).await?;
        Ok(socket.link(client).await)
    }

    pub(crate) async fn say(&mut self, said: Value) {
        self.send(said.to_string().as_bytes()).await.unwrap();
    }

    /// Says something to a server that may be gone; what follows is heard.
    pub(crate) async fn say_or_not(&mut self, said: Value) {
        let _ = self.send(said.to_string().as_bytes()).await;
    }

    /// Sends a frame of the link with this payload.
    pub(crate) async fn send(&mut self, payload: &[u8]) -> Result<(), Box<Error>> {
        if self.link.wants_renewal(START) {
            let renewal = self.link.renew(&mut rng(), START).unwrap();
            self.send_unsealed(Message::binary(renewal)).await?;
        }
        let frame = self.sealed(payload);
        self.send_unsealed(Message::binary(frame)).await
    }

    /// Sends what is too large for a frame, under a ticket; false where there is none.
    pub(crate) async fn send_large(&mut self, client: &Client, bytes: &[u8]) -> bool {
        self.say(json!({"t": "ticket", "len": bytes.len()})).await;
        let ticket = loop {
            match self.hear().await {
                Heard::Binary(ticket) => break Ticket::decode(&ticket).unwrap(),
                Heard::Text(text) if text["t"] == "refused" => {
                    self.heard.push_back(Heard::Text(text));
                    return true;
                }
                Heard::Text(_) => {}
                Heard::Closed(_) => return false,
            }
        };
        let path = sealed_path(&ticket);
        let body = sealed(ticket, bytes);
        client.post_octets(&path, body).await.expect(204);
        true
    }

    /// The link's present secrets.
    pub(crate) fn keys(&self) -> Vec<[u8; 32]> {
        self.link.exposed()
    }

    /// The next frame, for whoever sends it otherwise.
    pub(crate) fn sealed(&mut self, payload: &[u8]) -> Vec<u8> {
        self.link.seal(START, payload).unwrap()
    }

    /// Sends what is no frame of the link.
    pub(crate) async fn send_unsealed(&mut self, message: Message) -> Result<(), Box<Error>> {
        self.stream.send(message).await.map_err(Box::new)
    }

    pub(crate) async fn send_binary(&mut self, bytes: Vec<u8>) {
        self.send(&bytes).await.unwrap();
    }

    /// Moves the clock, and renews the link as often as a client would.
    pub(crate) async fn advance(&mut self, app: &TestApp, seconds: u64) {
        let mut left = seconds;
        while left > 0 {
            let step = left.min(RENEW_AFTER_SECS - self.age);
            app.advance(step).await;
            left -= step;
            self.age += step;
            if self.age == RENEW_AFTER_SECS {
                self.age = 0;
                self.renew().await;
            }
        }
    }

    /// Renews the link, unless the server closes meanwhile.
    pub(crate) async fn renew(&mut self) {
        if matches!(self.heard.back(), Some(Heard::Closed(_))) {
            return;
        }
        let renewal = self.link.renew(&mut rng(), START).unwrap();
        if self.send_unsealed(Message::binary(renewal)).await.is_err() {
            return;
        }
        while let Some(heard) = self.next().await {
            let over = matches!(heard, Heard::Closed(_));
            self.heard.push_back(heard);
            if over {
                return;
            }
        }
        // The server has switched, too, when it has read what follows.
        let ping = self.sealed(br#"{"t":"ping"}"#);
        let _ = self.send_unsealed(Message::binary(ping)).await;
        loop {
            match self.next().await {
                Some(Heard::Text(text)) if text["t"] == "pong" => return,
                Some(Heard::Closed(code)) => return self.heard.push_back(Heard::Closed(code)),
                heard => self.heard.extend(heard),
            }
        }
    }

    /// Waits for the next frame that is no ping.
    pub(crate) async fn hear(&mut self) -> Heard {
        if let Some(heard) = self.heard.pop_front() {
            return heard;
        }
        loop {
            if let Some(heard) = self.next().await {
                return heard;
            }
        }
    }

    /// Waits for the next frame that is no ping; `None` is the answer to a renewal.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match next.expect("a frame was awaited and none came") {
                Some(Ok(Message::Binary(bytes))) => {
                    let mut frame = bytes.to_vec();
                    match self.link.receive(START, &mut frame).unwrap() {
                        Received::Data(payload) if payload.first() == Some(&b'{') => {
                            return Some(Heard::Text(serde_json::from_slice(payload).unwrap()));
                        }
                        Received::Data(payload) => return Some(Heard::Binary(payload.to_vec())),
                        Received::Renewal(None) => {}
                        Received::Renewal(Some(switched)) => {
                            let switched = Message::binary(switched);
                            let _ = self.send_unsealed(switched).await;
                            return None;
                        }
                    }
                }
                Some(Ok(Message::Text(text))) => panic!("not sealed: {text}"),
                Some(Ok(Message::Close(frame))) => {
                    return Some(Heard::Closed(frame.map(|frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Some(Heard::Closed(None)),
            }
        }
    }

    /// Waits for a text frame.
    pub(crate) async fn text(&mut self) -> Value {
        match self.hear().await {
            Heard::Text(value) => value,
            other => panic!("a text frame was awaited: {other:?}"),
        }
    }

    /// Waits for a text frame of this kind and passes over others.
    pub(crate) async fn text_of(&mut self, kind: &str) -> Value {
        loop {
            let value = self.text().await;
            if value["t"] == kind {
                return value;
            }
        }
    }

    /// Waits for a parcel and passes over text.
    pub(crate) async fn binary(&mut self) -> Vec<u8> {
        loop {
            match self.hear().await {
                Heard::Binary(bytes) => return bytes,
                Heard::Text(_) => {}
                Heard::Closed(code) => panic!("a parcel was awaited: closed {code:?}"),
            }
        }
    }

    /// Waits for a parcel, and fetches one that is too large for a frame.
    pub(crate) async fn parcel(&mut self, client: &Client) -> Vec<u8> {
        loop {
            match self.hear().await {
                Heard::Binary(bytes) => return bytes,
                Heard::Text(text) if text["t"] == "claimed_large" => {
                    return fetch(client, &text).await.expect(200).body.to_vec();
                }
                Heard::Text(_) => {}
                Heard::Closed(code) => panic!("a parcel was awaited: closed {code:?}"),
            }
        }
    }

    /// Closes, and waits until the server has.
    pub(crate) async fn close(&mut self) {
        self.stream.close(None).await.unwrap();
        self.closed().await;
    }

    /// Waits until the server closes, and returns the code.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Heard::Closed(code) = self.hear().await {
                return code;
            }
        }
    }
}

impl Unlinked {
    /// Connects under a live id; an answer that is not 101 is an error.
    pub(crate) async fn open(client: &Client, live_id: [u8; 16]) -> Result<Self, Box<Error>> {
        Self::open_with(client, live_id, "").await
    }

    async fn open_with(
        client: &Client,
        live_id: [u8; 16],
        query: &str,
    ) -> Result<Self, Box<Error>> {
        let base = client.base().replacen("http", "ws", 1);
        let address = format!("{base}/api/v1/ws?live_id={}{query}", hex::encode(live_id));
        let mut request = address.into_client_request().map_err(Box::new)?;
        let headers = request.headers_mut();
        headers.insert("x-secure-messaging", "1".parse().unwrap());
        if let Some(cookie) = client.cookie() {
            headers.insert("cookie", cookie.parse().unwrap());
        }
        let (stream, _) = tokio_tungstenite::connect_async(request)
            .await
            .map_err(Box::new)?;
        Ok(Self { stream, live_id })
    }

    /// Opens the link with the keys that every account of the tests has.
    pub(crate) async fn link(self, client: &Client) -> TestSocket {
        self.answered(client).await.link().await
    }

    /// The same, up to the proof.
    pub(crate) async fn answered(mut self, client: &Client) -> Answered {
        let server = client.get("/api/v1/server").await.expect(200).json();
        let session = client.get("/api/v1/session").await.expect(200).json();
        let now = server["now"].as_u64().unwrap();
        let boot = SignedBoot::decode(&unb64(&server["boot"]["signed"])).unwrap();
        let key = boot.server_key(None).unwrap();
        let greeting = self.hear().await.unwrap();
        let hello = Hello::decode(&greeting).unwrap();
        let hello = hello.verify(&key, now).unwrap();
        let (live, session_id) = (LiveId::from_bytes(self.live_id), &session["session_id"]);
        let session_id = session_id.as_str().unwrap().parse().unwrap();
        let rng = &mut rng();
        let (opening, open) =
            Opening::for_account(rng, &hello, client.origin(), session_id, live).unwrap();
        self.say(open).await;
        let (secrets, keys) = identity();
        let account = LocalParty {
            user_id: session["user_id"].as_str().unwrap().parse().unwrap(),
            secrets,
            keys: &AccountKeys::decode(keys).unwrap(),
        };
        let opened = self.hear().await.unwrap();
        let agreed = opening.agreed(&opened).unwrap();
        let (proving, proof) = opening.prove(rng, &opened, &account).unwrap();
        // Behind header, fingerprint, boot id, instance, bucket and expiry; behind header and link id.
        let publics = [&greeting[115..147], &opened[19..51]];
        let origins = Origins {
            agreed,
            handshake: proving.exposed(),
            publics: publics.map(|public| public.try_into().unwrap()),
            first: Vec::new(),
        };
        Answered {
            socket: self,
            proving,
            proof,
            origins,
        }
    }

    /// Sends a message of the handshake.
    pub(crate) async fn say(&mut self, message: Vec<u8>) {
        self.send(Message::binary(message)).await;
    }

    /// Sends anything.
    pub(crate) async fn send(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// Waits for the server's next message; an error is the code with which it closed.
    pub(crate) async fn hear(&mut self) -> Result<Vec<u8>, Option<u16>> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match next.expect("a message was awaited and none came") {
                Some(Ok(Message::Binary(bytes))) => return Ok(bytes.to_vec()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Closes, and waits until the server has.
    pub(crate) async fn close(&mut self) {
        self.stream.close(None).await.unwrap();
        while self.hear().await.is_ok() {}
    }
}

impl Answered {
    /// Sends the proof, and opens the link.
    pub(crate) async fn link(mut self) -> TestSocket {
        self.socket.say(self.proof).await;
        let active = self.socket.hear().await.unwrap();
        let link = self.proving.active(START, &active).unwrap().link;
        self.origins.first = link.exposed();
        TestSocket {
            stream: self.socket.stream,
            live_id: self.socket.live_id,
            link,
            origins: self.origins,
            age: 0,
            heard: VecDeque::new(),
        }
    }
}
