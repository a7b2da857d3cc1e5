//! The key schedule: transcripts, handshake keys, chains.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::LinkError;
use super::chain::{Chain, ChainKey, Root, Side};
use super::hello::HelloHash;
use super::messages::{LinkId, MAC_LEN};
use super::psk::{Psk, PskId, PskKey};
use crate::labels;
use crate::primitives::agreement::{AgreementPublic, SharedSecret};
use crate::primitives::kdf::{self, sha3_512};
use crate::primitives::kem::{CIPHERTEXT_LEN, KemShared};
use crate::primitives::{aead, kdf::derive};
use crate::secret::secret;

secret! {
    /// A key of the handshake, 32 bytes.
    struct HandshakeKey(32)
}

/// th1 or th2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transcript(pub [u8; 64]);

/// What the handshake's key agreements gave.
pub(super) struct Agreed<'a> {
    pub psk: Option<&'a PskKey>,
    /// DH(EK_C, X_L).
    pub pair: SharedSecret,
    /// DH(EK_C, EK_S).
    pub fresh: SharedSecret,
    /// To the link pair.
    pub kem_server: KemShared,
    /// To the client's key.
    pub kem_client: KemShared,
}

/// k_s, k_c, h_c, h_s and next.
#[derive(Debug)]
pub(super) struct Handshake {
    transcript: Transcript,
    mac_server: HandshakeKey,
    mac_client: HandshakeKey,
    seal_client: HandshakeKey,
    seal_server: HandshakeKey,
    next: HandshakeKey,
}

/// What a handshake leaves behind.
pub(super) struct Started {
    pub from_client: Chain,
    pub from_server: Chain,
    pub root: Root,
    pub psk: Psk,
}

/// th1: the label, and each field behind a tag and, where its length varies, its length.
pub(super) fn opened_transcript(
    hello: &HelloHash,
    origin: &str,
    open: &[u8],
    link_id: &LinkId,
    agreement: &AgreementPublic,
    ciphertext: &[u8; CIPHERTEXT_LEN],
) -> Transcript {
    let len = |bytes: &[u8]| (bytes.len() as u64).to_be_bytes();
    Transcript(sha3_512(&[
        labels::LINK_TRANSCRIPT,
        &[0x01],
        &hello.0,
        &[0x02],
        &len(origin.as_bytes()),
        origin.as_bytes(),
        &[0x03],
        &len(open),
        open,
        &[0x04],
        &link_id.0,
        &[0x05],
        agreement.as_bytes(),
        &[0x06],
        ciphertext.as_slice(),
    ]))
}

impl Agreed<'_> {
    /// Derives the handshake's keys.
    pub(super) fn handshake(self, transcript: Transcript) -> Handshake {
        let mut keys = Zeroizing::new([0; 160]);
        let psk = self.psk.map_or(&[0; 32], |psk| psk.expose());
        derive(
            &[
                psk,
                self.pair.expose(),
                self.fresh.expose(),
                self.kem_server.expose(),
                self.kem_client.expose(),
            ],
            &[labels::LINK_HANDSHAKE, &transcript.0],
            keys.as_mut_slice(),
        );
        let mut parts = keys.as_chunks::<32>().0.iter();
        let mut next = || match parts.next() {
            Some(part) => HandshakeKey::copied(part),
            None => unreachable!("160 bytes hold five keys"),
        };
        Handshake {
            transcript,
            mac_server: next(),
            mac_client: next(),
            seal_client: next(),
            seal_server: next(),
            next: next(),
        }
    }
}

impl HandshakeKey {
    fn copied(bytes: &[u8; 32]) -> Self {
        let mut key = Self::zeroed();
        key.expose_mut().copy_from_slice(bytes);
        key
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; MAC_LEN] {
        let mut mac = [0; MAC_LEN];
        kdf::mac(self.expose(), parts, &mut mac);
        mac
    }

    fn check(&self, parts: &[&[u8]], mac: &[u8; MAC_LEN]) -> Result<(), LinkError> {
        match self.mac(parts).ct_eq(mac).into() {
            true => Ok(()),
            false => Err(LinkError::BadSeal),
        }
    }
}

impl Handshake {
    /// What an account signs: the transcript and who signs it.
    pub(super) fn signed(&self, user_id: &[u8; 16], fingerprint: &[u8; 64]) -> Vec<u8> {
        [&self.transcript.0[..], user_id, fingerprint].concat()
    }

