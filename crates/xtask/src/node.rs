//! Node.js for checking the browser's JavaScript, and the npm packages that it is checked with.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::apt::{self, Apt, is_unpacked, library_path};
use crate::manifest::Digest256;
use crate::process::{answer, on_path, run_quietly};
use crate::workspace::Workspace;

/// The oldest Node that runs what `package.json` pins: Debian 12's.
const OLDEST: u32 = 18;

const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// A Node.js with npm.
pub struct Node {
    program: PathBuf,
    npm: Option<PathBuf>,
    environment: Vec<(&'static str, String)>,
}

impl Node {
    /// Finds, installs or unpacks it; the error says what to install by hand.
    pub fn ensure(workspace: &Workspace) -> anyhow::Result<Self> {
        let node = Self::find_or_fetch(workspace)
            .context("no Node.js for checking the JavaScript: install Debian's nodejs and npm")?;
        println!(
            "    Node.js {}",
            answer(node.run().arg("--version"))?.trim()
        );
        Ok(node)
    }

    /// A command that starts Node.
    pub fn run(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Installs exactly what `package-lock.json` pins, unless that was done already.
    pub fn install_packages(&self, workspace: &Workspace) -> anyhow::Result<()> {
        let lock = fs::read(workspace.root.join("package-lock.json"))?;
        let stamp = workspace.root.join("node_modules/.locked");
        let wanted = Digest256::of(&lock).hex();
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            println!("    npm packages unchanged");
            return Ok(());
        }
        let mut npm = match &self.npm {
            Some(script) => {
                let mut command = self.run();
                command.arg(script);
                command
            }
            None => Command::new("npm"),
        };
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&workspace.root);
        run_quietly(&mut npm, &workspace.log("npm-ci"), INSTALL_LIMIT)?;
        fs::write(stamp, wanted)?;
        Ok(())
    }

    fn find_or_fetch(workspace: &Workspace) -> anyhow::Result<Self> {
        let private = std::env::var_os("SECURE_MESSAGING_PRIVATE_TOOLS").is_some();
        if !private && let Some(node) = Self::installed() {
            return Ok(node);
        }
        if apt::may_install() {
            apt::install(workspace, &["nodejs", "npm"])?;
            return Self::installed().context("Debian's nodejs is older than needed");
        }
        let root = workspace.tools.join("node");
        if !is_unpacked(&root) {
            let packages = ["nodejs", "npm"].map(String::from);
            Apt::private(workspace)?.unpack(&packages, &root)?;
        }
        let modules = root.join("usr/share/nodejs");
        let npm = modules.join("npm/bin/npm-cli.js");
        if !npm.is_file() {
            bail!("Debian's npm package holds no npm-cli.js");
        }
        Ok(Self {
            program: root.join("usr/bin/node"),
            npm: Some(npm),
            environment: vec![
                ("LD_LIBRARY_PATH", library_path(&root)),
                // Debian's npm finds the libraries it shares with other packages here.
                ("NODE_PATH", modules.display().to_string()),
            ],
        })
    }

    fn installed() -> Option<Self> {
        if !on_path("node") || !on_path("npm") {
            return None;
        }
        let version = answer(Command::new("node").arg("--version")).ok()?;
        (major(&version)? >= OLDEST).then(|| Self {
            program: "node".into(),
            npm: None,
            environment: Vec::new(),
        })
    }
}

fn major(version: &str) -> Option<u32> {
    let digits = version.trim().trim_start_matches('v');
    digits.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v8.1.0"), Some(8));
        assert_eq!(major("nonsense"), None);
    }
}
