//! A bad line between a node and its payment provider, either way: requests are lost before they arrive, answers after,
//! connections are cut, requests arrive twice, and everything may take its time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// It passes.
    Good,
    /// The connection is cut before it arrives.
    CutBefore,
    /// It arrives, and the connection is cut before the answer.
    CutAfter,
    /// It arrives twice, and the second answer comes back.
    Twice,
    /// It takes that many milliseconds.
    Slow(u64),
}

/// The line. It ends with the test.
pub(crate) struct Proxy {
    pub(crate) url: String,
    script: Arc<Mutex<VecDeque<Line>>>,
    to: Arc<Mutex<SocketAddr>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// To the server of that URL.
    pub(crate) async fn to(url: &str) -> Self {
        let to = Arc::new(Mutex::new(address(url)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script: Arc<Mutex<VecDeque<Line>>> = Arc::default();
        let (lines, there) = (Arc::clone(&script), Arc::clone(&to));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (lines, to) = (Arc::clone(&lines), *there.lock().unwrap());
                tokio::spawn(async move { drop(serve(client, to, &lines).await) });
            }
        });
        Self { url, script, to, task }
    }

    /// From now on to another server.
    pub(crate) fn lead_to(&self, url: &str) {
        *self.to.lock().unwrap() = address(url);
    }

    /// What happens to the next requests, in their order; all others pass.
    pub(crate) fn be(&self, lines: impl IntoIterator<Item = Line>) {
        self.script.lock().unwrap().extend(lines);
    }
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
}

/// One request after another of a connection.
async fn serve(mut client: TcpStream, to: SocketAddr, lines: &Mutex<VecDeque<Line>>) -> std::io::Result<()> {
    loop {
        let Some(request) = read_message(&mut client).await? else { return Ok(()) };
        let line = lines.lock().unwrap().pop_front().unwrap_or(Line::Good);
        match line {
            Line::CutBefore => return Ok(()),
            Line::CutAfter => {
                forward(&request, to).await?;
                return Ok(());
            }
            Line::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            Line::Twice => drop(forward(&request, to).await?),
            Line::Good => {}
        }
        let answer = forward(&request, to).await?;
        client.write_all(&answer).await?;
    }
}

async fn forward(request: &[u8], to: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(to).await?;
    server.write_all(request).await?;
    Ok(read_message(&mut server).await?.unwrap_or_default())
}

/// A head with as much of a body as it says; none where the connection ended.
async fn read_message(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(head) = message.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&message[..head]).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if message.len() >= head + 4 + length {
                return Ok(Some(message));
            }
        }
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Ok(None);
        }
        message.extend_from_slice(&chunk[..read]);
    }
}
