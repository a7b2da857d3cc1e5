//! What a browser keeps of the newest safes that it saw, in bytes.

use protocol::safe::SafeMark;

use super::Marks;
use crate::id::RestoreId;

/// The newest marks, and the restore that they came after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) marks: Marks,
    pub(crate) epoch: Option<RestoreId>,
}

impl Remembered {
    /// Bytes for the browser's memory.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        for mark in [&self.marks.safe, &self.marks.prekeys] {
            bytes.extend_from_slice(&mark.version.to_be_bytes());
            bytes.extend_from_slice(&mark.hash);
        }
        if let Some(epoch) = &self.epoch {
            bytes.extend_from_slice(epoch.as_bytes());
        }
        bytes
    }

    /// Reads what [`Remembered::encode`] gave; anything else is no memory at all.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (safe, rest) = bytes.split_at_checked(40)?;
        let (prekeys, epoch) = rest.split_at_checked(40)?;
        let epoch = match epoch {
            [] => None,
            bytes => Some(RestoreId::from_bytes(bytes.try_into().ok()?)),
        };
        Some(Self {
            marks: Marks {
                safe: mark_of(safe)?,
                prekeys: mark_of(prekeys)?,
            },
            epoch,
        })
    }
}

fn mark_of(bytes: &[u8]) -> Option<SafeMark> {
    let (version, hash) = bytes.split_first_chunk::<8>()?;
    Some(SafeMark {
        version: u64::from_be_bytes(*version),
        hash: hash.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_memory_reads_as_it_was_written() {
        let mark = |version| SafeMark {
            version,
            hash: [version as u8; 32],
        };
        let marks = Marks {
            safe: mark(7),
            prekeys: mark(9),
        };
        for epoch in [None, Some(RestoreId::from_bytes([3; 16]))] {
            let remembered = Remembered { marks, epoch };
            let bytes = remembered.encode();
            assert_eq!(Remembered::decode(&bytes), Some(remembered));
            assert_eq!(Remembered::decode(&bytes[..bytes.len() - 1]), None);
        }
    }
}
