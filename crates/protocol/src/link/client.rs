//! The client's half of the handshake.

use core::marker::PhantomData;

use api::ids::SessionId;
use rand_core::CryptoRng;

pub use super::renewal::{ClientLink, Received};

use super::hello::VerifiedHello;
use super::messages::{
    AccountMessage, ActiveMessage, Mode, OpenMessage, OpenedMessage, encode_proof,
};
use super::psk::{Psk, PskKey};
use super::schedule::{Agreed, Handshake, Transcript, opened_transcript};
use super::{LinkError, hello::HelloHash, messages::LinkId};
use crate::epoch::LocalParty;
use crate::ids::{LiveId, UserId};
use crate::labels;
use crate::primitives::agreement::{AgreementSecret, SharedSecret};
use crate::primitives::kem::{KemSecret, KemShared};

/// The account will be proven by signature.
#[derive(Debug)]
pub enum Account {}
/// The account is proven by the key of the link before.
#[derive(Debug)]
pub enum Known {}
/// There is no account: a page that shows a one-time link.
#[derive(Debug)]
pub enum Nobody {}

/// An open that the server has not answered.
#[derive(Debug)]
pub struct Opening<M> {
    open: Vec<u8>,
    hello: HelloHash,
    origin: String,
    mode: Mode,
    agreement: AgreementSecret,
    kem: KemSecret,
    pair: SharedSecret,
    kem_server: KemShared,
    psk: Option<PskKey>,
    of: PhantomData<M>,
}

/// A proof that the server has not taken.
#[derive(Debug)]
pub struct Proving {
    handshake: Handshake,
    proved: Transcript,
    link_id: LinkId,
    mode: Mode,
    user_id: Option<UserId>,
}

/// A link, and what the next one may begin with.
#[derive(Debug)]
pub struct Active {
    /// Seals and opens frames.
    pub link: ClientLink,
    /// The link's name at the server.
    pub link_id: LinkId,
    /// For whom the server took this client; nobody on a page that shows a one-time link.
    pub user_id: Option<UserId>,
    /// The single-use key of the next link, where there is a session.
    pub psk: Option<Psk>,
}

impl Opening<Account> {
    /// Opens a link for a session; gives the open.
    pub fn for_account(
        rng: &mut (impl CryptoRng + ?Sized),
        hello: &VerifiedHello,
        origin: &str,
        session: SessionId,
        live: LiveId,
    ) -> Result<(Self, Vec<u8>), LinkError> {
        Self::begin(rng, hello, origin, Mode::Account { session, live }, None)
    }

    /// Checks the server's answer and signs for the account; gives the proof.
    pub fn prove(
        self,
        rng: &mut (impl CryptoRng + ?Sized),
        opened: &[u8],
        account: &LocalParty<'_>,
    ) -> Result<(Proving, Vec<u8>), LinkError> {
        let mode = self.mode;
        let (handshake, link_id) = self.opened(opened)?;
        let fingerprint = account.keys.fingerprint();
        let signed = handshake.signed(account.user_id.as_bytes(), fingerprint.as_bytes());
        let signing = &account.secrets.signing;
        let mut sealed = AccountMessage {
            user_id: account.user_id,
            fingerprint: *fingerprint,
            signature: signing.sign(rng, labels::LINK_ACCOUNT, &signed),
        }
        .encode();
        handshake.seal_proof(&mut sealed);
        let user_id = Some(account.user_id);
        Ok(Proving::new(handshake, link_id, mode, user_id, &sealed))
    }
}

impl Opening<Known> {
    /// Opens a link for a session with the key of the link before; gives the open.
    pub fn with_psk(
        rng: &mut (impl CryptoRng + ?Sized),
        hello: &VerifiedHello,
        origin: &str,
        session: SessionId,
        live: LiveId,
        psk: Psk,
    ) -> Result<(Self, Vec<u8>), LinkError> {
        let Psk { id, key } = psk;
        let mode = Mode::Known {
            session,
            live,
            psk: id,
        };
        Self::begin(rng, hello, origin, mode, Some(key))
    }

    /// Checks the server's answer; gives the proof.
    pub fn confirm(self, opened: &[u8]) -> Result<(Proving, Vec<u8>), LinkError> {
        self.prove_nothing(opened)
    }
}

impl Opening<Nobody> {
    /// Opens a link without an account; gives the open.
    pub fn for_nobody(
        rng: &mut (impl CryptoRng + ?Sized),
        hello: &VerifiedHello,
        origin: &str,
    ) -> Result<(Self, Vec<u8>), LinkError> {
        Self::begin(rng, hello, origin, Mode::Nobody, None)
    }

    /// Checks the server's answer; gives the proof.
    pub fn confirm(self, opened: &[u8]) -> Result<(Proving, Vec<u8>), LinkError> {
        self.prove_nothing(opened)
    }
}

