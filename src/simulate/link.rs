//! The socket of a simulated station: opened with its id and password, watched, opened again with backoff.

use crate::ocpp::v1_6::SUBPROTOCOL;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use futures_util::{SinkExt, StreamExt};
use std::pin::Pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Opening = Pin<Box<dyn Future<Output = Result<Socket, LinkError>> + Send>>;

/// Bytes of the read buffer: a thousand stations share one machine.
const READ_BUFFER: usize = 4096;

/// How long a closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why there is no socket.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    /// The base URL or the station's id makes no URL.
    #[error("'{url}' is not a ws:// or wss:// URL: {reason}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server answered the handshake with another status than 101.
    #[error("the server refused the connection with HTTP status {0}")]
    Refused(u16),
    /// The server does not speak OCPP 1.6.
    #[error("the server does not offer the subprotocol ocpp1.6")]
    Subprotocol,
    /// It took too long.
    #[error("the server did not answer within {0:?}")]
    Timeout(Duration),
    /// Anything else.
    #[error("{0}")]
    Socket(String),
}

/// What the socket says.
#[derive(Debug)]
pub(super) enum Heard {
    /// It is open.
    Opened,
    /// It could not be opened.
    Failed(LinkError),
    /// A text frame.
    Text(tokio_tungstenite::tungstenite::Utf8Bytes),
    /// Anything else that shows that the other side is there.
    Alive,
    /// It is gone.
    Closed(String),
}

/// The socket, wherever it is in its life.
pub(super) enum Link {
    Down,
    Opening(Opening),
    Up(Box<Socket>),
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Down => "Down",
            Self::Opening(_) => "Opening",
            Self::Up(_) => "Up",
        })
    }
}

impl Link {
    /// Begins to open it.
    pub(super) fn open(url: String, id: String, password: Option<Vec<u8>>, timeout: Duration) -> Self {
        Self::Opening(Box::pin(async move {
            match tokio::time::timeout(timeout, open(&url, &id, password.as_deref())).await {
                Ok(done) => done,
                Err(_) => Err(LinkError::Timeout(timeout)),
            }
        }))
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(self, Self::Down)
    }

    /// Waits for the next thing; for ever while it is down. May be dropped while it waits.
    pub(super) async fn next(&mut self) -> Heard {
        match self {
            Self::Down => std::future::pending().await,
            Self::Opening(opening) => match opening.await {
                Ok(socket) => {
                    *self = Self::Up(Box::new(socket));
                    Heard::Opened
                }
                Err(error) => {
                    *self = Self::Down;
                    Heard::Failed(error)
                }
            },
            Self::Up(socket) => match socket.next().await {
                Some(Ok(Message::Text(text))) => Heard::Text(text),
                Some(Ok(Message::Close(frame))) => Heard::Closed(match frame {
                    Some(frame) => format!("closed by the server: {} {}", frame.code, frame.reason),
                    None => "closed by the server".to_owned(),
                }),
                Some(Ok(_)) => Heard::Alive,
                Some(Err(error)) => Heard::Closed(error.to_string()),
                None => Heard::Closed("the connection ended".to_owned()),
            },
        }
    }

    /// Sends a text; an error means that the socket is gone.
    pub(super) async fn send(&mut self, text: String, timeout: Duration) -> Result<(), String> {
        self.send_message(Message::text(text), timeout).await
    }

    /// Sends a ping.
    pub(super) async fn ping(&mut self, timeout: Duration) -> Result<(), String> {
        self.send_message(Message::Ping(Vec::new().into()), timeout).await
    }

    async fn send_message(&mut self, message: Message, timeout: Duration) -> Result<(), String> {
        let Self::Up(socket) = self else { return Err("not connected".to_owned()) };
        match tokio::time::timeout(timeout, socket.send(message)).await {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(_) => Err(format!("nothing could be sent for {timeout:?}")),
        }
    }

    /// Closes it politely.
    pub(super) async fn close(&mut self) {
        if let Self::Up(socket) = self {
            let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            let goodbye = async {
                if socket.send(Message::Close(Some(frame))).await.is_ok() {
                    while let Some(Ok(_)) = socket.next().await {}
                }
            };
            // Whoever does not answer a goodbye is left all the same.
            drop(tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await);
        }
        *self = Self::Down;
    }
}

/// The URL of a station below the base.
///
/// # Errors
/// When the base is no `ws` or `wss` URL.
pub(super) fn station_url(base: &str, id: &str) -> Result<Url, LinkError> {
    let wrong = |reason: &str| LinkError::Url { url: base.to_owned(), reason: reason.to_owned() };
    let mut url = Url::parse(base).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "ws" | "wss") {
        return Err(wrong("its scheme must be ws or wss"));
    }
    url.path_segments_mut().map_err(|()| wrong("it has no path"))?.pop_if_empty().push(id);
    Ok(url)
}

async fn open(base: &str, id: &str, password: Option<&[u8]>) -> Result<Socket, LinkError> {
    let url = station_url(base, id)?;
    let mut request = url.as_str().into_client_request().map_err(|e| LinkError::Socket(e.to_string()))?;
    let headers = request.headers_mut();
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Some(password) = password {
        let pair = [id.as_bytes(), b":", password].concat();
        let value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
            .map_err(|error| LinkError::Socket(error.to_string()))?;
        headers.insert(AUTHORIZATION, value);
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(1 << 20));
    match connect_async_with_config(request, Some(config), true).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(LinkError::Refused(response.status().as_u16())),
        Err(Error::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::SecWebSocketSubProtocolError(_),
        )) => Err(LinkError::Subprotocol),
        Err(error) => Err(LinkError::Socket(error.to_string())),
    }
}

/// How long to wait before the next attempt: twice as long each time, within bounds, from half to all of it at
/// random, so that a thousand stations do not come back in one moment.
pub(super) fn backoff(attempt: u32, least: Duration, most: Duration, rng: &mut Rng) -> Duration {
    let whole = least.saturating_mul(1_u32.checked_shl(attempt.min(16)).unwrap_or(u32::MAX)).min(most);
    let millis = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX / 2);
    Duration::from_millis(millis / 2 + rng.u64(0..=millis / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_percent_encoded_below_the_base() {
        let url = |base, id| station_url(base, id).map(|url| url.to_string());
        assert_eq!(url("ws://127.0.0.1:8080/ocpp", "CS1").unwrap(), "ws://127.0.0.1:8080/ocpp/CS1");
        assert_eq!(url("wss://h/ocpp/", "CS 1/2").unwrap(), "wss://h/ocpp/CS%201%2F2");
        assert!(url("http://h/ocpp", "CS1").is_err());
        assert!(url("nonsense", "CS1").is_err());
    }

    #[test]
    fn backoff_grows_within_its_bounds() {
        let mut rng = Rng::with_seed(1);
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(30));
        for attempt in 0..100 {
            let wait = backoff(attempt, least, most, &mut rng);
            assert!(wait >= Duration::from_millis(500) && wait <= most, "{attempt}: {wait:?}");
        }
        assert!(backoff(60, least, most, &mut rng) >= Duration::from_secs(15));
    }
}
