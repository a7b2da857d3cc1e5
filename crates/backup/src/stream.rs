//! Sealed objects on their way to and from a target, in constant memory.

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::WriteMultipart;
use rand_core::CryptoRng;
use sha3::{Digest, Sha3_256};

use crate::id::BackupId;
use crate::key::BackupKey;
use crate::manifest::{Hash, Object};
use crate::seal::{OpenError, Opener, SALT_LEN, Sealer};
use crate::target::{PARTS_AT_ONCE, Target, TargetError, sort};

/// Sealed bytes that are handed to the upload at once.
const HAND_OVER: usize = 1024 * 1024;

/// Why an object could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The target failed.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The object was refused.
    #[error("{name}: {error}")]
    Open {
        /// The object.
        name: String,
        /// Why.
        error: OpenError,
    },
    /// The object opens, but is not what the manifest says.
    #[error("{0} is not what its manifest says: restore an earlier backup")]
    Unlike(String),
}

/// An object that is being sealed and sent.
pub(crate) struct SealedWriter {
    name: String,
    sealer: Sealer,
    upload: WriteMultipart,
    digest: Sha3_256,
    bytes: u64,
}

impl SealedWriter {
    pub(crate) async fn begin(
        target: &Target,
        key: &BackupKey,
        id: &BackupId,
        part: &str,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Self, StreamError> {
        let name = id.object(part);
        let mut salt = [0; SALT_LEN];
        rng.fill_bytes(&mut salt);
        Ok(Self {
            sealer: Sealer::new(key, &name, salt),
            upload: target.upload(&name).await?,
            name,
            digest: Sha3_256::new(),
            bytes: 0,
        })
    }

    pub(crate) async fn push(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.sealer.push(bytes);
        if self.sealer.ready() >= HAND_OVER {
            self.upload.put(self.sealer.take().into());
            let room = self.upload.wait_for_capacity(PARTS_AT_ONCE).await;
            room.map_err(|error| sort(&self.name, &error))?;
        }
        Ok(())
    }

    /// Finishes the object, which becomes visible, and returns its size and hash.
    pub(crate) async fn finish(mut self) -> Result<Object, StreamError> {
        self.upload.put(self.sealer.finish().into());
        let done = self.upload.finish().await;
        done.map_err(|error| sort(&self.name, &error))?;
        Ok(Object {
            bytes: self.bytes,
            digest: self.digest.finalize().into(),
        })
    }
}

/// An object that is being fetched and opened.
pub(crate) struct SealedReader<'k> {
    name: String,
    opener: Option<Opener<'k>>,
    source: BoxStream<'static, Result<Bytes, TargetError>>,
    opened: Vec<u8>,
    at: usize,
    digest: Sha3_256,
    bytes: u64,
}

impl<'k> SealedReader<'k> {
    pub(crate) async fn begin(
        target: &Target,
        key: &'k BackupKey,
        id: &BackupId,
        part: &str,
    ) -> Result<Self, StreamError> {
        let name = id.object(part);
        Ok(Self {
            opener: Some(Opener::new(key, &name)),
            source: target.read(&name).await?,
            name,
            opened: Vec::new(),
            at: 0,
            digest: Sha3_256::new(),
            bytes: 0,
        })
    }

    /// Fills the buffer; `false` at the end of the object, which must be at a boundary.
    pub(crate) async fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, StreamError> {
        while self.opened.len() - self.at < buffer.len() {
            if !self.fetch().await? {
                return if self.opened.len() == self.at {
                    Ok(false)
                } else {
                    Err(StreamError::Unlike(self.name.clone()))
                };
            }
        }
        let end = self.at + buffer.len();
        buffer.copy_from_slice(&self.opened[self.at..end]);
        self.at = end;
        Ok(true)
    }

    /// Opens the next piece; `false` at the verified end.
    async fn fetch(&mut self) -> Result<bool, StreamError> {
        let Some(opener) = self.opener.as_mut() else {
            return Ok(false);
        };
        self.opened.drain(..self.at);
        self.at = 0;
        let before = self.opened.len();
        let outcome = match self.source.next().await.transpose()? {
            Some(bytes) => opener.push(&bytes, &mut self.opened),
            None => match self.opener.take() {
                Some(opener) => opener.finish(),
                None => Ok(()),
            },
        };
        outcome.map_err(|error| StreamError::Open {
            name: self.name.clone(),
            error,
        })?;
        self.digest.update(&self.opened[before..]);
        self.bytes += (self.opened.len() - before) as u64;
        Ok(self.opener.is_some())
    }

    /// Reads the rest and compares the whole with the manifest.
    pub(crate) async fn finish(mut self, said: &Object) -> Result<(), StreamError> {
        while self.fetch().await? {
            self.at = self.opened.len();
        }
        let digest: Hash = self.digest.finalize().into();
        if digest == said.digest && self.bytes == said.bytes {
            Ok(())
        } else {
            Err(StreamError::Unlike(self.name))
        }
    }

    /// Reads a small object whole; refuses one of more than `most` bytes.
    pub(crate) async fn whole(mut self, most: usize) -> Result<Vec<u8>, StreamError> {
        while self.fetch().await? {
            if self.opened.len() > most {
                return Err(StreamError::Unlike(self.name));
            }
        }
        Ok(self.opened)
    }
}
