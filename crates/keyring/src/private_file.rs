//! Files that only their owner may read and write.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Removes a file's permissions for everybody but its owner; returns whether others had any.
///
/// A volume that was mounted again may have given them to a group. A link, a file that is not regular, and
/// a file that may belong to somebody else are refused: anybody who can write to the folder could put
/// one there.
pub fn close_to_others(path: &Path) -> io::Result<bool> {
    let found = std::fs::symlink_metadata(path)?;
    if found.is_file() && found.mode() & 0o077 == 0 {
        return Ok(false);
    }
    // Only as a place: a file that its owner may not read can be closed too, and nothing is opened.
    let flags = OFlags::PATH | OFlags::NOFOLLOW;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    close_opened(&file)
}

/// The same for a file that is open.
pub fn close_opened(file: &File) -> io::Result<bool> {
    let found = file.metadata()?;
    if !found.is_file() {
        let reason = "it is no regular file";
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    if found.mode() & 0o077 == 0 {
        return Ok(false);
    }
    if !is_ours(&found) {
        let reason = "it belongs to another user";
        return Err(io::Error::new(ErrorKind::PermissionDenied, reason));
    }
    // The open file itself, whatever has its name by now.
    let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
    std::fs::set_permissions(itself, Permissions::from_mode(0o600))?;
    Ok(true)
}

/// The owner of a file that is neither this user's nor root's.
pub fn foreign_owner(path: &Path) -> Option<u32> {
    let owner = std::fs::metadata(path).ok()?.uid();
    (owner != 0 && owner != rustix::process::geteuid().as_raw()).then_some(owner)
}

/// Returns whether this user may change a file: its own or, as root, any file with a single name.
fn is_ours(found: &Metadata) -> bool {
    let user = rustix::process::geteuid().as_raw();
    found.uid() == user || (user == 0 && found.nlink() == 1)
}
