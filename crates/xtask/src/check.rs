//! Formatting, lints, and the list of everything that CI runs.

use crate::javascript::{FORMAT, FORMATTED, LINT};
use crate::process::run_shown;
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{cargo_tool, deny, javascript, test};

const MACHETE: &str = "0.9.2";

/// rustfmt and Prettier.
pub(crate) fn fmt(
    workspace: &Workspace,
    report: &mut Report,
    only_look: bool,
) -> anyhow::Result<()> {
    let rust = rustfmt(workspace, report, only_look);
    let node = javascript::ready(workspace, report)?;
    let format = if only_look { FORMATTED } else { FORMAT };
    javascript::check(workspace, report, &node, format).and(rust)
}

/// Clippy and ESLint.
pub(crate) fn lint(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let rust = clippy(workspace, report);
    let node = javascript::ready(workspace, report)?;
    javascript::check(workspace, report, &node, LINT).and(rust)
}

fn rustfmt(workspace: &Workspace, report: &mut Report, only_look: bool) -> anyhow::Result<()> {
    report.step("rustfmt", || {
        let mut command = workspace.cargo();
        command.args(["fmt", "--all"]);
        if only_look {
            command.arg("--check");
        }
        run_shown(&mut command)
    })
}

/// Clippy over every crate, test and benchmark; a warning is an error.
fn clippy(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.step("clippy", || {
        // Apart for the same reason as in `cargo_test_args`.
        for packages in [
            &["--workspace", "--exclude", "xtask"][..],
            &["--package", "xtask"],
        ] {
            run_shown(
                workspace
                    .cargo()
                    .arg("clippy")
                    .args(workspace.locked())
                    .args(packages)
                    .args(["--all-targets", "--", "--deny", "warnings"]),
            )?;
        }
        Ok(())
    })
}

/// cargo-machete: dependencies that a manifest names and nothing uses.
pub(crate) fn machete(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let program = report.step("cargo-machete", || {
        cargo_tool::ensure(workspace, "cargo-machete", MACHETE)
    })?;
    report.step("unused dependencies", || {
        // Without metadata it guesses the names that crates are imported by.
        let mut command = workspace.cargo_program(&program);
        command.env("CARGO", &workspace.cargo);
        run_shown(command.args(["--with-metadata", "--skip-target-dir"]))
    })
}

/// Everything that CI runs. A failure does not stop what comes after it: one run tells all.
pub(crate) fn ci(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    let mut note = |outcome: anyhow::Result<()>| {
        if let Err(error) = outcome {
            eprintln!("    {error:#}");
            failed.push(error.to_string());
        }
    };
    note(fmt(workspace, report, true));
    note(deny::run(workspace, report));
    note(machete(workspace, report));
    note(test::run(workspace, report, &[]));
    note(lint(workspace, report));
    if failed.is_empty() {
        Ok(())
    } else {
        anyhow::bail!("{}", failed.join("; "))
    }
}
