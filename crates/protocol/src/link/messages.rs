//! Encodings of open, opened, proof and active.

use api::ids::SessionId;
use zeroize::Zeroizing;

use super::hello::HelloHash;
use super::psk::PskId;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::Fingerprint;
use crate::ids::{LiveId, UserId};
use crate::primitives::agreement::AgreementPublic;
use crate::primitives::kem::{self, KemPublic};
use crate::primitives::signature::{SIGNATURE_LEN, Signature};
use crate::suite::ObjectType;

/// Length of a MAC in bytes.
pub(super) const MAC_LEN: usize = 64;

/// A link's name at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub [u8; 16]);

/// For whom a link is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// For a session, whose account will be proven by signature.
    Account { session: SessionId, live: LiveId },
    /// For a session, proven by the key of the link before.
    Known {
        session: SessionId,
        live: LiveId,
        psk: PskId,
    },
    /// For a page that shows a one-time link.
    Nobody,
}

/// Client to server.
///
/// Encoding: header, hash of the hello (64), mode (1), for a session its id (32) and live id (16), with a
/// key of the link before its id (16), X25519 (32), ML-KEM-1024 key (1568), ML-KEM-1024 ciphertext (1568).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenMessage {
    pub hello: HelloHash,
    pub mode: Mode,
    pub agreement: AgreementPublic,
    pub kem: KemPublic,
    pub ciphertext: Box<[u8; kem::CIPHERTEXT_LEN]>,
}

/// Server to client.
///
/// Encoding: header, link id (16), X25519 (32), ML-KEM-1024 ciphertext (1568), MAC (64).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenedMessage {
    pub link_id: LinkId,
    pub agreement: AgreementPublic,
    pub ciphertext: Box<[u8; kem::CIPHERTEXT_LEN]>,
    pub mac: [u8; MAC_LEN],
}

/// What a client says of its account inside a proof.
///
/// Encoding: header, user id (16), fingerprint (64), signature (4691).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AccountMessage {
    pub user_id: UserId,
    pub fingerprint: Fingerprint,
    pub signature: Signature,
}

/// What the server says inside active: whom it took the client for.
///
/// Encoding: header, and for a session user id (16), session id (32), live id (16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ActiveMessage(pub Option<(UserId, SessionId, LiveId)>);

impl OpenMessage {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::object(ObjectType::LinkOpen, 3_400);
        writer.raw(&self.hello.0);
        match &self.mode {
            Mode::Account { session, live } => {
                writer.u8(1).raw(session.as_bytes()).raw(live.as_bytes());
            }
            Mode::Known { session, live, psk } => {
                writer.u8(2).raw(session.as_bytes()).raw(live.as_bytes());
                writer.raw(&psk.0);
            }
            Mode::Nobody => {
                writer.u8(3);
            }
        }
        writer
            .raw(self.agreement.as_bytes())
            .raw(self.kem.as_bytes())
            .raw(self.ciphertext.as_slice());
        writer.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::LinkOpen)?;
        let hello = HelloHash(*reader.array()?);
        let kind = reader.u8()?;
        let mut ids = || -> Result<_, DecodeError> {
            let session = SessionId::from_bytes(*reader.array()?);
            Ok((session, LiveId::from_bytes(*reader.array()?)))
        };
        let mode = match kind {
            1 => {
                let (session, live) = ids()?;
                Mode::Account { session, live }
            }
            2 => {
                let (session, live) = ids()?;
                let psk = PskId(*reader.array()?);
                Mode::Known { session, live, psk }
            }
            3 => Mode::Nobody,
            _ => return Err(DecodeError::InvalidValue("mode")),
        };
        let open = Self {
            hello,
            mode,
            agreement: AgreementPublic::from_bytes(reader.array()?)?,
            kem: KemPublic::from_bytes(reader.array()?)?,
            ciphertext: Box::new(*reader.array()?),
        };
        reader.finish()?;
        Ok(open)
    }
}

impl OpenedMessage {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::object(ObjectType::LinkOpened, 1_680);
        writer
            .raw(&self.link_id.0)
            .raw(self.agreement.as_bytes())
            .raw(self.ciphertext.as_slice())
            .raw(&self.mac);
        writer.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::LinkOpened)?;
        let opened = Self {
            link_id: LinkId(*reader.array()?),
            agreement: AgreementPublic::from_bytes(reader.array()?)?,
            ciphertext: Box::new(*reader.array()?),
            mac: *reader.array()?,
        };
        reader.finish()?;
        Ok(opened)
    }
}

impl AccountMessage {
    /// With room for a tag.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let len = 16 + 64 + SIGNATURE_LEN + crate::primitives::aead::TAG_LEN;
        let mut writer = Writer::object(ObjectType::LinkAccount, len);
        writer
            .raw(self.user_id.as_bytes())
            .raw(self.fingerprint.as_bytes());
        self.signature.write(&mut writer);
        Zeroizing::new(writer.into_bytes())
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::LinkAccount)?;
        let account = Self {
            user_id: UserId::from_bytes(*reader.array()?),
            fingerprint: Fingerprint::from_bytes(*reader.array()?),
            signature: Signature::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(account)
    }
}

impl ActiveMessage {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::object(ObjectType::LinkActive, 80);
        if let Some((user_id, session, live)) = &self.0 {
            writer
                .raw(user_id.as_bytes())
                .raw(session.as_bytes())
                .raw(live.as_bytes());
        }
        writer.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::LinkActive)?;
        if reader.is_empty() {
            return Ok(Self(None));
        }
        let user_id = UserId::from_bytes(*reader.array()?);
        let session = SessionId::from_bytes(*reader.array()?);
        let live = LiveId::from_bytes(*reader.array()?);
        reader.finish()?;
        Ok(Self(Some((user_id, session, live))))
    }
}

/// A sealed proof and its MAC: header, sealed account or nothing, MAC (64).
pub(super) fn encode_proof(sealed: &[u8], mac: &[u8; MAC_LEN]) -> Vec<u8> {
    let mut writer = Writer::object(ObjectType::LinkProof, sealed.len() + MAC_LEN);
    writer.raw(sealed).raw(mac);
    writer.into_bytes()
}

/// Reads what [`encode_proof`] wrote.
pub(super) fn decode_proof(bytes: &[u8]) -> Result<(&[u8], &[u8; MAC_LEN]), DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.header(ObjectType::LinkProof)?;
    let sealed = match reader.remaining().checked_sub(MAC_LEN) {
        Some(len) => reader.take(len)?,
        None => return Err(DecodeError::Truncated),
    };
    let mac = reader.array()?;
    reader.finish()?;
    Ok((sealed, mac))
}
