//! What was not sent when its owner locked: sealed under a key of its own from the safe key, and kept in
//! memory only.
//!
//! Sealed encoding: header, account (16), `u16` count, a chat (16) and a number of messages (4) each,
//! nonce (24), XChaCha20-Poly1305 of the contents. Associated data: everything before the nonce.
//!
//! Specification: `docs/protocol/accounts.md#unsent-messages`.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{SafeError, SafeKey};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::UserId;
use crate::labels;
use crate::primitives::{aead, kdf};
use crate::secret::secret;
use crate::suite::ObjectType;

/// Most chats that are named.
const MAX_CHATS: usize = 4_096;
/// Bytes of a chat and its number.
const CHAT_LEN: usize = 20;

secret! {
    /// Key of what was not sent, 32 bytes.
    struct UnsentKey(32)
}

/// What can be read without the key: whose it is, and how much waits for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentFront {
    /// The account.
    pub user_id: UserId,
    /// Chats with the number of messages in each.
    pub chats: Vec<(UserId, u32)>,
}

impl UnsentFront {
    /// Reads the part in front of the contents.
    pub fn decode(sealed: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(sealed);
        let front = Self::read(&mut reader)?;
        if reader.remaining() < 24 + aead::TAG_LEN {
            return Err(DecodeError::Truncated);
        }
        Ok(front)
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .header(ObjectType::Unsent)
            .raw(self.user_id.as_bytes())
            .len16(self.chats.len());
        for (chat, messages) in &self.chats {
            writer.raw(chat.as_bytes()).u32(*messages);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.header(ObjectType::Unsent)?;
        let user_id = UserId::from_bytes(*reader.array()?);
        let count = reader.count16(MAX_CHATS, CHAT_LEN)?;
        let mut chats = Vec::with_capacity(count);
        for _ in 0..count {
            chats.push((UserId::from_bytes(*reader.array()?), reader.u32()?));
        }
        Ok(Self { user_id, chats })
    }
}

/// Seals what `contents` writes; chats above the most that are named go unnamed.
pub fn seal_unsent(
    rng: &mut (impl CryptoRng + ?Sized),
    key: &SafeKey,
    mut front: UnsentFront,
    contents: &dyn Fn(&mut Writer),
) -> Vec<u8> {
    front.chats.truncate(MAX_CHATS);
    let mut nonce = [0; 24];
    rng.fill_bytes(&mut nonce);
    let ad = Writer::exact(0, &|writer| front.write(writer));
    let mut bytes = Writer::exact(aead::TAG_LEN, &|writer| {
        writer.raw(&ad).raw(&nonce);
        contents(writer);
    });
    let start = ad.len() + nonce.len();
    aead::seal_x(unsent_key(key).expose(), &nonce, &ad, &mut bytes, start);
    bytes
}

/// Opens what [`seal_unsent`] made.
pub fn open_unsent(key: &SafeKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SafeError> {
    let mut reader = Reader::new(sealed);
    UnsentFront::read(&mut reader)?;
    let (ad, _) = sealed.split_at(sealed.len() - reader.remaining());
    let nonce: &[u8; 24] = reader.array()?;
    let mut contents = Zeroizing::new(reader.rest().to_vec());
    let len = aead::open_x(unsent_key(key).expose(), nonce, ad, &mut contents)
        .map_err(|_| SafeError::BadSeal)?
        .len();
    contents.truncate(len);
    Ok(contents)
}

fn unsent_key(key: &SafeKey) -> UnsentKey {
    let mut unsent = UnsentKey::zeroed();
    kdf::derive(&[key.expose()], &[labels::UNSENT], unsent.expose_mut());
    unsent
}
