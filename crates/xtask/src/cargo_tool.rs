//! Programs that are compiled from the package registry into the folder for tools.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::process::run_quietly;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(1800);

/// Finds a program of this version or compiles it, for a short build and not for speed.
pub(crate) fn ensure(workspace: &Workspace, name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let home = workspace.tools.join(format!("{name}-{version}"));
    let program = home.join("bin").join(name);
    if program.is_file() {
        return Ok(program);
    }
    println!("    compiling {name} {version}: some minutes, once");
    let target = workspace.tools.join(format!("{name}-build"));
    run_quietly(
        workspace
            .cargo()
            .args(["install", name, "--locked", "--version", version])
            .arg("--root")
            .arg(home)
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        &workspace.log(name),
        LIMIT,
    )?;
    let _ = fs::remove_dir_all(target);
    Ok(program)
}
