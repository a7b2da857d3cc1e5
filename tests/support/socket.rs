//! A WebSocket of the tests.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{Client, random_id};

/// How long a test waits for a frame that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A frame from the server.
#[derive(Debug, Clone)]
pub(crate) enum Heard {
    Text(Value),
    Binary(Vec<u8>),
    Closed(Option<u16>),
}

/// A connected socket.
pub(crate) struct TestSocket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub live_id: [u8; 16],
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
        let base = client.base().replacen("http", "ws", 1);
        let address = format!("{base}/api/v1/ws?live_id={}", hex::encode(live_id));
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

    pub(crate) async fn say(&mut self, said: Value) {
        self.stream
            .send(Message::text(said.to_string()))
            .await
            .unwrap();
    }

    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Box<Error>> {
        self.stream.send(message).await.map_err(Box::new)
    }

    pub(crate) async fn send_binary(&mut self, bytes: Vec<u8>) {
        self.stream.send(Message::binary(bytes)).await.unwrap();
    }

    /// Waits for the next frame that is no ping.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match next.expect("a frame was awaited and none came") {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Text(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Message::Binary(bytes))) => return Heard::Binary(bytes.to_vec()),
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(None),
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

    /// Waits until the server closes, and returns the code.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Heard::Closed(code) = self.hear().await {
                return code;
            }
        }
    }
}
