//! Reads the pages of a file that does not change, one after the other.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use sha3::{Digest, Sha3_256};

use crate::manifest::Hash;

/// Bytes that are read at once.
const READ: usize = 1024 * 1024;

/// Reads a file page by page.
pub(crate) struct Pages {
    file: BufReader<File>,
    page: Vec<u8>,
    left: u64,
}

impl Pages {
    /// Opens a file; its length must be a whole number of pages.
    pub(crate) fn open(path: &Path, page_size: u32) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let size = u64::from(page_size.max(1));
        if len == 0 || !len.is_multiple_of(size) {
            let reason = format!("{len} bytes are no whole number of pages of {page_size}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(Self {
            file: BufReader::with_capacity(READ, file),
            page: vec![0; page_size as usize],
            left: len / size,
        })
    }

    /// How many pages there are still.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Reads the next page.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.file.read_exact(&mut self.page)?;
        Ok(Some(&self.page))
    }
}

/// The hash of a page.
pub(crate) fn page_hash(page: &[u8]) -> Hash {
    Sha3_256::digest(page).into()
}
