//! `cargo xtask prove`: the proofs that take too long for every run, and one table of them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::engines::{ENGINES, Engine};
use crate::left_out;
use crate::manifest::sha256;
use crate::process::{answer, check, first_line, on_path, run_quietly, run_watched};
use crate::proof_log::{Proof, proof};
use crate::report::{Report, seconds};
use crate::test;
use crate::wasm;
use crate::wasm_route::{self, TARGET};
use crate::workspace::Workspace;

const TOOLCHAIN_LIMIT: Duration = Duration::from_secs(900);

/// Runs the long tests and each way to the WebAssembly core; fails when one proof does.
pub(crate) fn run(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let (prepared, ()) = test::prepare(workspace, report, args, |_, _| ())?;
    let mut counts = Counts::default();
    let begun = Instant::now();
    left_out::forget(workspace);
    let long = report.step("long tests", || {
        let mut passed = args.to_vec();
        if !passed.iter().any(|arg| arg == "--") {
            passed.push("--".into());
        }
        // Measured lines are printed by tests that pass.
        passed.extend(["--include-ignored", "--nocapture"].map(String::from));
        let status = run_watched(
            test::command(workspace, &passed)
                .env("SECURE_MESSAGING_LONG", "1")
                .env(test::FUZZ_SECONDS, "60")
                .envs(prepared.environment),
            |line| {
                rows.extend(proof(line));
                counts.add(line);
            },
        )?;
        check("cargo test", status)
    });
    left_out::collect(workspace, report);
    let left_out = report.left_out().len();
    rows.push(Proof {
        promise: "every test, with long running times".into(),
        measured: format!(
            "{} passed, {} failed, {left_out} not tried on this machine, in {}",
            counts.passed,
            counts.failed,
            seconds(begun.elapsed())
        ),
        holds: long.is_ok() && counts.failed == 0 && counts.passed > 0,
    });
    if args.is_empty() {
        for engine in &ENGINES {
            rows.push(over(workspace, report, engine));
        }
        for name in ["rustup", "debian"] {
            let made = report.step(&format!("WebAssembly core by way of {name}"), || {
                toolchain(workspace, name)
            });
            rows.push(Proof {
                promise: format!("the bundle can be built by way of {name}"),
                holds: made.is_ok(),
                measured: match made {
                    Ok(said) => said,
                    Err(error) => error.to_string().lines().next().unwrap_or("").into(),
                },
            });
        }
    }
    told(workspace, &rows)
}

/// Runs what the ephemeral plane promises over the engines that no other run has.
pub(crate) fn engines(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let over = |engine| over(workspace, report, engine);
    told(workspace, &ENGINES.iter().map(over).collect::<Vec<_>>())
}

/// Shows and writes the table; fails when a proof does not hold.
fn told(workspace: &Workspace, rows: &[Proof]) -> anyhow::Result<()> {
    let text = table(rows);
    println!("\n{text}");
    let out = workspace.target.join("proofs.md");
    fs::write(&out, format!("# Proofs\n\n{text}"))?;
    println!("    written: {}", out.display());
    let broken = rows.iter().filter(|row| !row.holds).count();
    if broken > 0 {
        bail!("{broken} of {} proofs do not hold", rows.len());
    }
    Ok(())
}

/// What the ephemeral plane promises, over another engine than that of every run.
fn over(workspace: &Workspace, report: &mut Report, engine: &Engine) -> Proof {
    let mut counts = Counts::default();
    let passed = ["--package", "ephemeral", "--lib", "--", "valkey::"].map(String::from);
    let outcome = report.step(&format!("the plane over {}", engine.name), || {
        let program = engine.ensure(workspace)?;
        let status = run_watched(
            test::command(workspace, &passed)
                .env("SECURE_MESSAGING_LONG", "1")
                .env("SECURE_MESSAGING_TEST_REDIS_SERVER", program),
            |line| counts.add(line),
        )?;
        check("cargo test", status)
    });
    Proof {
        promise: format!(
            "the ephemeral plane keeps its promises over {}",
            engine.name
        ),
        holds: outcome.is_ok() && counts.failed == 0 && counts.passed > 0,
        measured: match outcome {
            Err(error) if counts.passed == 0 => first_line(&error),
            _ => format!("{} tests passed, {} failed", counts.passed, counts.failed),
        },
    }
}

