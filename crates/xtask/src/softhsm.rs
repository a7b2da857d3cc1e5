//! SoftHSM, a token in software for the tests of the `pkcs11` key provider, from Debian.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::apt::{self, Apt, is_unpacked, library_path};
use crate::workspace::{Workspace, files_under};

/// Names the module to the tests, and to this command where it is already known.
pub(crate) const MODULE: &str = "SECURE_MESSAGING_TEST_SOFTHSM";
/// Names to the tests the folders of libraries that the module needs.
pub(crate) const LIBRARIES: &str = "SECURE_MESSAGING_TEST_SOFTHSM_LIBRARIES";

/// The library alone: the tests initialise their tokens themselves.
const PACKAGE: &str = "libsofthsm2";
const INSTALLED: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The PKCS#11 module.
pub(crate) struct SoftHsm {
    module: PathBuf,
    /// Where the libraries are that were unpacked with it.
    libraries: Option<String>,
}

impl SoftHsm {
    /// The variables that tests read.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let mut environment = vec![(MODULE, self.module.clone())];
        if let Some(libraries) = &self.libraries {
            environment.push((LIBRARIES, libraries.into()));
        }
        environment
    }
}

/// Finds, installs or unpacks it; the error says what to install by hand.
pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<SoftHsm> {
    let found = find_or_fetch(workspace).with_context(|| {
        format!(
            "no SoftHSM for the tests of PKCS#11: install Debian's {PACKAGE}, or name \
             libsofthsm2.so in {MODULE}"
        )
    })?;
    println!("    {}", found.module.display());
    Ok(found)
}

fn find_or_fetch(workspace: &Workspace) -> anyhow::Result<SoftHsm> {
    if let Some(named) = std::env::var_os(MODULE) {
        return Ok(SoftHsm {
            module: named.into(),
            libraries: std::env::var(LIBRARIES).ok(),
        });
    }
    let installed = || SoftHsm {
        module: INSTALLED.into(),
        libraries: None,
    };
    let private = std::env::var_os("SECURE_MESSAGING_PRIVATE_TOOLS").is_some();
    if !private && Path::new(INSTALLED).is_file() {
        return Ok(installed());
    }
    if apt::may_install() {
        apt::install(workspace, &[PACKAGE])?;
        return Ok(installed());
    }
    let root = workspace.tools.join("softhsm");
    if !is_unpacked(&root) {
        Apt::private(workspace)?.unpack(&[PACKAGE.to_owned()], &root)?;
    }
    unpacked(&root)
}

fn unpacked(root: &Path) -> anyhow::Result<SoftHsm> {
    let module = files_under(root)?
        .into_iter()
        .find(|path| path.ends_with("softhsm/libsofthsm2.so"))
        .with_context(|| format!("Debian's {PACKAGE} holds no libsofthsm2.so"))?;
    let libraries = library_path(root);
    Ok(SoftHsm {
        module: root.join(module),
        libraries: (!libraries.is_empty()).then_some(libraries),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn an_unpacked_module_is_found_with_the_libraries_beside_it() {
        let scratch = Scratch::new("softhsm");
        assert!(unpacked(&scratch.0).is_err());
        scratch.write("usr/lib/softhsm/libsofthsm2.so", b"");
        let module = scratch.0.join("usr/lib/softhsm/libsofthsm2.so");
        let alone = unpacked(&scratch.0).expect("found");
        assert_eq!(alone.environment(), [(MODULE, module.clone())]);
        scratch.write("usr/lib/some-linux-gnu/libneeded.so.1", b"");
        let libraries = scratch.0.join("usr/lib/some-linux-gnu");
        let with = unpacked(&scratch.0).expect("found");
        assert_eq!(
            with.environment(),
            [(MODULE, module), (LIBRARIES, libraries)]
        );
    }
}
