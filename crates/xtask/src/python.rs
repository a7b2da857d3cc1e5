//! Programs from PyPI, each in a virtual environment of its own below the folder of tools.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process::{on_path, run_quietly};
use crate::workspace::Workspace;

const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// A program and the packages that it is made of.
pub(crate) struct Program {
    /// Name of its folder: another version has another.
    pub folder: &'static str,
    /// Its file in the environment's `bin`.
    pub file: &'static str,
    /// Packages with their versions.
    pub packages: &'static [&'static str],
    /// Whether the packages are all that is needed, so that pip looks for no others.
    pub complete: bool,
}

impl Program {
    /// Finds or installs it.
    pub(crate) fn ensure(&self, workspace: &Workspace) -> anyhow::Result<PathBuf> {
        let folder = workspace.tools.join(self.folder);
        if !self.is_whole(&folder) {
            self.install(workspace, &folder).context(
                "install Debian's python3 and python3-venv, and let pip reach its index",
            )?;
        }
        Ok(folder.join("bin").join(self.file))
    }

    fn is_whole(&self, folder: &Path) -> bool {
        stamp(folder).is_file() && folder.join("bin").join(self.file).is_file()
    }

    fn install(&self, workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
        if !on_path("python3") {
            bail!("there is no python3");
        }
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        let log = workspace.log(self.folder);
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(folder);
        run_quietly(&mut venv, &log, INSTALL_LIMIT)?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--disable-pip-version-check", "--quiet"]);
        if self.complete {
            pip.arg("--no-deps");
        }
        pip.args(self.packages);
        run_quietly(&mut pip, &log, INSTALL_LIMIT)?;
        std::fs::write(stamp(folder), self.packages.join(" "))?;
        Ok(())
    }
}

/// Marks a folder whose installation ran to its end.
fn stamp(folder: &Path) -> PathBuf {
    folder.join(".installed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    const PROGRAM: Program = Program {
        folder: "a-1",
        file: "a",
        packages: &["a==1"],
        complete: false,
    };

    #[test]
    fn an_installation_that_was_cut_off_is_done_again() {
        let scratch = Scratch::new("python");
        scratch.write("bin/a", b"");
        assert!(!PROGRAM.is_whole(&scratch.0));
        scratch.write(".installed", b"a==1");
        assert!(PROGRAM.is_whole(&scratch.0));
    }
}
