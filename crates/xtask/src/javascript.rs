//! Checks the browser's JavaScript: types, lints, format, and the tests that need no browser.

use std::path::PathBuf;

use anyhow::bail;

use crate::node::Node;
use crate::process::run_shown;
use crate::report::Report;
use crate::workspace::{Workspace, files_under};

/// Finds Node and installs the pinned npm packages.
pub(crate) fn ready(workspace: &Workspace, report: &mut Report) -> anyhow::Result<Node> {
    report.step("Node.js and npm packages", || {
        let node = Node::ensure(workspace)?;
        node.install_packages(workspace)?;
        Ok(node)
    })
}

/// Checks the JSDoc types.
pub(crate) fn types(workspace: &Workspace, report: &mut Report, node: &Node) -> anyhow::Result<()> {
    report.step("JavaScript types", || {
        let args = ["--noEmit", "--pretty", "false"];
        package(workspace, node, "typescript/bin/tsc", &args)
    })
}

/// Runs ESLint; a warning is an error.
pub(crate) fn lint(workspace: &Workspace, report: &mut Report, node: &Node) -> anyhow::Result<()> {
    report.step("ESLint", || {
        let args = ["--max-warnings", "0", "."];
        package(workspace, node, "eslint/bin/eslint.js", &args)
    })
}

/// Formats the JavaScript, or only says what is not formatted.
pub(crate) fn format(
    workspace: &Workspace,
    report: &mut Report,
    node: &Node,
    only_look: bool,
) -> anyhow::Result<()> {
    report.step("Prettier", || {
        let how = if only_look { "--check" } else { "--write" };
        let args = ["--log-level", "warn", how, "."];
        package(workspace, node, "prettier/bin/prettier.cjs", &args)
    })
}

/// Runs `tests/js`.
pub(crate) fn unit_tests(
    workspace: &Workspace,
    report: &mut Report,
    node: &Node,
) -> anyhow::Result<()> {
    report.step("JavaScript tests", || {
        let tests = tests_in(workspace)?;
        if tests.is_empty() {
            bail!("there is no test in tests/js");
        }
        // Files by name: releases of Node differ in what a folder or a pattern means.
        run_shown(
            node.run()
                .args(["--test", "--test-reporter", "spec"])
                .args(tests)
                .current_dir(&workspace.root),
        )
    })
}

fn tests_in(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let folder = workspace.root.join("tests/js");
    let files = files_under(&folder)?.into_iter();
    Ok(files
        .filter(|file| file.to_string_lossy().ends_with(".test.js"))
        .map(|file| folder.join(file))
        .collect())
}

fn package(workspace: &Workspace, node: &Node, script: &str, args: &[&str]) -> anyhow::Result<()> {
    run_shown(
        node.run()
            .arg(format!("node_modules/{script}"))
            .args(args)
            .current_dir(&workspace.root),
    )
}
