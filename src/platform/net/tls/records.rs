//! Records in and out of buffers of our own.

use std::io;
use std::sync::Arc;

use ambient::alloc::wipe;
use rustls::ServerConfig;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use tokio::io::ReadBuf;

/// Room made for what comes in, at first and at most: a record is at most 18 KiB, and the messages
/// of a handshake may be longer.
const ROOM: usize = 4 * 1024;
const MOST_ROOM: usize = 64 * 1024;

/// What is asked of the connection besides working off what came in.
pub(super) enum Ask<'a> {
    Nothing,
    /// Encrypt this.
    Encrypt(&'a [u8]),
    /// Say goodbye.
    Close,
}

/// A connection without its socket.
pub(super) struct Records {
    tls: UnbufferedServerConnection,
    incoming: Vec<u8>,
    filled: usize,
    outgoing: Vec<u8>,
    sent: usize,
    plain: Vec<u8>,
    given: usize,
    established: bool,
    ended: bool,
}

impl Records {
    pub(super) fn new(config: Arc<ServerConfig>) -> io::Result<Self> {
        Ok(Self {
            tls: UnbufferedServerConnection::new(config).map_err(invalid)?,
            incoming: Vec::new(),
            filled: 0,
            outgoing: Vec::new(),
            sent: 0,
            plain: Vec::new(),
            given: 0,
            established: false,
            ended: false,
        })
    }

    /// Says whether application data can pass.
    pub(super) fn is_established(&self) -> bool {
        self.established
    }

    /// Says whether nothing more will come in.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Makes room for what comes in.
    pub(super) fn room(&mut self) -> io::Result<&mut [u8]> {
        if self.filled == self.incoming.len() {
            if self.filled >= MOST_ROOM {
                return Err(invalid("a record or handshake message is too long"));
            }
            let room = (self.incoming.len() * 2).max(ROOM);
            self.incoming.resize(room, 0);
        }
        Ok(&mut self.incoming[self.filled..])
    }

    /// Counts bytes that came in; none means the end.
    pub(super) fn received(&mut self, count: usize) {
        self.filled += count;
        self.ended |= count == 0;
    }

    /// Returns what is to be sent next.
    pub(super) fn to_send(&self) -> Option<&[u8]> {
        (self.sent < self.outgoing.len()).then(|| &self.outgoing[self.sent..])
    }

    /// Counts bytes that were sent.
    pub(super) fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.outgoing.len() {
            self.outgoing = Vec::new();
            self.sent = 0;
        }
    }

    /// Gives decrypted bytes away, and wipes them; returns whether there were any.
    pub(super) fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        if self.plain.is_empty() {
            return false;
        }
        let left = &mut self.plain[self.given..];
        let count = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..count]);
        wipe(&mut left[..count]);
        self.given += count;
        if self.given == self.plain.len() {
            self.plain = Vec::new();
            self.given = 0;
        }
        true
    }

    /// Works off what came in, and then does what is asked; returns whether it was done.
    pub(super) fn advance(&mut self, mut ask: Ask<'_>) -> io::Result<bool> {
        loop {
            let UnbufferedStatus {
                mut discard, state, ..
            } = self
                .tls
                .process_tls_records(&mut self.incoming[..self.filled]);
            let mut done = None;
            let mut failed = None;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(invalid)?;
                        discard += record.discard;
                        self.plain.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(&mut self.outgoing, 0, |room| match data.encode(room) {
                        Err(EncodeError::InsufficientSize(size)) => Ok(Err(size.required_size)),
                        encoded => encoded.map(Ok).map_err(invalid),
                    })?;
                }
                // What was encoded goes out before anything that is encrypted later.
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(ConnectionState::Closed) => {
                    self.ended = true;
                    done = Some(false);
                }
                Ok(ConnectionState::BlockedHandshake) => done = Some(false),
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    self.established = true;
                    let bytes = match &ask {
                        Ask::Encrypt(bytes) => bytes.len() + 64,
                        _ => 64,
                    };
                    let mut encrypt = |room: &mut [u8]| match &ask {
                        Ask::Nothing => Ok(0),
                        Ask::Encrypt(bytes) => traffic.encrypt(bytes, room),
                        Ask::Close => traffic.queue_close_notify(room),
                    };
                    append(&mut self.outgoing, bytes, |room| match encrypt(room) {
                        Err(EncryptError::InsufficientSize(size)) => Ok(Err(size.required_size)),
                        encrypted => encrypted.map(Ok).map_err(invalid),
                    })?;
                    ask = Ask::Nothing;
                    done = Some(true);
                }
                Ok(_) => failed = Some(invalid("a state of TLS that was not agreed on")),
                Err(error) => failed = Some(invalid(error)),
            }
            self.discard(discard);
            if let Some(error) = failed {
                self.encode_alert();
                return Err(error);
            }
            if let Some(done) = done {
                return Ok(done);
            }
        }
    }

    /// Puts the alert that an error left behind into the outgoing bytes.
    fn encode_alert(&mut self) {
        self.ended = true;
        let status = self.tls.process_tls_records(&mut []);
        if let Ok(ConnectionState::EncodeTlsData(mut data)) = status.state {
            let _none = append(&mut self.outgoing, 64, |room| match data.encode(room) {
                Err(EncodeError::InsufficientSize(size)) => Ok(Err(size.required_size)),
                encoded => encoded.map(Ok).map_err(invalid),
            });
        }
    }

    /// Drops what was worked off, which may have been decrypted in place, and leaves no copy.
    fn discard(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let left = self.filled - count;
        self.incoming.copy_within(count..self.filled, 0);
        wipe(&mut self.incoming[left..self.filled]);
        self.filled = left;
        if left == 0 {
            self.incoming = Vec::new();
        }
    }
}

/// Appends what `write` writes into the room it is given, which is made larger when it asks.
fn append(
    bytes: &mut Vec<u8>,
    room: usize,
    mut write: impl FnMut(&mut [u8]) -> io::Result<Result<usize, usize>>,
) -> io::Result<()> {
    let start = bytes.len();
    let mut room = room;
    loop {
        bytes.resize(start + room, 0);
        match write(&mut bytes[start..])? {
            Ok(count) => {
                bytes.truncate(start + count);
                return Ok(());
            }
            Err(required) => room = required,
        }
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