/// Builds the core by one way from nothing, in folders of its own, and says what came out.
fn toolchain(workspace: &Workspace, name: &str) -> anyhow::Result<String> {
    let home = workspace.target.join("prove").join(name);
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    let private = Workspace {
        root: workspace.root.clone(),
        target: home.join("target"),
        tools: home.join("tools"),
        cargo: workspace.cargo.clone(),
    };
    let mut route = match name {
        "rustup" => rustup_from_nothing(&private, &home)?,
        _ => wasm_route::debian(&private)?,
    };
    route.name = "prove";
    let out = home.join("wasm");
    let vectors = private.vectors_wasm();
    wasm::build(&private, &route, &private.target, &out, &vectors)?;
    let binary = fs::read(out.join("core_bg.wasm"))?;
    let said = format!(
        "{} KiB, sha256 {}, {}",
        binary.len() / 1024,
        &sha256(&binary)[..16],
        route.compiler.lines().next().unwrap_or_default()
    );
    fs::remove_dir_all(&home)?;
    Ok(said)
}

/// rustup's own way, with a toolchain of its own, so that an installed target proves nothing.
fn rustup_from_nothing(workspace: &Workspace, home: &Path) -> anyhow::Result<wasm_route::Route> {
    if !on_path("rustup") {
        bail!("not tried: there is no rustup on this machine");
    }
    let version = answer(Command::new("rustc").arg("--version"))?;
    let version = version
        .split_whitespace()
        .nth(1)
        .context("rustc does not say its version")?
        .to_owned();
    let rustup_home = home.join("rustup");
    let rustup = |args: &[&str]| {
        let mut command = Command::new("rustup");
        command.args(args).env("RUSTUP_HOME", &rustup_home);
        command.env_remove("RUSTUP_TOOLCHAIN");
        command
    };
    let mut install = rustup(&["toolchain", "install", &version, "--profile", "minimal"]);
    install.args(["--no-self-update", "--target", TARGET]);
    run_quietly(
        &mut install,
        &workspace.log("rustup-install"),
        TOOLCHAIN_LIMIT,
    )?;
    let rustc = answer(&mut rustup(&["which", "rustc", "--toolchain", &version]))?;
    wasm_route::with_compiler(Path::new(rustc.trim()))
}

#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Adds a closing line of libtest: `test result: ok. 3 passed; 0 failed; …`.
    fn add(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else {
            return;
        };
        for part in rest.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(word)) = (words.next(), words.next()) else {
                continue;
            };
            let number = number.parse().unwrap_or(0);
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                _ => {}
            }
        }
    }
}

fn table(rows: &[Proof]) -> String {
    let mut out = String::from("| promise | measured | holds |\n|---|---|---|\n");
    for row in rows {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            row.promise.replace('|', "/"),
            row.measured.replace('|', "/"),
            if row.holds { "yes" } else { "**NO**" }
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_add_up() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; finished in 0.1s");
        counts.add("test result: FAILED. 5 passed; 2 failed; 0 ignored");
        counts.add("test 9 passed; 9 failed");
        assert_eq!((counts.passed, counts.failed), (8, 2));
    }

    #[test]
    fn a_broken_promise_stands_out() {
        let row = |holds| Proof {
            promise: "a|b".into(),
            measured: "1".into(),
            holds,
        };
        assert!(table(&[row(true)]).contains("| a/b | 1 | yes |"));
        assert!(table(&[row(false)]).contains("**NO**"));
    }
}
