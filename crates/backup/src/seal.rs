//! One sealed object.
//!
//! ```text
//! "SMBK" ‖ version ‖ salt (32) ‖ key tag (16) ‖ name tag (16)
//! then frames: index (u32) ‖ last (u8) ‖ length (u32) ‖ XChaCha20-Poly1305 of at most 64 KiB
//! ```
//! Each object has a key of its own, derived from the backup key, a random salt and the object's
//! name. The nonce of a frame is its number, and its head is associated data. Tags and heads are in the clear
//! so that an error can say what happened: another key, another object in this place, frames in another
//! order, a missing end. They are not trusted: changing them only turns one error into another.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key::BackupKey;

/// Bytes of plaintext in a frame that is not the last.
pub const CHUNK: usize = 64 * 1024;
/// Bytes of the salt.
pub const SALT_LEN: usize = 32;

const MAGIC: &[u8; 4] = b"SMBK";
const VERSION: u8 = 1;
const NAME_LEN: usize = 16;
const HEAD: usize = 4 + 1 + SALT_LEN + 2 * NAME_LEN;
const FRAME_HEAD: usize = 9;
const OVERHEAD: usize = 16;

/// Why an object was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It does not begin like a sealed object.
    #[error("this is no backup of this program: check the target")]
    NotABackup,
    /// It was written by another version of the program.
    #[error("the backup has format {0}, which this program does not know: use the newer program")]
    UnknownVersion(u8),
    /// It was sealed under another key.
    #[error(
        "the backup key does not open this backup: give the BACKUP_KEY, or the key file, that it \
         was made with; if it is the right one, the beginning of the backup is damaged: restore an \
         earlier backup"
    )]
    WrongKey,
    /// Its key and its name are right, and its head is damaged.
    #[error("the beginning was changed or damaged: restore an earlier backup")]
    DamagedHead,
    /// It is another object under this one's name.
    #[error("another object was put in the place of {0}: restore an earlier backup")]
    Swapped(String),
    /// Its frames are not in their order.
    #[error(
        "part {found} stands where part {expected} belongs, the order was changed: restore an \
         earlier backup"
    )]
    Reordered {
        /// The number that was expected.
        expected: u32,
        /// The number that was found.
        found: u32,
    },
    /// Its end is missing.
    #[error("the end is missing after part {0}: restore an earlier backup")]
    Truncated(u32),
    /// Something follows its end.
    #[error("something follows the end: restore an earlier backup")]
    Trailing,
    /// A frame does not open.
    #[error("part {0} was changed or damaged: restore an earlier backup")]
    Damaged(u32),
}

/// Keys of one object.
struct ObjectKeys {
    cipher: XChaCha20Poly1305,
    key_tag: [u8; NAME_LEN],
    name_tag: [u8; NAME_LEN],
}

impl ObjectKeys {
    fn derive(key: &BackupKey, salt: &[u8], name: &str) -> Self {
        let name = name.as_bytes();
        let mut bytes = Zeroizing::new([0; 32]);
        key.expand(
            salt,
            &[b"secure-messaging/1 backup object ", name],
            bytes.as_mut_slice(),
        );
        let (mut key_tag, mut name_tag) = ([0; NAME_LEN], [0; NAME_LEN]);
        key.expand(salt, &[b"secure-messaging/1 backup key tag"], &mut key_tag);
        key.expand(
            salt,
            &[b"secure-messaging/1 backup name tag ", name],
            &mut name_tag,
        );
        Self {
            cipher: XChaCha20Poly1305::new((&*bytes).into()),
            key_tag,
            name_tag,
        }
    }
}

fn nonce(index: u32) -> XNonce {
    let mut nonce = [0; 24];
    nonce[20..].copy_from_slice(&index.to_be_bytes());
    nonce.into()
}

fn frame_head(index: u32, last: bool, len: usize) -> [u8; FRAME_HEAD] {
    let mut head = [0; FRAME_HEAD];
    head[..4].copy_from_slice(&index.to_be_bytes());
    head[4] = u8::from(last);
    head[5..].copy_from_slice(&(len as u32).to_be_bytes());
    head
}

/// Seals one object, piece by piece.
pub struct Sealer {
    keys: ObjectKeys,
    index: u32,
    plaintext: Zeroizing<Vec<u8>>,
    out: Vec<u8>,
}

