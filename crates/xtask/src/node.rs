//! Node.js for checking the browser's JavaScript, and the npm packages that it is checked with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::apt::{self, Apt, library_path};
use crate::manifest::Digest256;
use crate::process::{answer, on_path, run_quietly};
use crate::workspace::{Workspace, files_under};

/// The oldest Node that runs what `package.json` pins: Debian 12's.
const OLDEST: u32 = 18;

/// Where Debian keeps Node's modules, below the root folder.
const MODULES: &str = "usr/share/nodejs";

/// Marks an unpacked Node that looks for its modules where they are.
const MOVED: &str = ".modules-moved";

/// Debian's Node reads some of its own modules by the first of these; a private copy is told to
/// read them through a folder that its starter holds open. Both have the same length.
const FIXED: &[u8] = b"/usr/share/nodejs/";
const OPENED: &[u8] = b"/proc/self/fd/9///";

const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// A Node.js with npm.
pub(crate) struct Node {
    program: PathBuf,
    npm: Option<PathBuf>,
}

impl Node {
    /// Finds, installs or unpacks it; the error says what to install by hand.
    pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<Self> {
        let node = Self::find_or_fetch(workspace)
            .context("no Node.js for checking the JavaScript: install Debian's nodejs and npm")?;
        println!(
            "    Node.js {}",
            answer(node.run().arg("--version"))?.trim()
        );
        Ok(node)
    }

    /// A command that starts Node.
    pub(crate) fn run(&self) -> Command {
        Command::new(&self.program)
    }

    /// Installs exactly what `package-lock.json` pins, unless that was done already.
    pub(crate) fn install_packages(&self, workspace: &Workspace) -> anyhow::Result<()> {
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
        if !root.join(MOVED).is_file() {
            let packages = ["nodejs", "npm"].map(String::from);
            Apt::private(workspace)?.unpack(&packages, &root)?;
            move_modules(&root)?;
        }
        let npm = root.join(MODULES).join("npm/bin/npm-cli.js");
        if !npm.is_file() {
            bail!("Debian's npm package holds no npm-cli.js");
        }
        Ok(Self {
            program: starter(&root)?,
            npm: Some(npm),
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
        })
    }
}

/// Points the unpacked Node at its modules.
fn move_modules(root: &Path) -> anyhow::Result<()> {
    let lib = root.join("usr/lib");
    for file in files_under(&lib)? {
        let is_node = file
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("libnode.so"));
        if is_node {
            let path = lib.join(file);
            let mut bytes = fs::read(&path)?;
            if replace_all(&mut bytes, FIXED, OPENED) > 0 {
                fs::write(&path, bytes)?;
            }
        }
    }
    fs::write(root.join(MOVED), "")?;
    Ok(())
}

/// Replaces every `from` by `to`, which must be as long; says how many there were.
fn replace_all(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    let mut count = 0;
    let mut at = 0;
    while at + from.len() <= bytes.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
            count += 1;
            at += from.len();
        } else {
            at += 1;
        }
    }
    count
}

/// A script that starts the unpacked Node with its libraries and modules.
fn starter(root: &Path) -> anyhow::Result<PathBuf> {
    let script = root.join("start-node");
    let modules = root.join(MODULES);
    fs::write(
        &script,
        format!(
            "#!/bin/sh\nexport LD_LIBRARY_PATH='{}'\nexport NODE_PATH='{}'\n\
             exec 9<'{}'\nexec '{}' \"$@\"\n",
            library_path(root),
            modules.display(),
            modules.display(),
            root.join("usr/bin/node").display()
        ),
    )?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

fn major(version: &str) -> Option<u32> {
    let digits = version.trim().trim_start_matches('v');
    digits.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_library_keeps_its_length_and_loses_every_fixed_path() {
        assert_eq!(FIXED.len(), OPENED.len());
        let mut bytes = [b"a".as_slice(), FIXED, b"acorn.js\0b", FIXED].concat();
        let length = bytes.len();
        assert_eq!(replace_all(&mut bytes, FIXED, OPENED), 2);
        assert_eq!(bytes.len(), length);
        assert_eq!(replace_all(&mut bytes, FIXED, OPENED), 0);
        assert!(bytes.starts_with(b"a/proc/self/fd/9///acorn.js\0b"));
    }

    #[test]
    fn node_versions_are_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v8.1.0"), Some(8));
        assert_eq!(major("nonsense"), None);
    }
}
