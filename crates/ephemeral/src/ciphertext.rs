//! Sealed bytes that are overwritten before they are freed.

use ambient::alloc::wipe;

/// Holds the sealed bytes of a body or a slot and overwrites them when it is dropped.
///
/// It has no `Debug`, no `Clone` and no serialization, so that it cannot reach a log, a copy or a
/// disk by accident; a test pins that. Several readers share one by `Arc`: the bytes are wiped when
/// the last of them is dropped.
pub struct Ciphertext(Box<[u8]>);

impl Ciphertext {
    /// Returns the bytes, which must be written to a connection only.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Copies a slice; the caller wipes its own.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(Box::from(bytes))
    }
}

impl Drop for Ciphertext {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// More bytes were pushed than the builder may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is longer than the {limit} bytes that were announced; announce its true length")]
pub struct TooLong {
    /// How many bytes the builder may hold.
    pub limit: usize,
}

/// Builds a [`Ciphertext`] chunk by chunk, straight from a connection.
///
/// Growing leaves nothing behind: the outgrown buffer is wiped before it is freed.
pub struct CiphertextBuilder {
    bytes: Vec<u8>,
    limit: usize,
}

impl CiphertextBuilder {
    /// Reserves exactly `length` bytes and accepts no more.
    pub fn with_capacity(length: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(length),
            limit: length,
        }
    }

    /// Accepts up to `limit` bytes and grows as they come, for a body of unknown length.
    pub fn growing(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
        }
    }

    /// Returns how many bytes have been pushed.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether nothing has been pushed.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends a chunk; refuses the whole chunk if it does not fit.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), TooLong> {
        let needed = self.bytes.len().saturating_add(chunk.len());
        if needed > self.limit {
            return Err(TooLong { limit: self.limit });
        }
        if needed > self.bytes.capacity() {
            let capacity = needed.max(self.bytes.capacity() * 2).min(self.limit);
            self.move_to(Vec::with_capacity(capacity));
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// Returns the ciphertext, in an allocation of exactly its length.
    pub fn finish(mut self) -> Ciphertext {
        if self.bytes.len() != self.bytes.capacity() {
            self.move_to(Vec::with_capacity(self.bytes.len()));
        }
        Ciphertext(core::mem::take(&mut self.bytes).into_boxed_slice())
    }

    fn move_to(&mut self, mut roomier: Vec<u8>) {
        roomier.extend_from_slice(&self.bytes);
        wipe(&mut self.bytes);
        self.bytes = roomier;
    }
}

impl Drop for CiphertextBuilder {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_ciphertext_is_as_long_as_what_was_pushed() {
        let nothing = CiphertextBuilder::with_capacity(4);
        assert_eq!((nothing.len(), nothing.is_empty()), (0, true));
        assert!(nothing.finish().is_empty());
        let mut builder = CiphertextBuilder::with_capacity(4);
        builder.push(b"seal").unwrap();
        assert_eq!((builder.len(), builder.is_empty()), (4, false));
        assert_eq!(builder.push(b"!"), Err(TooLong { limit: 4 }));
        let sealed = builder.finish();
        assert_eq!((sealed.expose(), sealed.len()), (&b"seal"[..], 4));
        assert!(!sealed.is_empty());
    }

    #[test]
    fn a_growing_builder_takes_its_limit_and_no_byte_more() {
        let mut builder = CiphertextBuilder::growing(5);
        for chunk in [&b"s"[..], b"ea", b"le"] {
            builder.push(chunk).unwrap();
        }
        assert_eq!(builder.push(b"d"), Err(TooLong { limit: 5 }));
        assert_eq!(builder.finish().expose(), b"seale");
    }

    #[test]
    fn a_builder_takes_chunks_up_to_what_was_announced() {
        let mut exact = CiphertextBuilder::with_capacity(6);
        exact.push(b"abc").unwrap();
        exact.push(b"def").unwrap();
        assert_eq!(exact.push(b"g"), Err(TooLong { limit: 6 }));
        assert_eq!(exact.finish().expose(), b"abcdef");
        let mut growing = CiphertextBuilder::growing(1000);
        for n in 0..250_u8 {
            growing.push(&[n; 4]).unwrap();
        }
        assert!(growing.push(b"x").is_err());
        let built = growing.finish();
        assert_eq!((built.len(), built.expose()[999]), (1000, 249));
    }
}
