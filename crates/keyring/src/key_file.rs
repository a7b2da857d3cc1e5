//! Files that hold the operator's key.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::key_material::KeyMaterial;
use crate::key_source::KeySourceError;
use crate::secret::KEY_LEN;
use crate::{private_file, regular_file};
use ambient::Entropy;

/// Longest key file that is read.
const MAX_KEY_FILE: u64 = 4_096;

/// Writes a new key under a temporary name, then links it, so that a crash leaves no half key behind.
pub(crate) fn create(path: &Path, entropy: &dyn Entropy) -> Result<KeyMaterial, KeySourceError> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    entropy.fill(bytes.as_mut_slice())?;
    let mut text = Zeroizing::new(Vec::with_capacity(KEY_LEN * 2 + 1));
    for byte in bytes.iter() {
        text.extend([byte >> 4, byte & 15].map(|nibble| b"0123456789abcdef"[usize::from(nibble)]));
    }
    text.push(b'\n');
    let unfinished = with_ending(path, &std::process::id().to_string());
    let written =
        write_new(&unfinished, &text).and_then(|()| std::fs::hard_link(&unfinished, path));
    let removed = std::fs::remove_file(&unfinished);
    let finished = written.and(removed).and_then(|()| sync_parent(path));
    finished.map_err(|source| KeySourceError::Io {
        path: path.to_owned(),
        source,
    })?;
    text.pop();
    Ok(KeyMaterial::from_zeroizing(&text))
}

/// A path with one more ending.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Reads the key out of a file that only its owner may read.
pub(crate) fn read(path: &Path, file: File) -> Result<KeyMaterial, KeySourceError> {
    let failed = |source| KeySourceError::Io {
        path: path.to_owned(),
        source,
    };
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeySourceError::OpenToOthers {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = Zeroizing::new(Vec::with_capacity(KEY_LEN * 2 + 2));
    file.take(MAX_KEY_FILE)
        .read_to_end(&mut text)
        .map_err(failed)?;
    while text.last().is_some_and(|byte| byte.is_ascii_whitespace()) {
        text.pop();
    }
    if text.len() < KEY_LEN {
        return Err(KeySourceError::Malformed(path.to_owned()));
    }
    Ok(KeyMaterial::from_zeroizing(&text))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = regular_file::open_unfollowed(&mut options, path)?;
    // What a cut attempt left there keeps its mode.
    private_file::close_opened(&file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Syncs the folder of a file, which makes new and changed names durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_is_synced_where_the_file_stands_and_what_fails_is_said() {
        let folder = tempfile::tempdir().unwrap();
        sync_parent(&folder.path().join("k")).unwrap();
        // A name alone stands in the present folder.
        sync_parent(Path::new("k")).unwrap();
        let gone = sync_parent(&folder.path().join("gone").join("k")).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }
}
