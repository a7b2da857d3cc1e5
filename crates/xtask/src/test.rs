//! `cargo xtask test`: prepare everything, then every test.

use std::path::PathBuf;

use crate::args::cargo_test_args;
use crate::browser::{self, Browser};
use crate::bundle;
use crate::javascript;
use crate::left_out;
use crate::moto::{self, Moto};
use crate::mutants;
use crate::node::Node;
use crate::operators;
use crate::process::run_shown;
use crate::report::Report;
use crate::softhsm::{self, SoftHsm};
use crate::workspace::Workspace;

/// For how long each target of hostile bytes runs. Two run at once on two processors, so that all of
/// them cost about a minute and a half; `cargo xtask prove` takes a minute for each.
pub(crate) const FUZZ_SECONDS: &str = "SECURE_MESSAGING_FUZZ_SECONDS";

/// What the tests need beside Rust and moto.
struct Tools {
    node: Node,
    browser: Browser,
    softhsm: SoftHsm,
    operators: Vec<(&'static str, PathBuf)>,
}

/// What the tests are told about the machine.
pub(crate) struct Prepared {
    tools: Tools,
    moto: Moto,
    bundle: PathBuf,
    axe: PathBuf,
    not_tried: PathBuf,
}

impl Prepared {
    /// The variables that tests read.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let mut environment = vec![
            (
                "SECURE_MESSAGING_TEST_CHROMIUM",
                self.tools.browser.chromium.clone(),
            ),
            (
                "SECURE_MESSAGING_TEST_CHROMEDRIVER",
                self.tools.browser.driver.clone(),
            ),
            ("SECURE_MESSAGING_TEST_AXE", self.axe.clone()),
            ("SECURE_MESSAGING_BUNDLE_DIR", self.bundle.clone()),
            (left_out::VARIABLE, self.not_tried.clone()),
        ];
        environment.extend(self.tools.softhsm.environment());
        environment.extend(self.moto.environment());
        environment.extend(self.tools.operators.iter().cloned());
        environment
    }
}

/// Fetches tools and builds the bundle.
pub(crate) fn prepare(workspace: &Workspace, report: &mut Report) -> anyhow::Result<Prepared> {
    let (tools, moto, bundle) = with_tools(workspace, report, |report| {
        bundle::ensure(workspace, report, false)
    })?;
    Ok(Prepared {
        tools,
        moto,
        bundle,
        axe: workspace.root.join("node_modules/axe-core/axe.min.js"),
        not_tried: left_out::file(workspace),
    })
}

/// Fetches what the tests need beside Rust.
pub(crate) fn tools(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    with_tools(workspace, report, |_| Ok(())).map(drop)
}

/// Fetches what the tests need beside Rust, and does something that needs none of it. What takes
/// longest to arrive arrives meanwhile.
fn with_tools<T>(
    workspace: &Workspace,
    report: &mut Report,
    meanwhile: impl FnOnce(&mut Report) -> anyhow::Result<T>,
) -> anyhow::Result<(Tools, Moto, T)> {
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| moto::ensure(workspace));
        let tools = fetch(workspace, report)?;
        let made = meanwhile(report)?;
        let moto = report.step("moto", || {
            let fetched = fetching.join();
            fetched.unwrap_or_else(|_| anyhow::bail!("its installation broke off"))
        })?;
        Ok((tools, moto, made))
    })
}

fn fetch(workspace: &Workspace, report: &mut Report) -> anyhow::Result<Tools> {
    let browser = report.step("Chromium", || browser::ensure(workspace))?;
    let node = javascript::ready(workspace, report)?;
    let softhsm = report.step("SoftHSM", || softhsm::ensure(workspace))?;
    let operators = operators::find(workspace, report);
    Ok(Tools {
        node,
        browser,
        softhsm,
        operators,
    })
}

/// Checks the JavaScript, then `cargo test`, then runs the vectors in the WebAssembly core.
///
/// Every step runs even when one before it failed; the error names all that failed.
pub(crate) fn run_all(
    workspace: &Workspace,
    report: &mut Report,
    prepared: &Prepared,
    args: &[String],
) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    for check in [javascript::types, javascript::unit_tests] {
        if let Err(error) = check(workspace, report, &prepared.tools.node) {
            failed.push(error.to_string());
        }
    }
    if let Err(error) = cargo_test(workspace, report, prepared, args) {
        failed.push(error.to_string());
    }
    if let Err(error) = vectors(workspace, report, &prepared.tools.node) {
        failed.push(error.to_string());
    }
    if args.is_empty()
        && let Err(error) = mutants::changed(workspace, report)
    {
        failed.push(error.to_string());
    }
    if failed.is_empty() {
        Ok(())
    } else {
        anyhow::bail!("{}", failed.join("; "))
    }
}

/// `cargo xtask test`.
pub(crate) fn run(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
) -> anyhow::Result<()> {
    let prepared = prepare(workspace, report)?;
    run_all(workspace, report, &prepared, args)
}

/// The protocol's vectors once more, in the WebAssembly that the browser is given: the same compiled
/// module, before the exports for this run are taken out.
fn vectors(workspace: &Workspace, report: &mut Report, node: &Node) -> anyhow::Result<()> {
    let script = workspace.root.join("crates/browser/tests/vectors.mjs");
    report.step("vectors in WebAssembly", || {
        let wycheproof = workspace.target.join("tmp/wycheproof");
        run_shown(
            workspace
                .cargo()
                .args(["run", "--quiet", "--package", "protocol"])
                .args(workspace.locked())
                .args(["--example", "wycheproof_vectors", "--"])
                .arg(&wycheproof),
        )?;
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
    prepared: &Prepared,
    args: &[String],
) -> anyhow::Result<()> {
    let everything = args.is_empty();
    left_out::forget(workspace);
    let outcome = report.step("tests", || {
        run_shown(
            workspace
                .cargo()
                .arg("test")
                .args(workspace.locked())
                .args(cargo_test_args(args))
                .envs(prepared.environment())
                .env(FUZZ_SECONDS, "10"),
        )
    });
    left_out::collect(workspace, report);
    if everything {
        // Built already, so this costs a second: see cargo_test_args for why it stands apart.
        let own = report.step("tests of xtask", || {
            run_shown(
                workspace
                    .cargo()
                    .args(["test", "--package", "xtask"])
                    .args(workspace.locked()),
            )
        });
        return outcome.and(own);
    }
    outcome
}
