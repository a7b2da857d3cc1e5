//! Which compiler builds for wasm32: the installed target, rustup's, or Debian's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use crate::debian_rust;
use crate::process::{answer, first_line, on_path, run_quietly};
use crate::workspace::Workspace;

/// The only target of the browser bundle.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// rustup answers in seconds or, where its host cannot be reached, not at all.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// A way that was found to work on this machine.
pub(crate) struct Route {
    /// `installed`, `rustup` or `debian`.
    pub name: &'static str,
    /// What the compiler calls itself; part of what makes a bundle stale.
    pub compiler: String,
    /// Where the compiler's own files lie; kept out of the bundle.
    pub sysroot: PathBuf,
    environment: Vec<(&'static str, String)>,
    arguments: Vec<&'static str>,
}

impl Route {
    /// Makes a cargo command use this compiler.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(&self.arguments);
    }
}

/// Tries the ways in order: each later one downloads more than the one before.
pub(crate) fn find(workspace: &Workspace) -> anyhow::Result<Route> {
    let mut refusals = Vec::new();
    let ways: [&dyn Fn() -> anyhow::Result<Route>; 3] =
        [&|| installed("installed"), &|| rustup(workspace), &|| {
            debian(workspace)
        }];
    for way in ways {
        match way() {
            Ok(route) => return Ok(route),
            Err(error) => refusals.push(first_line(&error)),
        }
    }
    bail!(
        "no compiler for {TARGET}: install that target for your Rust toolchain (with rustup: \
         `rustup target add {TARGET}`) and run this again. Tried: {}",
        refusals.join("; ")
    )
}

fn installed(name: &'static str) -> anyhow::Result<Route> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut route = with_compiler(Path::new(&rustc))?;
    route.name = name;
    // Cargo finds this compiler by itself.
    route.environment.clear();
    Ok(route)
}

/// The way with this very compiler; an error when it cannot build for wasm32.
pub(crate) fn with_compiler(rustc: &Path) -> anyhow::Result<Route> {
    let ask = |args: &[&str]| answer(Command::new(rustc).args(args));
    let libraries = ask(&["--print", "target-libdir", "--target", TARGET])?;
    if !holds_std(Path::new(libraries.trim())) {
        bail!("the Rust toolchain has no {TARGET} target");
    }
    let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?.trim());
    let compiler = ask(&["-vV"])?;
    if !has_linker(&sysroot, &compiler) {
        bail!("the Rust toolchain has the {TARGET} target but no rust-lld");
    }
    Ok(Route {
        name: "given",
        compiler,
        sysroot,
        environment: vec![("RUSTC", rustc.display().to_string())],
        arguments: Vec::new(),
    })
}

fn rustup(workspace: &Workspace) -> anyhow::Result<Route> {
    if !on_path("rustup") {
        bail!("there is no rustup");
    }
    println!("    asking rustup for {TARGET}");
    run_quietly(
        Command::new("rustup").args(["target", "add", TARGET]),
        &workspace.log("rustup"),
        RUSTUP_LIMIT,
    )?;
    installed("rustup")
}

/// Debian's compiler, unpacked privately.
pub(crate) fn debian(workspace: &Workspace) -> anyhow::Result<Route> {
    let found = debian_rust::ensure(workspace)?;
    let compiler = answer(
        Command::new(&found.rustc)
            .arg("-vV")
            .env("LD_LIBRARY_PATH", &found.libraries),
    )?;
    let sysroot = workspace.tools.join("debian-rust/usr");
    Ok(Route {
        name: "debian",
        compiler,
        sysroot,
        environment: vec![
            ("LD_LIBRARY_PATH", found.libraries),
            ("RUSTC", found.rustc.display().to_string()),
            // Cargo takes -Zbuild-std from a release channel only with this.
            ("RUSTC_BOOTSTRAP", "1".into()),
            (
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
                found.linker.display().to_string(),
            ),
        ],
        // Smaller formatting and sorting: every visitor downloads it.
        arguments: vec![
            "-Zbuild-std=std,panic_abort",
            "-Zbuild-std-features=optimize_for_size",
        ],
    })
}

fn holds_std(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn has_linker(sysroot: &Path, compiler: &str) -> bool {
    let host = compiler
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default();
    sysroot
        .join("lib/rustlib")
        .join(host)
        .join("bin/rust-lld")
        .exists()
        || on_path("rust-lld")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn a_target_counts_as_installed_only_with_its_standard_library() {
        let scratch = Scratch::new("target");
        assert!(!holds_std(&scratch.0));
        assert!(!holds_std(&scratch.0.join("absent")));
        scratch.write("libstd-0123.rlib", b"");
        assert!(holds_std(&scratch.0));
    }

    #[test]
    fn the_linker_is_looked_for_beside_the_host_compiler() {
        let scratch = Scratch::new("linker");
        scratch.write("lib/rustlib/some-host/bin/rust-lld", b"");
        assert!(has_linker(&scratch.0, "rustc 1.95\nhost: some-host\n"));
        assert!(on_path("rust-lld") || !has_linker(&scratch.0, "host: other-host\n"));
    }
}
