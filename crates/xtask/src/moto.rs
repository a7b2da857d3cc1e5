//! moto, an S3-compatible store for the tests of backups, from PyPI in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process::{on_path, run_quietly};
use crate::workspace::Workspace;

/// Names the command to the tests, and to this command where it is already there.
pub const VARIABLE: &str = "SECURE_MESSAGING_TEST_MOTO";

const PACKAGE: &str = "moto[server]==5.2.5";
const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// The command that starts the store.
pub struct Moto {
    server: PathBuf,
}

impl Moto {
    /// The variables that tests read.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![(VARIABLE, self.server.clone())]
    }
}

/// Finds or installs it; the error says what to install by hand.
pub fn ensure(workspace: &Workspace) -> anyhow::Result<Moto> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Ok(Moto {
            server: named.into(),
        });
    }
    let folder = workspace.tools.join("moto-5.2.5");
    let server = folder.join("bin/moto_server");
    if !is_whole(&folder) {
        install(workspace, &folder).with_context(|| {
            format!(
                "no moto for the tests of backups to S3: install Debian's python3 and \
                 python3-venv and let pip reach its index, or name moto_server in {VARIABLE}"
            )
        })?;
    }
    println!("    {}", server.display());
    Ok(Moto { server })
}

/// Marks a folder whose installation ran to its end.
fn stamp(folder: &Path) -> PathBuf {
    folder.join(".installed")
}

fn is_whole(folder: &Path) -> bool {
    stamp(folder).is_file() && folder.join("bin/moto_server").is_file()
}

fn install(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    if !on_path("python3") {
        bail!("there is no python3");
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let log = workspace.log("moto");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(folder);
    run_quietly(&mut venv, &log, INSTALL_LIMIT)?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--disable-pip-version-check", "--quiet", PACKAGE]);
    run_quietly(&mut pip, &log, INSTALL_LIMIT)?;
    std::fs::write(stamp(folder), PACKAGE)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_installation_that_was_cut_off_is_done_again() {
        let folder = std::env::temp_dir().join(format!("xtask-moto-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        std::fs::write(folder.join("bin/moto_server"), "").unwrap();
        assert!(!is_whole(&folder));
        std::fs::write(stamp(&folder), PACKAGE).unwrap();
        assert!(is_whole(&folder));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
