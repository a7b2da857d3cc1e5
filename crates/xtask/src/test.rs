//! `cargo xtask test`: prepare everything, then every test.

use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use crate::args::cargo_test_args;
use crate::bundle;
use crate::javascript::{self, Node, TYPES};
use crate::left_out;
use crate::process::{run_quietly, run_shown};
use crate::report::Report;
use crate::tools::{self, Environment};
use crate::workspace::Workspace;

/// For how long each target of hostile bytes runs. Two run at once on two processors, so that all of
/// them cost less than a minute; `cargo xtask prove` takes a minute for each.
pub(crate) const FUZZ_SECONDS: &str = "SECURE_MESSAGING_FUZZ_SECONDS";

/// Whoever waits longer for a compiler has another problem.
const COMPILE_LIMIT: Duration = Duration::from_secs(3600);

/// What a run needs beside Rust.
pub(crate) struct Prepared {
    node: Node,
    /// The variables that tests read.
    pub environment: Environment,
}

/// Fetches tools, builds the bundle and compiles the tests that `args` name, all at once: the first waits
/// for others, and the last steps of the second keep one processor busy. `checks` need the bundle alone.
pub(crate) fn prepare<T>(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
    checks: impl FnOnce(&mut Report, &Node) -> T,
) -> anyhow::Result<(Prepared, T)> {
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| tools::find(workspace));
        let compiling = scope.spawn(|| compile(workspace, args));
        let node = javascript::ready(workspace, report)?;
        let bundle = bundle::ensure(workspace, report, false)?;
        let checked = checks(report, &node);
        let found = report.step("tools", || ended(fetching.join()))?;
        // What failed is shown in full when the tests are run.
        let _ = report.step("compiling the tests", || ended(compiling.join()));
        let mut environment = found.told(report);
        let axe = workspace.root.join("node_modules/axe-core/axe.min.js");
        for (name, path) in [
            ("SECURE_MESSAGING_TEST_AXE", axe),
            ("SECURE_MESSAGING_BUNDLE_DIR", bundle),
            (left_out::VARIABLE, left_out::file(workspace)),
        ] {
            environment.push((name.to_owned(), path));
        }
        Ok((Prepared { node, environment }, checked))
    })
}

fn ended<T>(joined: std::thread::Result<anyhow::Result<T>>) -> anyhow::Result<T> {
    joined.unwrap_or_else(|_| bail!("it broke off"))
}

/// Checks the JavaScript, runs `cargo test`, then the vectors in the WebAssembly core.
///
/// Every step runs even when one before it failed; the error names all that failed.
pub(crate) fn run(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
) -> anyhow::Result<()> {
    let (prepared, (types, units)) = prepare(workspace, report, args, |report, node| {
        (
            javascript::check(workspace, report, node, TYPES),
            javascript::unit_tests(workspace, report, node),
        )
    })?;
    let outcomes = [
        types,
        units,
        cargo_test(workspace, report, &prepared.environment, args),
        vectors(workspace, report, &prepared.node),
    ];
    let failed = outcomes.into_iter().filter_map(Result::err);
    let failed: Vec<String> = failed.map(|error| error.to_string()).collect();
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{}", failed.join("; "))
    }
}

/// `cargo test` with what `args` filter.
pub(crate) fn command(workspace: &Workspace, args: &[String]) -> Command {
    let mut command = workspace.cargo();
    command.arg("test").args(workspace.locked());
    command.args(cargo_test_args(args));
    command
}

fn compile(workspace: &Workspace, args: &[String]) -> anyhow::Result<()> {
    let named: Vec<String> = args
        .iter()
        .take_while(|arg| *arg != "--")
        .cloned()
        .collect();
    let mut command = command(workspace, &named);
    let log = workspace.log("compile");
    run_quietly(command.arg("--no-run"), &log, COMPILE_LIMIT)
}

/// The protocol's vectors once more, in the WebAssembly that the browser is given: the same compiled
/// module, before the exports for this run are taken out.
fn vectors(workspace: &Workspace, report: &mut Report, node: &Node) -> anyhow::Result<()> {
    let script = workspace.root.join("crates/browser/tests/vectors.mjs");
    report.step("vectors in WebAssembly", || {
        let wycheproof = workspace.target.join("tmp/wycheproof");
        let example = "wycheproof_vectors";
        // As the tests build it: alone it would have other features.
        let mut build = workspace.cargo();
        build.args(["build", "--quiet", "--workspace", "--exclude", "xtask"]);
        build.args(workspace.locked()).args(["--example", example]);
        run_shown(&mut build)?;
        let program = workspace.target.join("debug/examples").join(example);
        run_shown(Command::new(program).arg(&wycheproof))?;
        run_shown(
            node.run()
                .arg(&script)
                .current_dir(&workspace.root)
                .env("SECURE_MESSAGING_WASM_DIR", workspace.vectors_wasm())
                .env("SECURE_MESSAGING_WYCHEPROOF_DIR", &wycheproof),
        )
    })
}

fn cargo_test(
    workspace: &Workspace,
    report: &mut Report,
    environment: &Environment,
    args: &[String],
) -> anyhow::Result<()> {
    left_out::forget(workspace);
    let outcome = report.step("tests", || {
        run_shown(
            command(workspace, args)
                .envs(environment.iter().cloned())
                .env(FUZZ_SECONDS, "5"),
        )
    });
    left_out::collect(workspace, report);
    if !args.is_empty() {
        return outcome;
    }
    let mut failed = vec![outcome];
    // xtask is built already, so that its tests cost seconds: see cargo_test_args for why it stands apart.
    for (name, which) in [
        (
            "tests in documents",
            &["--doc", "--workspace", "--exclude", "xtask"][..],
        ),
        ("tests of xtask", &["--package", "xtask"]),
    ] {
        failed.push(report.step(name, || {
            let mut command = workspace.cargo();
            command.arg("test").args(workspace.locked());
            run_shown(command.args(which))
        }));
    }
    failed.into_iter().collect()
}
