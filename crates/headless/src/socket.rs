//! The WebSocket, raw.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::error::ApiError;
use crate::net::{Address, NATIVE_HEADER};
use crate::profile::Profile;

/// One message that came, or the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A binary message; an empty one in the place of a message of text.
    Binary(Vec<u8>),
    /// The other side closed; 1006 when it gave no code.
    Closed(u16),
}

/// An open socket.
#[derive(Debug)]
pub(crate) struct ApiSocket(WebSocketStream<TcpStream>);

impl ApiSocket {
    pub(crate) async fn open(
        address: &Address,
        profile: &Profile,
        live_id: &str,
    ) -> Result<Self, ApiError> {
        let broken = |error: &dyn std::fmt::Display| ApiError::Transport(error.to_string());
        let url = format!(
            "ws://{}/api/v1/ws?live_id={live_id}&deliver=1",
            address.authority()
        );
        let mut request = url.into_client_request().map_err(|e| broken(&e))?;
        let headers = request.headers_mut();
        headers.insert(NATIVE_HEADER, HeaderValue::from_static("1"));
        if let Some(cookies) = profile.cookie_header() {
            let value = HeaderValue::from_str(&cookies).map_err(|e| broken(&e))?;
            headers.insert("cookie", value);
        }
        let stream = TcpStream::connect(address.authority())
            .await
            .map_err(|e| broken(&e))?;
        stream.set_nodelay(true).map_err(|e| broken(&e))?;
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(ApiError::SocketRefused {
                status: response.status().as_u16(),
                body: response.into_body().unwrap_or_default(),
            }),
            Err(other) => Err(broken(&other)),
        }
    }

    /// Sends a binary message.
    pub(crate) async fn send(&mut self, bytes: Vec<u8>) -> Result<(), ApiError> {
        let message = Message::binary(bytes);
        let sent = self.0.send(message).await;
        sent.map_err(|e| ApiError::Transport(e.to_string()))
    }

    /// The next message; pings are answered on the way.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(_))) => return Frame::Binary(Vec::new()),
                Some(Ok(Message::Binary(bytes))) => return Frame::Binary(bytes.to_vec()),
                Some(Ok(Message::Close(reason))) => {
                    return Frame::Closed(reason.map_or(1006, |r| r.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Frame::Closed(1006),
            }
        }
    }

    /// Says good-bye.
    pub(crate) async fn close(mut self) {
        // The peer may be gone already, which is what was wanted.
        let _gone = self.0.close(None).await;
    }
}