impl<M> Opening<M> {
    fn begin(
        rng: &mut (impl CryptoRng + ?Sized),
        hello: &VerifiedHello,
        origin: &str,
        mode: Mode,
        psk: Option<PskKey>,
    ) -> Result<(Self, Vec<u8>), LinkError> {
        let (agreement, kem) = (AgreementSecret::generate(rng), KemSecret::generate(rng));
        let pair = agreement.agree(hello.agreement())?;
        let (ciphertext, kem_server) = hello.kem().encapsulate(rng);
        let open = OpenMessage {
            hello: *hello.hash(),
            mode,
            agreement: agreement.public(),
            kem: kem.public(),
            ciphertext,
        }
        .encode();
        let opening = Self {
            open: open.clone(),
            hello: *hello.hash(),
            origin: origin.to_owned(),
            mode,
            agreement,
            kem,
            pair,
            kem_server,
            psk,
            of: PhantomData,
        };
        Ok((opening, open))
    }

    /// Derives the handshake's keys and checks that the server has them.
    fn opened(self, opened: &[u8]) -> Result<(Handshake, LinkId), LinkError> {
        let opened = OpenedMessage::decode(opened)?;
        let transcript = opened_transcript(
            &self.hello,
            &self.origin,
            &self.open,
            &opened.link_id,
            &opened.agreement,
            &opened.ciphertext,
        );
        let handshake = Agreed {
            psk: self.psk.as_ref(),
            fresh: self.agreement.agree(&opened.agreement)?,
            kem_client: self.kem.decapsulate(&opened.ciphertext),
            pair: self.pair,
            kem_server: self.kem_server,
        }
        .handshake(transcript);
        handshake.check_server(&opened.mac)?;
        Ok((handshake, opened.link_id))
    }

    fn prove_nothing(self, opened: &[u8]) -> Result<(Proving, Vec<u8>), LinkError> {
        let mode = self.mode;
        let (handshake, link_id) = self.opened(opened)?;
        Ok(Proving::new(handshake, link_id, mode, None, &[]))
    }
}

impl Proving {
    fn new(
        handshake: Handshake,
        link_id: LinkId,
        mode: Mode,
        user_id: Option<UserId>,
        sealed: &[u8],
    ) -> (Self, Vec<u8>) {
        let proof = encode_proof(sealed, &handshake.client_mac(sealed));
        let proving = Self {
            proved: handshake.proved(sealed),
            handshake,
            link_id,
            mode,
            user_id,
        };
        (proving, proof)
    }

    /// Opens the server's word that the link is active, and compares whom it is for.
    pub fn active(self, now: u64, sealed: &[u8]) -> Result<Active, LinkError> {
        let mut buffer = sealed.to_vec();
        let plain = self.handshake.open_active(&self.proved, &mut buffer)?;
        let ActiveMessage(told) = ActiveMessage::decode(plain)?;
        let mine = match self.mode {
            Mode::Account { session, live } | Mode::Known { session, live, .. } => {
                Some((session, live))
            }
            Mode::Nobody => None,
        };
        if told.map(|(_, session, live)| (session, live)) != mine {
            return Err(LinkError::OtherSession);
        }
        let user_id = told.map(|(user_id, ..)| user_id);
        if self.user_id.is_some() && self.user_id != user_id {
            return Err(LinkError::OtherAccount);
        }
        let (link, psk) = ClientLink::new(self.handshake.start(&self.proved, now));
        Ok(Active {
            link,
            link_id: self.link_id,
            user_id,
            psk: mine.map(|_| psk),
        })
    }
}

#[cfg(feature = "vectors")]
impl<M> Opening<M> {
    /// What both ends agree on by this answer of the server, for whoever looks for it in a server's memory:
    /// the results of both exchanges and both encapsulations.
    pub fn agreed(&self, opened: &[u8]) -> Result<[[u8; 32]; 4], LinkError> {
        let opened = OpenedMessage::decode(opened)?;
        Ok([
            *self.pair.expose(),
            *self.agreement.agree(&opened.agreement)?.expose(),
            *self.kem_server.expose(),
            *self.kem.decapsulate(&opened.ciphertext).expose(),
        ])
    }
}

#[cfg(feature = "vectors")]
impl Proving {
    /// k_s, k_c, h_c, h_s and next, for whoever looks for them in a server's memory.
    pub fn exposed(&self) -> [[u8; 32]; 5] {
        self.handshake.exposed()
    }
}

#[cfg(feature = "vectors")]
impl Opening<Nobody> {
    /// X25519 private half, ML-KEM seed and the secret to the link pair, to be published.
    pub(crate) fn exposed(&self) -> [&[u8]; 3] {
        [
            self.agreement.expose(),
            self.kem.expose(),
            self.kem_server.expose(),
        ]
    }

    /// The opening whose private halves were published.
    pub(crate) fn published(
        open: &[u8],
        hello: &VerifiedHello,
        origin: &str,
        (agreement, kem, kem_server): (&[u8; 32], &[u8; 64], &[u8; 32]),
    ) -> Result<Self, LinkError> {
        let agreement = AgreementSecret::from_bytes(agreement);
        Ok(Self {
            open: open.to_vec(),
            hello: *hello.hash(),
            origin: origin.to_owned(),
            mode: Mode::Nobody,
            pair: agreement.agree(hello.agreement())?,
            agreement,
            kem: KemSecret::from_bytes(kem),
            kem_server: KemShared::from_bytes(kem_server),
            psk: None,
            of: PhantomData,
        })
    }
}
