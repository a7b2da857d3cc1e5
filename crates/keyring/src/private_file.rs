//! Files that only their owner may read and write.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Takes a file's permissions away from everybody but its owner; returns whether others had any.
///
/// A volume that is mounted again may have given them to a group. Only the owner and root may do
/// this; for others it is an error.
pub fn close_to_others(path: &Path) -> io::Result<bool> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(false);
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(true)
}
