//! Programs from PyPI, each in a virtual environment of its own below the folder of tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::apt;
use crate::process::{answer, run_quietly};
use crate::workspace::Workspace;

const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// A program and what it is made of.
pub(crate) struct Program {
    /// Name of its folder.
    pub name: &'static str,
    /// Its file among the environment's programs or packages.
    pub file: &'static str,
    /// What is installed, in pip's form for a file of requirements. pip looks for nothing else, unless
    /// they ask for extras, which are packages that nobody here names.
    pub requirements: &'static str,
}

impl Program {
    /// Finds or installs it.
    pub(crate) fn ensure(&self, workspace: &Workspace) -> anyhow::Result<PathBuf> {
        let folder = workspace.tools.join(self.name);
        if let Some(program) = self.installed(&folder) {
            return Ok(program);
        }
        self.install(workspace, &folder)
            .context("install Debian's python3 and python3-venv, and let pip reach its index")?;
        self.installed(&folder)
            .with_context(|| format!("pip brought no {}", self.file))
    }

    /// The program of an installation that ran to its end, with these requirements.
    fn installed(&self, folder: &Path) -> Option<PathBuf> {
        if fs::read_to_string(stamp(folder)).ok()? != self.requirements {
            return None;
        }
        let versions = fs::read_dir(folder.join("lib")).into_iter().flatten();
        let packages = versions
            .flatten()
            .map(|python| python.path().join("site-packages"));
        std::iter::once(folder.join("bin"))
            .chain(packages)
            .map(|home| home.join(self.file))
            .find(|file| file.is_file())
    }

    fn install(&self, workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
        if answer(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_err() {
            if !apt::may_install() {
                bail!("there is no python3 with virtual environments");
            }
            apt::install(workspace, &["python3-venv"])?;
        }
        let log = workspace.log(self.name);
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(folder);
        run_quietly(&mut venv, &log, INSTALL_LIMIT)?;
        let list = folder.join("requirements.txt");
        fs::write(&list, self.requirements)?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--disable-pip-version-check", "--quiet"]);
        if !self.requirements.contains('[') {
            pip.arg("--no-deps");
        }
        run_quietly(pip.arg("--requirement").arg(&list), &log, INSTALL_LIMIT)?;
        fs::rename(list, stamp(folder))?;
        Ok(())
    }
}

/// Holds the requirements of an installation that ran to its end.
fn stamp(folder: &Path) -> PathBuf {
    folder.join(".installed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    const PROGRAM: Program = Program {
        name: "a",
        file: "a",
        requirements: "a==1",
    };

    #[test]
    fn an_installation_that_was_cut_off_or_is_of_another_version_is_done_again() {
        let scratch = Scratch::new("python");
        scratch.write("bin/a", b"");
        assert_eq!(PROGRAM.installed(&scratch.0), None);
        scratch.write(".installed", b"a==0");
        assert_eq!(PROGRAM.installed(&scratch.0), None);
        scratch.write(".installed", b"a==1");
        assert_eq!(PROGRAM.installed(&scratch.0), Some(scratch.0.join("bin/a")));
    }

    #[test]
    fn a_program_inside_a_package_is_found_whatever_the_version_of_python() {
        let scratch = Scratch::new("python-package");
        scratch.write(".installed", b"a==1");
        scratch.write("lib/python3.99/site-packages/a", b"");
        let inside = scratch.0.join("lib/python3.99/site-packages/a");
        assert_eq!(PROGRAM.installed(&scratch.0), Some(inside));
    }
}
