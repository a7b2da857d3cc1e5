//! Mounts that only one process sees.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Ways to a mount of one's own: as an ordinary user, and as root where those may not.
const WAYS: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];

/// The way by which this user may mount a file system; what each said where there is none.
pub(super) fn way_to_mount(folder: &Path) -> Result<&'static [&'static str], String> {
    let tried = |way: &[&str]| -> Result<(), String> {
        let output = Command::new("unshare")
            .args(way)
            .args(["mount", "-t", "tmpfs", "tmpfs"])
            .arg(folder)
            .stdin(Stdio::null())
            .output();
        let said = |output: Output| {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            if output.status.success() {
                Ok(())
            } else {
                Err(said)
            }
        };
        output.map_err(|error| error.to_string()).and_then(said)
    };
    let mut reasons = Vec::new();
    for way in WAYS {
        match tried(way) {
            Ok(()) => return Ok(way),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join("; "))
}
