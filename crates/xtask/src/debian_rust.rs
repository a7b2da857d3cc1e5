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

/// Fetches and unpacks the packages unless an earlier run did.
pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<DebianRust> {
    let root = workspace.tools.join("debian-rust");
    if !is_unpacked(&root) {
        let apt = Apt::private(workspace)?;
        let roots = roots(apt.needs(&["rustc-web", "rust-web-src"])?)?;
        let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
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
fn roots(mut needs: BTreeSet<String>) -> anyhow::Result<BTreeSet<String>> {
    let llvm = |name: &String| name.strip_prefix("libllvm")?.parse::<u32>().ok();
    let number = needs
        .iter()
        .find_map(llvm)
        .context("Debian's rustc-web needs no libllvm any more: its packaging has changed")?;
    needs.retain(|name| name.contains("rust-web") || name == "rustc-web" || llvm(name).is_some());
    needs.insert(format!("lld-{number}"));
    Ok(needs)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linker_is_of_the_compilers_own_llvm() {
        let needs = [
            "gcc",
            "libc6",
            "libllvm22",
            "libstd-rust-web-1.96",
            "libstd-rust-web-dev",
            "rust-web-src",
            "rustc-web",
        ];
        let found = roots(needs.map(String::from).into()).expect("roots");
        let expected = [
            "libllvm22",
            "libstd-rust-web-1.96",
            "libstd-rust-web-dev",
            "lld-22",
            "rust-web-src",
            "rustc-web",
        ];
        assert_eq!(found, expected.map(String::from).into());
    }

    #[test]
    fn needs_without_llvm_are_an_error() {
        assert!(roots(["libc6".to_owned()].into()).is_err());
    }
}
