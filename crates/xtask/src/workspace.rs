//! Where things are: the work tree, the target folder, the folder for fetched tools.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use cargo_metadata::MetadataCommand;

/// The folders that every command works in.
pub(crate) struct Workspace {
    /// Top of the work tree.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// Fetched tools; git-ignored, may be deleted at any time.
    pub tools: PathBuf,
    /// The cargo that started this program.
    pub cargo: OsString,
}

impl Workspace {
    /// Asks cargo where the work tree and its target folder are.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // Set by `cargo run`, so the command works from any folder.
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let mut command = MetadataCommand::new();
        command.cargo_path(&cargo).no_deps();
        if let Some(dir) = &manifest_dir {
            command.manifest_path(dir.join("Cargo.toml"));
        }
        let metadata = command
            .exec()
            .context("cargo does not describe the work tree; is a Rust toolchain installed?")?;
        let target = metadata.target_directory.into_std_path_buf();
        let tools = match std::env::var_os("SECURE_MESSAGING_TOOLS") {
            Some(dir) => std::path::absolute(dir)?,
            None => target.join("tools"),
        };
        Ok(Self {
            root: metadata.workspace_root.into_std_path_buf(),
            target,
            tools,
            cargo,
        })
    }

    /// A cargo command at the top of the work tree.
    pub(crate) fn cargo(&self) -> Command {
        self.cargo_program(Path::new(&self.cargo))
    }

    /// A program that runs cargo, at the top of the work tree.
    pub(crate) fn cargo_program(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        // `cargo run` describes this program in these; another package's build must not see them.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// `--locked` where the lock file must already be right.
    pub(crate) fn locked(&self) -> &'static [&'static str] {
        if std::env::var_os("CI").is_some() {
            &["--locked"]
        } else {
            &[]
        }
    }

    /// Where the finished browser bundle lies.
    pub(crate) fn bundle_dir(&self) -> PathBuf {
        self.target.join("bundle")
    }

    /// Where wasm-bindgen's output lies: inside `static`, so that imports and types resolve.
    pub(crate) fn static_wasm(&self) -> PathBuf {
        self.root.join("static/wasm")
    }

    /// Where the core lies with the exports that the run of the vectors needs; never shipped.
    pub(crate) fn vectors_wasm(&self) -> PathBuf {
        self.target.join("vectors-wasm")
    }

    /// Where the output of long quiet commands is kept.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.target.join("xtask-logs").join(format!("{name}.log"))
    }
}

/// All files under a folder, sorted, as paths relative to it; an absent folder has none.
pub(crate) fn files_under(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        let folder = dir.join(&relative);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| folder.display().to_string()),
        };
        for entry in entries {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A folder of its own for one unit test, removed when dropped.
#[cfg(test)]
pub(crate) struct Scratch(pub PathBuf);

#[cfg(test)]
impl Scratch {
    /// Makes an empty folder named after the test.
    pub(crate) fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("scratch folder");
        Self(dir)
    }

    /// Writes a file below it, making folders on the way.
    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, bytes).expect("file");
    }
}

#[cfg(test)]
impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_in_a_stable_order_and_folders_are_not() {
        let scratch = Scratch::new("files");
        for name in ["b/two.js", "a.css", "b/a/one.js"] {
            scratch.write(name, b"x");
        }
        let found = files_under(&scratch.0).expect("listing");
        assert_eq!(
            found,
            ["a.css", "b/a/one.js", "b/two.js"].map(PathBuf::from)
        );
    }

    #[test]
    fn an_absent_folder_holds_nothing() {
        let scratch = Scratch::new("absent");
        assert!(
            files_under(&scratch.0.join("no"))
                .expect("listing")
                .is_empty()
        );
    }
}
