//! The server's half of the handshake.

use api::ids::SessionId;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

pub use super::renewal::{Received, ServerLink};

use super::LinkError;
use super::hello::LinkPair;
use super::messages::{
    AccountMessage, ActiveMessage, LinkId, Mode, OpenMessage, OpenedMessage, decode_proof,
};
use super::psk::{KnownSession, PskId};
use super::schedule::{Agreed, Handshake, Transcript, opened_transcript};
use crate::identity::{AccountKeys, Fingerprint};
use crate::ids::{LiveId, UserId};
use crate::labels;
use crate::primitives::agreement::AgreementSecret;
use crate::primitives::signature::Signature;

/// A client's open.
#[derive(Debug, PartialEq, Eq)]
pub struct Open {
    message: OpenMessage,
    bytes: Vec<u8>,
}

/// What an open is held against.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The pair whose hello went out on this socket.
    pub pair: &'a LinkPair,
    /// Where clients find this server: scheme, host and port.
    pub origin: &'a str,
    /// The session of the socket's cookie.
    pub session: Option<&'a SessionId>,
    /// Unix seconds.
    pub now: u64,
}

/// For whom a link is.
type Whom = Option<(UserId, SessionId, LiveId)>;

/// An answered open whose proof has not come.
#[derive(Debug)]
pub struct Answered {
    handshake: Handshake,
    link_id: LinkId,
    who: Expected,
}

#[derive(Debug)]
enum Expected {
    Account(SessionId, LiveId),
    Whom(Whom),
}

/// A proof that was read.
#[derive(Debug)]
pub enum Read {
    /// It names an account, whose keys and session are to be looked up.
    Account(Box<Claimed>),
    /// It needs no look-up.
    Ready(Box<Ready>),
}

/// A claim to be an account, until [`Claimed::verify`].
#[derive(Debug)]
pub struct Claimed {
    ready: Ready,
    signed: Vec<u8>,
    user_id: UserId,
    fingerprint: Fingerprint,
    signature: Signature,
    session: SessionId,
    live: LiveId,
}

/// Proof that the client is whom the link is for.
#[derive(Debug)]
pub struct Ready {
    handshake: Handshake,
    proved: Transcript,
    link_id: LinkId,
    whom: Whom,
}

/// A link, and what the server keeps for the next one.
#[derive(Debug)]
pub struct Activated {
    /// Seals and opens frames.
    pub link: ServerLink,
    /// The message that tells the client.
    pub active: Vec<u8>,
    /// The link's name.
    pub link_id: LinkId,
    /// The account; nobody for a page that shows a one-time link.
    pub user_id: Option<UserId>,
    /// To be kept for the next link, where there is a session.
    pub known: Option<KnownSession>,
}

impl Open {
    /// Decodes; nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, LinkError> {
        Ok(Self {
            message: OpenMessage::decode(bytes)?,
            bytes: bytes.to_vec(),
        })
    }

    /// The key of the link before that the open names, to be taken out of [`super::Psks`].
    pub const fn psk(&self) -> Option<(&SessionId, &LiveId, &PskId)> {
        match &self.message.mode {
            Mode::Known { session, live, psk } => Some((session, live, psk)),
            Mode::Account { .. } | Mode::Nobody => None,
        }
    }

    /// The live session that the open names.
    pub const fn live_id(&self) -> Option<&LiveId> {
        match &self.message.mode {
            Mode::Account { live, .. } | Mode::Known { live, .. } => Some(live),
            Mode::Nobody => None,
        }
    }

    /// Refuses an open for another hello, time or session than the socket's; look nothing up before.
    pub fn check(&self, place: &Place<'_>) -> Result<(), LinkError> {
        if self.message.hello != *place.pair.hash() {
            return Err(LinkError::OtherHello);
        }
        if place.pair.is_over(place.now) {
            return Err(LinkError::OtherTime);
        }
        match (&self.message.mode, place.session) {
            (Mode::Nobody, _) => Ok(()),
            (Mode::Account { session, .. } | Mode::Known { session, .. }, Some(cookie))
                if bool::from(session.as_bytes().ct_eq(cookie.as_bytes())) =>
            {
                Ok(())
            }
            _ => Err(LinkError::OtherSession),
        }
    }
}