    pub(super) fn server_mac(&self) -> [u8; MAC_LEN] {
        self.mac_server.mac(&[&self.transcript.0])
    }

    pub(super) fn check_server(&self, mac: &[u8; MAC_LEN]) -> Result<(), LinkError> {
        self.mac_server.check(&[&self.transcript.0], mac)
    }

    pub(super) fn client_mac(&self, sealed: &[u8]) -> [u8; MAC_LEN] {
        self.mac_client.mac(&[&self.transcript.0, sealed])
    }

    pub(super) fn check_client(&self, sealed: &[u8], mac: &[u8; MAC_LEN]) -> Result<(), LinkError> {
        self.mac_client.check(&[&self.transcript.0, sealed], mac)
    }

    /// Seals the account proof in place; the key seals nothing else.
    pub(super) fn seal_proof(&self, account: &mut Vec<u8>) {
        let key = self.seal_client.expose();
        aead::seal(key, &[0; 12], &self.transcript.0, account, 0);
    }

    pub(super) fn open_proof<'a>(&self, sealed: &'a mut [u8]) -> Result<&'a [u8], LinkError> {
        let key = self.seal_client.expose();
        Ok(aead::open(key, &[0; 12], &self.transcript.0, sealed)?)
    }

    /// Seals active in place.
    pub(super) fn seal_active(&self, proved: &Transcript, active: &mut Vec<u8>) {
        aead::seal(self.seal_server.expose(), &[0; 12], &proved.0, active, 0);
    }

    pub(super) fn open_active<'a>(
        &self,
        proved: &Transcript,
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], LinkError> {
        let key = self.seal_server.expose();
        Ok(aead::open(key, &[0; 12], &proved.0, sealed)?)
    }

    /// th2.
    pub(super) fn proved(&self, sealed: &[u8]) -> Transcript {
        let parts = [labels::LINK_PROOF_TRANSCRIPT, &self.transcript.0, sealed];
        Transcript(sha3_512(&parts))
    }

    /// The chains of a link whose proof was taken.
    pub(super) fn start(self, proved: &Transcript, now: u64) -> Started {
        let mut keys = Zeroizing::new([0; 144]);
        derive(
            &[self.next.expose()],
            &[labels::LINK_START, &proved.0],
            keys.as_mut_slice(),
        );
        let (parts, rest) = keys.as_chunks::<32>();
        let (from_client, from_server, root) = chains(parts, now);
        let (Some(key), Some(id)) = (parts.get(3), rest.first_chunk::<16>()) else {
            unreachable!("144 bytes hold four keys and an id");
        };
        let mut psk = PskKey::zeroed();
        psk.expose_mut().copy_from_slice(key);
        Started {
            from_client,
            from_server,
            root,
            psk: Psk {
                id: PskId(*id),
                key: psk,
            },
        }
    }
}

#[cfg(feature = "vectors")]
impl Handshake {
    /// k_s, k_c, h_c, h_s and next.
    pub(super) fn exposed(&self) -> [[u8; 32]; 5] {
        [
            &self.mac_server,
            &self.mac_client,
            &self.seal_client,
            &self.seal_server,
            &self.next,
        ]
        .map(|key| *key.expose())
    }
}

/// The chains and root of a renewed link.
pub(super) fn renewed(
    root: &Root,
    fresh: &SharedSecret,
    kem: &KemShared,
    renew: &[u8],
    answer: &[u8],
    now: u64,
) -> (Chain, Chain, Root) {
    let len = (renew.len() as u64).to_be_bytes();
    let messages = [labels::LINK_RENEWAL_TRANSCRIPT, &len, renew, answer];
    let mut keys = Zeroizing::new([0; 96]);
    derive(
        &[root.expose(), fresh.expose(), kem.expose()],
        &[labels::LINK_RENEWAL, &sha3_512(&messages)],
        keys.as_mut_slice(),
    );
    chains(keys.as_chunks::<32>().0, now)
}

fn chains(parts: &[[u8; 32]], now: u64) -> (Chain, Chain, Root) {
    let [client, server, next, ..] = parts else {
        unreachable!("three keys were derived")
    };
    let mut root = Root::zeroed();
    root.expose_mut().copy_from_slice(next);
    (
        Chain::new(ChainKey::copied(client), Side::Client, now),
        Chain::new(ChainKey::copied(server), Side::Server, now),
        root,
    )
}
