//! Opens regular files only.
//!
//! Opening a pipe waits for a writer, and a device may have no end: a server that is told to read one
//! would hang at its start without a message.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a file to read; refuses at once if it is not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path, UNWAITING)
}

/// Opens a file to write in the same way; `options` may create it.
pub fn open_as(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open_with(options, path, UNWAITING)
}

/// Opens a file at this very path; refuses a link, because its target may belong to somebody else.
///
/// `options` may create the file.
pub fn open_unfollowed(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open_with(options, path, UNWAITING.union(OFlags::NOFOLLOW))
}

/// Opens without waiting for the other end of a pipe.
const UNWAITING: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

fn open_with(options: &mut OpenOptions, path: &Path, flags: OFlags) -> io::Result<File> {
    let opened = options.custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| {
        let linked = Some(rustix::io::Errno::LOOP.raw_os_error()) == error.raw_os_error();
        if linked && flags.contains(OFlags::NOFOLLOW) {
            io::Error::new(io::ErrorKind::InvalidInput, "it is a symbolic link")
        } else {
            error
        }
    })?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "it is no regular file",
    ))
}

/// Reads all of a regular file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    // Of one piece, so that nothing of a secret is left behind where it grew.
    let mut bytes = Vec::with_capacity(length.saturating_add(1).min(1 << 30));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_read_and_what_is_none_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"what it holds").unwrap();
        assert_eq!(read(&file).unwrap(), b"what it holds");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read(&link).unwrap(), b"what it holds");
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        for none in [pipe.as_path(), folder.path(), Path::new("/dev/zero")] {
            let refused = read(none).unwrap_err();
            assert_eq!(refused.to_string(), "it is no regular file", "{none:?}");
        }
        for none in [pipe.as_path(), folder.path(), Path::new("/dev/zero")] {
            let refused = open_unfollowed(OpenOptions::new().read(true), none).unwrap_err();
            assert_eq!(refused.to_string(), "it is no regular file", "{none:?}");
        }
        let missing = open(&folder.path().join("none")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_link_is_not_followed_where_the_file_itself_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let made = || OpenOptions::new().write(true).create(true).to_owned();
        for there in [false, true] {
            let refused = open_unfollowed(&mut made(), &link).unwrap_err();
            assert_eq!(refused.to_string(), "it is a symbolic link");
            assert_eq!(file.exists(), there);
            open_unfollowed(&mut made(), &file).unwrap();
        }
    }
}
