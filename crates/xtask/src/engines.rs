//! Engines of the ephemeral plane from newer releases of Debian, which the machine's own does not have.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::apt::{Apt, is_unpacked, library_path};
use crate::workspace::{Workspace, files_under};

/// An engine as a release of Debian has it.
pub(crate) struct Engine {
    /// For people.
    pub name: &'static str,
    package: &'static str,
    release: &'static str,
}

/// Those that the server takes, beside the one of every run.
pub(crate) const ENGINES: [Engine; 3] = [
    Engine {
        name: "Valkey 8",
        package: "valkey-server",
        release: "trixie",
    },
    Engine {
        name: "Redis 8",
        package: "redis-server",
        release: "trixie",
    },
    Engine {
        name: "Valkey 9 or later",
        package: "valkey-server",
        release: "sid",
    },
];

impl Engine {
    /// Fetches it; returns a program that starts it with the loader and the C library of its release.
    pub(crate) fn ensure(&self, workspace: &Workspace) -> anyhow::Result<PathBuf> {
        let folder = format!("{}-{}", self.package, self.release);
        let root = workspace.tools.join(folder);
        if !is_unpacked(&root) {
            Apt::of_release(workspace, self.release)?.unpack(&[self.package], &root)?;
        }
        start(&root, self.package)
    }
}

fn start(root: &Path, program: &str) -> anyhow::Result<PathBuf> {
    let is_loader = |file: &&PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("ld-linux-") && name.contains(".so.")
    };
    let files = files_under(root)?;
    let loader = files
        .iter()
        .find(is_loader)
        .context("its C library has no loader")?;
    let script = root.join(format!("start-{program}"));
    let text = format!(
        "#!/bin/sh\nexec '{}' --library-path '{}' '{}' \"$@\"\n",
        root.join(loader).display(),
        library_path(root),
        root.join("usr/bin").join(program).display()
    );
    fs::write(&script, text)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn an_engine_is_started_by_the_loader_that_came_with_it() {
        let scratch = Scratch::new("engines");
        assert!(
            start(&scratch.0, "an-engine").is_err(),
            "there is no loader"
        );
        scratch.write("usr/lib/some-linux-gnu/ld-linux-some.so.2", b"");
        let script = start(&scratch.0, "an-engine").expect("a script");
        let text = fs::read_to_string(script).expect("text");
        let folder = scratch.0.join("usr/lib/some-linux-gnu");
        assert!(text.contains(&folder.join("ld-linux-some.so.2").display().to_string()));
        assert!(text.contains("/usr/bin/an-engine' \"$@\""), "{text}");
    }
}
