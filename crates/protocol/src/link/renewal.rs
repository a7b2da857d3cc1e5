//! A link's ends: frames both ways, and their renewal with fresh keys.

use rand_core::CryptoRng;

use super::chain::{Chain, Root};
use super::frame::Kind;
use super::schedule::renewed;
use super::{LinkError, schedule::Started};
use crate::codec::{DecodeError, Reader, Writer};
use crate::primitives::agreement::{AgreementPublic, AgreementSecret};
use crate::primitives::kem::{KemPublic, KemSecret};
use crate::suite::ObjectType;

/// What a frame brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// Bytes of the application.
    Data(&'a [u8]),
    /// A step of a renewal; this frame, if there is one, is to be sent before any other.
    Renewal(Option<Vec<u8>>),
}

/// The client's end of a link.
#[derive(Debug)]
pub struct ClientLink {
    out: Chain,
    into: Chain,
    root: Root,
    renewing: Option<Renewing>,
}

/// The server's end of a link.
#[derive(Debug)]
pub struct ServerLink {
    out: Chain,
    into: Chain,
    root: Root,
    /// What opens the client's frames once it has switched.
    next: Option<Chain>,
}

/// A renewal that the server has not answered.
#[derive(Debug)]
struct Renewing {
    agreement: AgreementSecret,
    kem: KemSecret,
    message: Vec<u8>,
}

impl ClientLink {
    pub(super) fn new(started: Started) -> (Self, super::Psk) {
        let link = Self {
            out: started.from_client,
            into: started.from_server,
            root: started.root,
            renewing: None,
        };
        (link, started.psk)
    }

    /// Seals a payload of at most [`super::MAX_PAYLOAD`] bytes as a frame.
    pub fn seal(&mut self, now: u64, payload: &[u8]) -> Result<Vec<u8>, LinkError> {
        self.out.seal(now, Kind::Data, payload)
    }

    /// Whether it is time for [`ClientLink::renew`].
    pub const fn wants_renewal(&self, now: u64) -> bool {
        self.renewing.is_none() && (self.out.is_worn(now) || self.into.is_worn(now))
    }

    /// Begins a renewal: gives the frame to send.
    pub fn renew(
        &mut self,
        rng: &mut (impl CryptoRng + ?Sized),
        now: u64,
    ) -> Result<Vec<u8>, LinkError> {
        if self.renewing.is_some() {
            return Err(LinkError::OutOfOrder);
        }
        let (agreement, kem) = (AgreementSecret::generate(rng), KemSecret::generate(rng));
        let mut message = Writer::object(ObjectType::LinkRenew, 1_600);
        message
            .raw(agreement.public().as_bytes())
            .raw(kem.public().as_bytes());
        let message = message.into_bytes();
        let frame = self.out.seal(now, Kind::Renew, &message)?;
        self.renewing = Some(Renewing {
            agreement,
            kem,
            message,
        });
        Ok(frame)
    }

    /// Opens a frame in place; an error ends the link.
    pub fn receive<'a>(
        &mut self,
        now: u64,
        frame: &'a mut [u8],
    ) -> Result<Received<'a>, LinkError> {
        let received = match self.into.open(now, frame) {
            Ok((Kind::Data, payload)) => Ok(Received::Data(payload)),
            Ok((Kind::Renewed, answer)) => self.switch(now, answer),
            Ok((Kind::Renew | Kind::Switched, _)) => Err(LinkError::OutOfOrder),
            Err(error) => Err(error),
        };
        if received.is_err() {
            self.end();
        }
        received
    }

    fn switch(&mut self, now: u64, answer: &[u8]) -> Result<Received<'static>, LinkError> {
        let renewing = self.renewing.take().ok_or(LinkError::OutOfOrder)?;
        let mut reader = Reader::new(answer);
        reader.header(ObjectType::LinkRenewed)?;
        let theirs = AgreementPublic::from_bytes(reader.array()?)?;
        let kem = renewing.kem.decapsulate(reader.array()?);
        reader.finish()?;
        let fresh = renewing.agreement.agree(&theirs)?;
        let last = self.out.seal(now, Kind::Switched, &[])?;
        (self.out, self.into, self.root) =
            renewed(&self.root, &fresh, &kem, &renewing.message, answer, now);
        Ok(Received::Renewal(Some(last)))
    }

    /// Erases all keys.
    pub fn end(&mut self) {
        self.out.end();
        self.into.end();
        self.root = Root::zeroed();
        self.renewing = None;
    }
}

