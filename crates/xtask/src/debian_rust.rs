//! Debian's Rust compiler for the web, unpacked privately: the way to wasm32 without rustup's host.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::apt::{Apt, is_unpacked, library_path};
use crate::process::answer;
use crate::workspace::Workspace;

/// The compiler, its linker and its own libraries.
pub(crate) struct DebianRust {
    /// The compiler.
    pub rustc: PathBuf,
    /// The linker for wasm32.
    pub linker: PathBuf,
    /// Value for `LD_LIBRARY_PATH`.
    pub libraries: String,
}

/// The oldest compiler that builds this workspace, as its manifest says.
const OLDEST: (u32, u32) = (1, 95);

/// Fetches and unpacks the packages unless an earlier run did.
pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<DebianRust> {
    let root = workspace.tools.join("debian-rust");
    if !is_unpacked(&root) {
        let apt = Apt::private(workspace)?;
        let version = apt.candidate("rustc-web")?;
        if minor(&version).is_none_or(|found| found < OLDEST) {
            bail!(
                "Debian's rustc-web is {version} here, and {}.{} or later is needed",
                OLDEST.0,
                OLDEST.1
            );
        }
        let roots = roots(&apt.closure("rustc-web")?)?;
        apt.unpack(&roots, &root)?;
    }
    let linker = find_linker(&root)?;
    let found = DebianRust {
        rustc: root.join("usr/bin/rustc"),
        linker,
        libraries: library_path(&root),
    };
    answer(
        Command::new(&found.rustc)
            .arg("--version")
            .env("LD_LIBRARY_PATH", &found.libraries),
    )
    .context("Debian's compiler does not start")?;
    Ok(found)
}

/// The packages to unpack whatever the machine has: compiler, both of its libraries' packages, the
/// library sources that `-Zbuild-std` compiles, and the LLVM that they share with the linker.
fn roots(closure: &BTreeSet<String>) -> anyhow::Result<Vec<String>> {
    let llvm = closure
        .iter()
        .find(|name| {
            name.strip_prefix("libllvm")
                .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()) && !rest.is_empty())
        })
        .context("Debian's rustc-web needs no libllvm any more: its packaging has changed")?;
    let number = llvm.trim_start_matches("libllvm");
    let mut roots = vec![
        "rustc-web".to_owned(),
        "rust-web-src".to_owned(),
        llvm.clone(),
        format!("lld-{number}"),
    ];
    roots.extend(
        closure
            .iter()
            .filter(|name| name.starts_with("libstd-rust-web"))
            .cloned(),
    );
    Ok(roots)
}

fn find_linker(root: &std::path::Path) -> anyhow::Result<PathBuf> {
    let lib = root.join("usr/lib");
    for entry in std::fs::read_dir(&lib).with_context(|| lib.display().to_string())? {
        let linker = entry?.path().join("bin/wasm-ld");
        if linker.exists() {
            return Ok(linker);
        }
    }
    bail!("Debian's lld package holds no wasm-ld")
}

fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '+', '-', '~']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linker_is_of_the_compilers_own_llvm() {
        let closure = [
            "libc6",
            "libllvm22",
            "libstd-rust-web-1.96",
            "libstd-rust-web-dev",
            "rustc-web",
        ]
        .map(String::from)
        .into();
        assert_eq!(
            roots(&closure).expect("roots"),
            [
                "rustc-web",
                "rust-web-src",
                "libllvm22",
                "lld-22",
                "libstd-rust-web-1.96",
                "libstd-rust-web-dev"
            ]
        );
    }

    #[test]
    fn a_closure_without_llvm_is_an_error() {
        assert!(roots(&["libc6".to_owned()].into()).is_err());
    }

    #[test]
    fn debian_versions_compare_by_number() {
        assert_eq!(minor("1.96.0+dfsg1-1~deb12u2"), Some((1, 96)));
        assert!(minor("1.85.0+dfsg3-1").expect("version") < OLDEST);
        assert_eq!(minor("unstable"), None);
    }
}
