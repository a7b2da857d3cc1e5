//! cargo-machete: dependencies that a manifest names and nothing uses.

use std::path::PathBuf;
use std::process::Command;

use crate::cargo_tool;
use crate::process::{answer, run_shown};
use crate::report::Report;
use crate::workspace::Workspace;

const VERSION: &str = "0.9.2";

/// Compiles cargo-machete unless it is there, and looks through every manifest.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let program = report.step("cargo-machete", || ensure(workspace))?;
    report.step("unused dependencies", || {
        // Without metadata it guesses the names that crates are imported by.
        run_shown(
            Command::new(&program)
                .current_dir(&workspace.root)
                .env("CARGO", &workspace.cargo)
                .args(["--with-metadata", "--skip-target-dir"]),
        )
    })
}

fn ensure(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let home = workspace.tools.join(format!("cargo-machete-{VERSION}"));
    let program = home.join("bin/cargo-machete");
    let found = answer(Command::new(&program).arg("--version"));
    if !found.is_ok_and(|said| said.contains(VERSION)) {
        cargo_tool::compile(workspace, "cargo-machete", VERSION, &home)?;
    }
    Ok(program)
}