/// Answers an open; `known` is the key that it names, taken out.
pub fn answer(
    rng: &mut (impl CryptoRng + ?Sized),
    place: &Place<'_>,
    open: &Open,
    known: Option<KnownSession>,
) -> Result<(Answered, Vec<u8>), LinkError> {
    open.check(place)?;
    let (who, psk) = expected(&open.message.mode, known)?;
    let message = &open.message;
    let (pair, kem_server) = place.pair.agree(&message.agreement, &message.ciphertext)?;
    let agreement = AgreementSecret::generate(rng);
    let fresh = agreement.agree(&message.agreement)?;
    let (ciphertext, kem_client) = message.kem.encapsulate(rng);
    let mut link_id = LinkId([0; 16]);
    rng.fill_bytes(&mut link_id.0);
    let public = agreement.public();
    let transcript = opened_transcript(
        place.pair.hash(),
        place.origin,
        &open.bytes,
        &link_id,
        &public,
        &ciphertext,
    );
    let handshake = Agreed {
        psk: psk.as_ref().map(|psk| &psk.key),
        pair,
        fresh,
        kem_server,
        kem_client,
    }
    .handshake(transcript);
    let opened = OpenedMessage {
        link_id,
        agreement: public,
        ciphertext,
        mac: handshake.server_mac(),
    };
    let answered = Answered {
        handshake,
        link_id,
        who,
    };
    Ok((answered, opened.encode()))
}

/// Whom the proof has to be of, and the key of the link before.
fn expected(
    mode: &Mode,
    known: Option<KnownSession>,
) -> Result<(Expected, Option<super::Psk>), LinkError> {
    match (*mode, known) {
        (Mode::Account { session, live }, _) => Ok((Expected::Account(session, live), None)),
        (Mode::Nobody, _) => Ok((Expected::Whom(None), None)),
        (Mode::Known { session, live, psk }, Some(known))
            if known.psk.id == psk && known.session_id == session && known.live_id == live =>
        {
            let whom = Some((known.user_id, session, live));
            Ok((Expected::Whom(whom), Some(known.psk)))
        }
        (Mode::Known { .. }, _) => Err(LinkError::UnknownPsk),
    }
}

impl Answered {
    /// Checks the proof's MAC and opens what it seals.
    pub fn read(self, proof: &[u8]) -> Result<Read, LinkError> {
        let (sealed, mac) = decode_proof(proof)?;
        self.handshake.check_client(sealed, mac)?;
        let proved = self.handshake.proved(sealed);
        let mut ready = Ready {
            handshake: self.handshake,
            proved,
            link_id: self.link_id,
            whom: None,
        };
        match self.who {
            Expected::Whom(whom) if sealed.is_empty() => {
                ready.whom = whom;
                Ok(Read::Ready(Box::new(ready)))
            }
            Expected::Whom(_) => Err(crate::DecodeError::TrailingBytes.into()),
            Expected::Account(session, live) => {
                let mut buffer = sealed.to_vec();
                let account = AccountMessage::decode(ready.handshake.open_proof(&mut buffer)?)?;
                let fingerprint = account.fingerprint.as_bytes();
                let signed = ready
                    .handshake
                    .signed(account.user_id.as_bytes(), fingerprint);
                Ok(Read::Account(Box::new(Claimed {
                    ready,
                    signed,
                    user_id: account.user_id,
                    fingerprint: account.fingerprint,
                    signature: account.signature,
                    session,
                    live,
                })))
            }
        }
    }
}

impl Claimed {
    /// The account that the proof names.
    pub const fn user_id(&self) -> &UserId {
        &self.user_id
    }

    /// Checks that the session is the account's and that the account's keys signed.
    pub fn verify(mut self, owner: &UserId, keys: &AccountKeys) -> Result<Ready, LinkError> {
        let same_keys = keys.expect(&self.fingerprint).is_ok();
        if self.user_id != *owner || !same_keys {
            return Err(LinkError::OtherAccount);
        }
        keys.verify()
            .verify(labels::LINK_ACCOUNT, &self.signed, &self.signature)?;
        self.ready.whom = Some((self.user_id, self.session, self.live));
        Ok(self.ready)
    }
}

impl Ready {
    /// Starts the link; gives the message that tells the client.
    pub fn activate(self, now: u64) -> Activated {
        let mut active = ActiveMessage(self.whom).encode();
        self.handshake.seal_active(&self.proved, &mut active);
        let (link, psk) = ServerLink::new(self.handshake.start(&self.proved, now));
        Activated {
            link,
            active,
            link_id: self.link_id,
            user_id: self.whom.map(|(user_id, ..)| user_id),
            known: self
                .whom
                .map(|(user_id, session_id, live_id)| KnownSession {
                    psk,
                    user_id,
                    session_id,
                    live_id,
                }),
        }
    }
}
