//! A closed-loop HTTP/1.1 load generator: one request in flight on each keep-alive connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Writes the request of a connection and a turn into the buffer.
pub(crate) type Request = dyn Fn(usize, usize, &mut Vec<u8>) + Send + Sync;

/// What a run is made of: a fixed number of requests spread over a fixed number of connections.
pub(crate) struct Plan {
    /// Where the servers listen; connections take turns.
    pub addresses: Vec<SocketAddr>,
    /// Connections held open through the run.
    pub connections: usize,
    /// Requests in total.
    pub requests: usize,
    /// The status that counts as success.
    pub expect: u16,
    /// What is sent.
    pub request: Arc<Request>,
}

/// What a run measured.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Requests that answered with the expected status.
    pub succeeded: usize,
    /// Requests that answered otherwise, with the last such status.
    pub failed: usize,
    /// The last unexpected status.
    pub last_failure: u16,
    /// Wall time of the whole run.
    pub elapsed: Duration,
    /// One latency per request, in microseconds, sorted.
    pub latencies: Vec<u32>,
}

impl Outcome {
    /// Requests a second that succeeded.
    pub(crate) fn rate(&self) -> f64 {
        self.succeeded as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency below which a share of all requests stayed, in microseconds.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        if self.latencies.is_empty() {
            return f64::NAN;
        }
        let last = self.latencies.len() - 1;
        f64::from(self.latencies[(last as f64 * share).round() as usize])
    }
}

/// A body received with its status.
pub(crate) struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The decoded body.
    pub body: Vec<u8>,
    /// The cookies that were set, as a `Cookie` header has them.
    pub cookies: String,
}

/// Runs a plan and keeps each response when the caller asks for it.
pub(crate) async fn run(
    plan: Plan,
    mut keep: Option<&mut Vec<(usize, usize, Reply)>>,
) -> io::Result<Outcome> {
    let mut connections = Vec::with_capacity(plan.connections);
    for address in plan.addresses.iter().cycle().take(plan.connections) {
        connections.push(Connection::open(*address).await?);
    }
    let each = plan.requests / plan.connections;
    let keeping = keep.is_some();
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for (number, mut connection) in connections.into_iter().enumerate() {
        let request = Arc::clone(&plan.request);
        let expect = plan.expect;
        tasks.spawn(async move {
            let mut outcome = Outcome::default();
            let mut kept = Vec::new();
            let mut buffer = Vec::with_capacity(4096);
            for turn in 0..each {
                buffer.clear();
                request(number, turn, &mut buffer);
                let sent = Instant::now();
                let reply = connection.exchange(&buffer).await?;
                outcome.latencies.push(sent.elapsed().as_micros() as u32);
                if reply.status == expect {
                    outcome.succeeded += 1;
                    if keeping {
                        kept.push((number, turn, reply));
                    }
                } else {
                    outcome.failed += 1;
                    outcome.last_failure = reply.status;
                }
            }
            io::Result::Ok((outcome, kept))
        });
    }
    let mut total = Outcome::default();
    while let Some(joined) = tasks.join_next().await {
        let (part, kept) = joined.map_err(io::Error::other)??;
        total.succeeded += part.succeeded;
        total.failed += part.failed;
        total.last_failure = total.last_failure.max(part.last_failure);
        total.latencies.extend(part.latencies);
        if let Some(keep) = keep.as_deref_mut() {
            keep.extend(kept);
        }
    }
    total.elapsed = started.elapsed();
    total.latencies.sort_unstable();
    Ok(total)
}

/// The outcome, or an error when any request failed.
pub(crate) fn checked(outcome: Outcome) -> io::Result<Outcome> {
    if outcome.failed > 0 {
        return Err(io::Error::other(format!(
            "{} requests failed, the last with {}",
            outcome.failed, outcome.last_failure
        )));
    }
    Ok(outcome)
}

/// A request without a body.
pub(crate) fn get(path: &str, cookie: &str) -> Vec<u8> {
    request("GET", path, cookie, "application/json", b"")
}

/// A request with bytes.
pub(crate) fn post(path: &str, cookie: &str, body: &[u8]) -> Vec<u8> {
    request("POST", path, cookie, "application/octet-stream", body)
}

/// A request with JSON.
pub(crate) fn json(path: &str, cookie: &str, body: &[u8]) -> Vec<u8> {
    request("POST", path, cookie, "application/json", body)
}

/// One request of any method with JSON, over a connection of its own; gives its body.
pub(crate) async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    cookie: &str,
    body: &[u8],
) -> io::Result<Vec<u8>> {
    let request = request(method, path, cookie, "application/json", body);
    let reply = Connection::open(address).await?.exchange(&request).await?;
    if !(200..300).contains(&reply.status) {
        return Err(io::Error::other(format!("{path}: {}", reply.status)));
    }
    Ok(reply.body)
}

fn request(method: &str, path: &str, cookie: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-secure-messaging: 1\r\ncookie: {cookie}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// One keep-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects without Nagle's delay.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8192),
        })
    }

    /// Sends one request and reads its whole response.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.stream.write_all(request).await?;
        let head_end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await?;
        };
        let head = Head::parse(&self.buffer[..head_end])?;
        self.buffer.drain(..head_end);
        let body = match head.length {
            Some(length) => self.take(length).await?,
            None if head.chunked => self.take_chunks().await?,
            None => Vec::new(),
        };
        Ok(Reply {
            status: head.status,
            body,
            cookies: head.cookies,
        })
    }

    async fn fill(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    async fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill().await?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    async fn take_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line_end = loop {
                if let Some(at) = find(&self.buffer, b"\r\n") {
                    break at;
                }
                self.fill().await?;
            };
            let size = std::str::from_utf8(&self.buffer[..line_end])
                .ok()
                .and_then(|text| usize::from_str_radix(text.trim(), 16).ok())
                .ok_or(io::ErrorKind::InvalidData)?;
            self.buffer.drain(..line_end + 2);
            let chunk = self.take(size + 2).await?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
}

struct Head {
    status: u16,
    length: Option<usize>,
    chunked: bool,
    cookies: String,
}

impl Head {
    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|code| code.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut head = Self {
            status,
            length: None,
            chunked: false,
            cookies: String::new(),
        };
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            if name.eq_ignore_ascii_case("content-length") {
                head.length = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.chunked = value.trim().eq_ignore_ascii_case("chunked");
            } else if name.eq_ignore_ascii_case("set-cookie") {
                let pair = value.split(';').next().unwrap_or_default().trim();
                let between = if head.cookies.is_empty() { "" } else { "; " };
                head.cookies += &format!("{between}{pair}");
            }
        }
        Ok(head)
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
