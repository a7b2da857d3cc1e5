//! cargo-mutants: the code of the crates that everything stands on, changed in one place at a time;
//! a test must tell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::cargo_tool;
use crate::process::answer;
use crate::report::{Report, seconds};
use crate::survivors::{Verdict, names, reasons};
use crate::workspace::Workspace;

const VERSION: &str = "27.1.0";

/// The crates whose tests have to tell every change.
const CRATES: [&str; 6] = [
    "protocol",
    "client",
    "ambient",
    "ephemeral",
    "keyring",
    "audit",
];

/// The list of survivors with their reasons.
const REASONS: &str = "docs/mutants.txt";

/// How long the changed lines of an ordinary run may take.
const CHANGED_LIMIT: Duration = Duration::from_secs(240);

/// Least time that a mutant's tests are given: one that hangs is ended then.
const LEAST_TEST_SECONDS: &str = "120";

/// `cargo xtask prove mutants`: every mutant of the five crates. It takes hours; `args` go to
/// cargo-mutants, such as `--shard 1/8` or `--file crates/audit/src/chain.rs`.
pub(crate) fn prove(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
) -> anyhow::Result<()> {
    let program = report.step("cargo-mutants", || ensure(workspace))?;
    report.step("mutants", || {
        let out = workspace.target.join("mutants");
        let mut command = mutants(workspace, &program, &out);
        for name in CRATES {
            command.args(["--package", name]);
        }
        let status = command.args(args).status()?;
        match status.code() {
            // All told; some not told; some ended by time, which is a way to tell.
            Some(0 | 2 | 3) => judge(workspace, &out, true),
            Some(4) => bail!("the tests fail before anything is changed; run `cargo xtask test`"),
            _ => bail!("cargo-mutants: {status}"),
        }
    })
}

/// The mutants of lines that are not in the upstream branch, for as long as an ordinary run may take.
///
/// Only where cargo-mutants is there already: compiling it would take longer than the run.
pub(crate) fn changed(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    const STEP: &str = "mutants of changed lines";
    let program = program(workspace);
    if !works(&program) {
        report.skip(
            STEP,
            "no cargo-mutants; `cargo xtask prove mutants` fetches it",
        );
        return Ok(());
    }
    let out = workspace.target.join("mutants-changed");
    let Some(diff) = diff(workspace, &out)? else {
        report.skip(STEP, "no changed lines");
        return Ok(());
    };
    report.step(STEP, || {
        let mut command = mutants(workspace, &program, &out);
        for name in CRATES {
            command.args(["--package", name]);
        }
        let mut child = command.arg("--in-diff").arg(&diff).spawn()?;
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if begun.elapsed() > CHANGED_LIMIT {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(200));
        };
        match status.map(|status| status.code()) {
            None => println!(
                "    ended after {}: the rest is for `cargo xtask prove mutants`",
                seconds(CHANGED_LIMIT)
            ),
            Some(Some(0 | 2 | 3)) => {}
            Some(code) => bail!("cargo-mutants ended with {code:?}"),
        }
        judge(workspace, &out, false)
    })
}

fn mutants(workspace: &Workspace, program: &Path, out: &Path) -> Command {
    let mut command = workspace.cargo_program(program);
    command
        .args(["mutants", "--no-shuffle", "--colors", "never"])
        .args(["--minimum-test-timeout", LEAST_TEST_SECONDS])
        .arg("--output")
        .arg(out);
    command
}

/// Compares what survived with the list; on a whole run a reason that nothing needs is an error too.
fn judge(workspace: &Workspace, out: &Path, whole: bool) -> anyhow::Result<()> {
    let read = |name: &str| {
        let file = out.join("mutants.out").join(name);
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        anyhow::Ok(names(&text))
    };
    let survived = read("missed.txt")?;
    let mut caught = read("caught.txt")?;
    caught.extend(read("timeout.txt")?);
    let list = reasons(&workspace.root.join(REASONS))?;
    let verdict = Verdict::of(&survived, &caught, &list);
    println!(
        "    {} told, {} survive with a reason, {} without",
        caught.len(),
        verdict.explained,
        verdict.unexplained.len()
    );
    for mutant in &verdict.unexplained {
        println!("    survives: {mutant}");
    }
    for mutant in verdict.needless.iter().filter(|_| whole) {
        println!("    told, so that its reason in {REASONS} goes: {mutant}");
    }
    if verdict.unexplained.is_empty() && (verdict.needless.is_empty() || !whole) {
        Ok(())
    } else {
        bail!("mutants and {REASONS} do not agree: write a test that tells, or the reason")
    }
}

/// Writes what was changed since the upstream branch to a file; `None` where nothing was.
fn diff(workspace: &Workspace, out: &Path) -> anyhow::Result<Option<PathBuf>> {
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        answer(command.current_dir(&workspace.root).args(args))
    };
    // Without an upstream, or without git, only what is not committed can be told.
    let base = git(&["merge-base", "HEAD", "@{upstream}"]);
    let base = base.map_or("HEAD".to_owned(), |base| base.trim().to_owned());
    let paths = CRATES.map(|name| format!("crates/{name}/src"));
    let mut args = vec!["diff", base.as_str(), "--"];
    args.extend(paths.iter().map(String::as_str));
    let text = git(&args).unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(None);
    }
    fs::create_dir_all(out)?;
    let file = out.join("changed.diff");
    fs::write(&file, text)?;
    Ok(Some(file))
}

fn home(workspace: &Workspace) -> PathBuf {
    workspace.tools.join(format!("cargo-mutants-{VERSION}"))
}

fn program(workspace: &Workspace) -> PathBuf {
    home(workspace).join("bin/cargo-mutants")
}

fn works(program: &Path) -> bool {
    let mut command = Command::new(program);
    answer(command.args(["mutants", "--version"])).is_ok_and(|said| said.contains(VERSION))
}

fn ensure(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let program = program(workspace);
    if !works(&program) {
        cargo_tool::compile(workspace, "cargo-mutants", VERSION, &home(workspace))?;
    }
    if !works(&program) {
        bail!("cargo-mutants {VERSION} was compiled but does not start");
    }
    Ok(program)
}
