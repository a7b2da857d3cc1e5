//! Attachments: chunks under keys derived from K and the attachment's id, each bound to its index and
//! the total.
//!
//! Specification: `docs/protocol/messages.md#attachments-and-groups`.

use zeroize::Zeroizing;

use super::{ContentKey, EnvelopeError};
use crate::codec::{Reader, Writer};
use crate::ids::AttachmentId;
use crate::labels;
use crate::primitives::{aead, kdf};
use crate::secret::secret;
use crate::suite::ObjectType;

/// Plaintext bytes in every chunk but the last: 64 KiB.
pub const CHUNK_LEN: usize = 64 << 10;
const HEADER_LEN: usize = 3 + AttachmentId::LEN + 4 + 4;

secret! {
    /// Key of one chunk, 32 bytes.
    struct ChunkKey(32)
}

/// Seals chunk `index` of `total` of one attachment; every (id, index, total) is sealed at most once
/// under a K. Several attachments of a message have different ids, so that no two of their chunks share
/// key and nonce.
///
/// Encoding: header, attachment id (16), index (4), total (4), ChaCha20-Poly1305 with all of that as
/// associated data.
pub fn seal_chunk(
    key: &ContentKey,
    id: &AttachmentId,
    index: u32,
    total: u32,
    chunk: &[u8],
) -> Result<Vec<u8>, EnvelopeError> {
    if chunk.len() > CHUNK_LEN || index >= total {
        return Err(EnvelopeError::TooLong);
    }
    let mut bytes = Writer::exact(aead::TAG_LEN, &|writer| {
        writer
            .header(ObjectType::AttachmentChunk)
            .raw(id.as_bytes())
            .u32(index)
            .u32(total)
            .raw(chunk);
    });
    let mut ad = [0; HEADER_LEN];
    ad.copy_from_slice(bytes.get(..HEADER_LEN).unwrap_or(&[0; HEADER_LEN]));
    let chunk_key = chunk_key(key, id, index, total);
    aead::seal(chunk_key.expose(), &[0; 12], &ad, &mut bytes, HEADER_LEN);
    Ok(bytes)
}

/// Opens chunk `index` of `total` of one attachment; a chunk from another place is refused.
pub fn open_chunk(
    key: &ContentKey,
    id: &AttachmentId,
    index: u32,
    total: u32,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let mut reader = Reader::new(sealed);
    reader.header(ObjectType::AttachmentChunk)?;
    let place = (reader.array()?, reader.u32()?, reader.u32()?);
    if place != (id.as_bytes(), index, total) {
        return Err(EnvelopeError::MovedSlot);
    }
    let ad = sealed.get(..HEADER_LEN).unwrap_or_default();
    let mut buffer = Zeroizing::new(reader.rest().to_vec());
    let chunk_key = chunk_key(key, id, index, total);
    let len = aead::open(chunk_key.expose(), &[0; 12], ad, &mut buffer)
        .map_err(|_| EnvelopeError::BadBody)?
        .len();
    buffer.truncate(len);
    Ok(buffer)
}

fn chunk_key(key: &ContentKey, id: &AttachmentId, index: u32, total: u32) -> ChunkKey {
    let mut chunk = ChunkKey::zeroed();
    kdf::derive(
        &[key.expose()],
        &[
            labels::ATTACHMENT,
            id.as_bytes(),
            &index.to_be_bytes(),
            &total.to_be_bytes(),
        ],
        chunk.expose_mut(),
    );
    chunk
}