impl Sealer {
    /// Starts the object of this name; the salt must be random and used once.
    pub fn new(key: &BackupKey, name: &str, salt: [u8; SALT_LEN]) -> Self {
        let keys = ObjectKeys::derive(key, &salt, name);
        let mut out = Vec::with_capacity(CHUNK + HEAD + FRAME_HEAD + OVERHEAD);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&salt);
        out.extend_from_slice(&keys.key_tag);
        out.extend_from_slice(&keys.name_tag);
        Self {
            keys,
            index: 0,
            plaintext: Zeroizing::new(Vec::with_capacity(CHUNK)),
            out,
        }
    }

    /// Takes more plaintext.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.plaintext.len() == CHUNK {
                self.frame(false);
            }
            let room = CHUNK - self.plaintext.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.plaintext.extend_from_slice(now);
            bytes = later;
        }
    }

    /// How many sealed bytes are ready.
    pub fn ready(&self) -> usize {
        self.out.len()
    }

    /// Hands over what is sealed until now.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Ends the object and hands over the rest.
    pub fn finish(mut self) -> Vec<u8> {
        self.frame(true);
        std::mem::take(&mut self.out)
    }

    fn frame(&mut self, last: bool) {
        let head = frame_head(self.index, last, self.plaintext.len() + OVERHEAD);
        let payload = Payload {
            msg: &self.plaintext,
            aad: &head,
        };
        // Encryption fails only for messages of 256 GiB.
        let sealed = self.keys.cipher.encrypt(&nonce(self.index), payload);
        self.out.extend_from_slice(&head);
        self.out.extend_from_slice(&sealed.unwrap_or_default());
        self.index = self.index.wrapping_add(1);
        self.plaintext.clear();
    }
}

/// Opens one object, piece by piece; returns verified bytes only.
pub struct Opener<'k> {
    key: &'k BackupKey,
    name: String,
    keys: Option<ObjectKeys>,
    /// Whether the tag of the name is wrong; the first frame shows whether it is another object.
    doubtful: bool,
    index: u32,
    ended: bool,
    sealed: Vec<u8>,
}

impl<'k> Opener<'k> {
    /// Begins with the object of this name.
    pub fn new(key: &'k BackupKey, name: &str) -> Self {
        Self {
            key,
            name: name.to_owned(),
            keys: None,
            doubtful: false,
            index: 0,
            ended: false,
            sealed: Vec::new(),
        }
    }

    /// Takes more of the object and appends what opens to `plaintext`.
    pub fn push(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), OpenError> {
        self.sealed.extend_from_slice(bytes);
        let mut at = 0;
        if self.keys.is_none() {
            let Some(head) = self.sealed.first_chunk::<HEAD>() else {
                return Ok(());
            };
            let (keys, named) = begin(self.key, &self.name, head)?;
            (self.keys, self.doubtful) = (Some(keys), !named);
            at = HEAD;
        }
        while let Some(len) = self.frame(at, plaintext)? {
            at += len;
        }
        self.sealed.drain(..at);
        Ok(())
    }

    /// Opens the frame at this offset, if it is there in full; says how long it is.
    fn frame(&mut self, at: usize, plaintext: &mut Vec<u8>) -> Result<Option<usize>, OpenError> {
        let rest = &self.sealed[at..];
        if rest.is_empty() {
            return Ok(None);
        }
        if self.ended {
            return Err(OpenError::Trailing);
        }
        let (Some(head), Some(keys)) = (rest.first_chunk::<FRAME_HEAD>(), &self.keys) else {
            return Ok(None);
        };
        let found = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        if found != self.index {
            return Err(OpenError::Reordered {
                expected: self.index,
                found,
            });
        }
        let last = head[4] == 1;
        let len = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) as usize;
        let whole = len == CHUNK + OVERHEAD || (last && len < CHUNK + OVERHEAD);
        if head[4] > 1 || len < OVERHEAD || !whole {
            return Err(OpenError::Damaged(found));
        }
        let Some(body) = rest.get(FRAME_HEAD..FRAME_HEAD + len) else {
            return Ok(None);
        };
        let payload = Payload {
            msg: body,
            aad: head,
        };
        let opened = keys
            .cipher
            .decrypt(&nonce(found), payload)
            .map(Zeroizing::new)
            .map_err(|_| match self.doubtful {
                true => OpenError::Swapped(self.name.clone()),
                false => OpenError::Damaged(found),
            })?;
        if self.doubtful {
            return Err(OpenError::DamagedHead);
        }
        plaintext.extend_from_slice(&opened);
        self.ended = last;
        self.index = found.wrapping_add(1);
        Ok(Some(FRAME_HEAD + len))
    }

    /// Ends the object; refuses one whose end is missing.
    pub fn finish(self) -> Result<(), OpenError> {
        if self.keys.is_none() && !self.sealed.starts_with(MAGIC) {
            return Err(OpenError::NotABackup);
        }
        if self.ended {
            Ok(())
        } else {
            Err(OpenError::Truncated(self.index))
        }
    }
}

/// Derives the keys of an object; also returns whether the tag of its name is right.
fn begin(key: &BackupKey, name: &str, head: &[u8; HEAD]) -> Result<(ObjectKeys, bool), OpenError> {
    let (magic, rest) = head.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(OpenError::NotABackup);
    }
    let (version, rest) = rest.split_at(1);
    if version != [VERSION] {
        return Err(OpenError::UnknownVersion(version[0]));
    }
    let (salt, rest) = rest.split_at(SALT_LEN);
    let (key_tag, name_tag) = rest.split_at(NAME_LEN);
    let keys = ObjectKeys::derive(key, salt, name);
    let known = bool::from(keys.key_tag.ct_eq(key_tag));
    let named = bool::from(keys.name_tag.ct_eq(name_tag));
    match (known, named) {
        (true, named) => Ok((keys, named)),
        // Under another key no tag would fit.
        (false, true) => Err(OpenError::DamagedHead),
        (false, false) => Err(OpenError::WrongKey),
    }
}
