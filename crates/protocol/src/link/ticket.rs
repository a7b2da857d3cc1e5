//! Tickets: a large body over HTTP, as a STREAM of sealed chunks under a key of its own.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{LinkError, overwrite_stack};
use crate::codec::{DecodeError, Reader, Writer};
use crate::primitives::aead;
use crate::secret::secret;
use crate::suite::{ObjectType, SUITE, VERSION};

/// Plaintext bytes in every chunk but the last: 16 KiB.
const CHUNK_LEN: usize = 16 << 10;
/// Bytes of a ticket that every chunk is bound to: header, id, direction, length.
const BOUND_LEN: usize = 3 + 16 + 1 + 8;

secret! {
    /// Key of one body, 32 bytes.
    struct TicketKey(32)
}

/// Which way a body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Up = 1,
    /// From the server to the client.
    Down = 2,
}

/// Leave to send one body, announced in a frame of the link; using it consumes it.
///
/// Encoding: header, id (16), direction (1), length (8), key (32).
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    id: [u8; 16],
    direction: Direction,
    len: u64,
    key: TicketKey,
}

/// Seals the chunks of a body; its key is erased with it.
#[derive(Debug)]
pub struct TicketSealer(Stream);

/// Opens the chunks of a body; its key is erased with it.
#[derive(Debug)]
pub struct TicketOpener(Stream);

#[derive(Debug)]
struct Stream {
    ticket: Ticket,
    index: u64,
    left: u64,
    is_over: bool,
}

/// How many bytes a body takes when it is sealed.
pub fn sealed_len(len: u64) -> u64 {
    let chunks = len.div_ceil(CHUNK_LEN as u64).max(1);
    len.saturating_add(chunks.saturating_mul(aead::TAG_LEN as u64))
}

impl Ticket {
    /// Draws a ticket for a body of `len` bytes.
    pub fn issue(rng: &mut (impl CryptoRng + ?Sized), direction: Direction, len: u64) -> Self {
        let (mut id, mut key) = ([0; 16], TicketKey::zeroed());
        rng.fill_bytes(&mut id);
        rng.fill_bytes(key.expose_mut());
        Self {
            id,
            direction,
            len,
            key,
        }
    }

    /// The name in the body's path.
    pub const fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// Which way the body goes.
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Plaintext bytes of the body.
    pub const fn body_len(&self) -> u64 {
        self.len
    }

    /// Encodes the ticket, to be sealed in a frame.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::with_capacity(BOUND_LEN + 32);
        writer.raw(&self.bound()).raw(self.key.expose());
        Zeroizing::new(writer.into_bytes())
    }

    /// Decodes a ticket out of a frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::LinkTicket)?;
        let id = *reader.array()?;
        let direction = match reader.u8()? {
            1 => Direction::Up,
            2 => Direction::Down,
            _ => return Err(DecodeError::InvalidValue("direction")),
        };
        let len = reader.u64()?;
        let mut key = TicketKey::zeroed();
        key.expose_mut().copy_from_slice(reader.array::<32>()?);
        reader.finish()?;
        Ok(Self {
            id,
            direction,
            len,
            key,
        })
    }

    /// Uses the ticket to send.
    pub fn into_sealer(self) -> TicketSealer {
        TicketSealer(Stream::new(self))
    }

    /// Uses the ticket to receive.
    pub fn into_opener(self) -> TicketOpener {
        TicketOpener(Stream::new(self))
    }

    /// What every chunk is bound to.
    fn bound(&self) -> [u8; BOUND_LEN] {
        let mut bound = [0; BOUND_LEN];
        let parts: [&[u8]; 4] = [
            &[ObjectType::LinkTicket as u8, VERSION, SUITE],
            &self.id,
            &[self.direction as u8],
            &self.len.to_be_bytes(),
        ];
        for (to, from) in bound.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        bound
    }
}

impl Stream {
    const fn new(ticket: Ticket) -> Self {
        let left = ticket.len;
        Self {
            ticket,
            index: 0,
            left,
            is_over: false,
        }
    }

    /// Plaintext bytes of the next chunk; none after the last.
    fn next_len(&self) -> Option<usize> {
        let most = usize::try_from(self.left).unwrap_or(CHUNK_LEN);
        (!self.is_over).then_some(most.min(CHUNK_LEN))
    }

    /// The nonce of a chunk of `len` bytes: three zeros, its number, and whether it is the last.
    fn advance(&mut self, len: usize) -> [u8; 12] {
        self.left -= len as u64;
        self.is_over = self.left == 0;
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().skip(3).zip(self.index.to_be_bytes()) {
            *to = from;
        }
        if let Some(last) = nonce.last_mut() {
            *last = u8::from(self.is_over);
        }
        self.index += 1;
        nonce
    }
}

impl TicketSealer {
    /// Plaintext bytes that the next chunk takes; none after the last.
    pub fn next_len(&self) -> Option<usize> {
        self.0.next_len()
    }

    /// Seals the next chunk, which has exactly [`TicketSealer::next_len`] bytes.
    pub fn seal(&mut self, chunk: &[u8]) -> Result<Vec<u8>, LinkError> {
        if self.0.next_len() != Some(chunk.len()) {
            return Err(LinkError::TooLong);
        }
        let nonce = self.0.advance(chunk.len());
        let mut sealed = Writer::with_capacity(chunk.len() + aead::TAG_LEN);
        sealed.raw(chunk);
        let mut sealed = sealed.into_bytes();
        let ticket = &self.0.ticket;
        aead::seal(ticket.key.expose(), &nonce, &ticket.bound(), &mut sealed, 0);
        overwrite_stack();
        Ok(sealed)
    }
}

impl TicketOpener {
    /// Sealed bytes of the next chunk; none after the last.
    pub fn next_len(&self) -> Option<usize> {
        Some(self.0.next_len()? + aead::TAG_LEN)
    }

    /// Opens the next chunk in place; an error ends the body.
    pub fn open<'a>(&mut self, sealed: &'a mut [u8]) -> Result<&'a [u8], LinkError> {
        let opened = self.try_open(sealed);
        overwrite_stack();
        if opened.is_err() {
            // A body that was cut is not one that ended.
            (self.0.left, self.0.is_over) = (u64::MAX, true);
        }
        opened
    }

    fn try_open<'a>(&mut self, sealed: &'a mut [u8]) -> Result<&'a [u8], LinkError> {
        if self.next_len() != Some(sealed.len()) {
            return Err(LinkError::TooLong);
        }
        let nonce = self.0.advance(sealed.len() - aead::TAG_LEN);
        let ticket = &self.0.ticket;
        let key = ticket.key.expose();
        Ok(aead::open(key, &nonce, &ticket.bound(), sealed)?)
    }

    /// Whether the whole body was opened.
    pub const fn is_whole(&self) -> bool {
        self.0.is_over && self.0.left == 0
    }
}