#[cfg(feature = "vectors")]
impl ClientLink {
    /// The present secrets, for whoever looks for them in a server's memory: both chains' keys, the keys of
    /// their next frames, and the root.
    pub fn exposed(&self) -> Vec<[u8; 32]> {
        let chains = [&self.out, &self.into].into_iter();
        let mut exposed: Vec<_> = chains.flat_map(Chain::exposed).collect();
        exposed.push(*self.root.expose());
        exposed
    }
}

impl ServerLink {
    pub(super) fn new(started: Started) -> (Self, super::Psk) {
        let link = Self {
            out: started.from_server,
            into: started.from_client,
            root: started.root,
            next: None,
        };
        (link, started.psk)
    }

    /// Seals a payload of at most [`super::MAX_PAYLOAD`] bytes as a frame.
    pub fn seal(&mut self, now: u64, payload: &[u8]) -> Result<Vec<u8>, LinkError> {
        self.out.seal(now, Kind::Data, payload)
    }

    /// Opens a frame in place; an error ends the link.
    pub fn receive<'a>(
        &mut self,
        rng: &mut (impl CryptoRng + ?Sized),
        now: u64,
        frame: &'a mut [u8],
    ) -> Result<Received<'a>, LinkError> {
        let received = match self.into.open(now, frame) {
            Ok((Kind::Data, payload)) => Ok(Received::Data(payload)),
            Ok((Kind::Renew, message)) => self.answer(rng, now, message),
            Ok((Kind::Switched, [])) => self.switch(),
            Ok((Kind::Switched, _)) => Err(DecodeError::TrailingBytes.into()),
            Ok((Kind::Renewed, _)) => Err(LinkError::OutOfOrder),
            Err(error) => Err(error),
        };
        if received.is_err() {
            self.end();
        }
        received
    }

    fn answer(
        &mut self,
        rng: &mut (impl CryptoRng + ?Sized),
        now: u64,
        message: &[u8],
    ) -> Result<Received<'static>, LinkError> {
        let too_soon = self.into.is_new(now) && self.out.is_new(now);
        if too_soon || self.next.is_some() {
            return Err(LinkError::OutOfOrder);
        }
        let mut reader = Reader::new(message);
        reader.header(ObjectType::LinkRenew)?;
        let theirs = AgreementPublic::from_bytes(reader.array()?)?;
        let their_kem = KemPublic::from_bytes(reader.array()?)?;
        reader.finish()?;
        let agreement = AgreementSecret::generate(rng);
        let (ciphertext, kem) = their_kem.encapsulate(rng);
        let fresh = agreement.agree(&theirs)?;
        let mut answer = Writer::object(ObjectType::LinkRenewed, 1_600);
        answer
            .raw(agreement.public().as_bytes())
            .raw(ciphertext.as_slice());
        let answer = answer.into_bytes();
        let frame = self.out.seal(now, Kind::Renewed, &answer)?;
        let (into, out, root) = renewed(&self.root, &fresh, &kem, message, &answer, now);
        (self.out, self.root, self.next) = (out, root, Some(into));
        Ok(Received::Renewal(Some(frame)))
    }

    fn switch(&mut self) -> Result<Received<'static>, LinkError> {
        self.into = self.next.take().ok_or(LinkError::OutOfOrder)?;
        Ok(Received::Renewal(None))
    }

    /// Erases all keys.
    pub fn end(&mut self) {
        self.out.end();
        self.into.end();
        self.root = Root::zeroed();
        self.next = None;
    }
}
