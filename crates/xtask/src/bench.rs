//! `cargo xtask bench`: every benchmark of the server.

use anyhow::{Context, bail};
use serde_json::Value;

use crate::process::{answer, run_shown};
use crate::report::Report;
use crate::workspace::Workspace;

/// Runs the named benchmark, or all; the rest of `args` goes to the benchmark program.
///
/// The programs compare, draw their table and plot themselves; they are told where to leave them.
pub(crate) fn run(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
) -> anyhow::Result<()> {
    let metadata =
        answer(
            workspace
                .cargo()
                .args(["metadata", "--no-deps", "--format-version", "1"]),
        )?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is not JSON")?;
    let (chosen, passed) = choose(&names(&metadata), args)?;
    let mut failed = Vec::new();
    for name in &chosen {
        let outcome = report.step(&format!("bench {name}"), || {
            run_shown(
                workspace
                    .cargo()
                    .args(["bench", "--bench", name])
                    .args(workspace.locked())
                    .arg("--")
                    .args(&passed)
                    .env("SECURE_MESSAGING_BENCH_DIR", &workspace.target)
                    .env("SECURE_MESSAGING_BUNDLE_DIR", workspace.bundle_dir()),
            )
        });
        if outcome.is_err() {
            failed.push(name.clone());
        }
    }
    println!(
        "    tables and plots: {}/bench*",
        workspace.target.display()
    );
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("failed: {}", failed.join(", "))
    }
}

/// The benchmarks to run and what to hand them.
fn choose(known: &[String], args: &[String]) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    if known.is_empty() {
        bail!("the workspace has no benchmarks");
    }
    match args.first() {
        Some(name) if known.contains(name) => Ok((vec![name.clone()], args[1..].to_vec())),
        Some(name) if !name.starts_with('-') => {
            bail!(
                "there is no benchmark `{name}`; there are: {}",
                known.join(", ")
            )
        }
        _ => Ok((known.to_vec(), args.to_vec())),
    }
}

/// Names of all benchmark targets.
fn names(metadata: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&metadata["packages"])
        .iter()
        .flat_map(|package| list(&package["targets"]))
        .filter(|target| target["kind"][0] == "bench")
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(line: &str) -> Vec<String> {
        line.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn only_benchmark_targets_count() {
        let metadata = serde_json::json!({"packages": [{"targets": [
            {"kind": ["lib"], "name": "secure_messaging"},
            {"kind": ["bench"], "name": "server"},
        ]}]});
        assert_eq!(names(&metadata), ["server"]);
    }

    #[test]
    fn a_name_picks_one_benchmark_and_anything_else_goes_to_all() {
        let known = strings("crypto server");
        let one = choose(&known, &strings("server --seconds 5")).expect("one");
        assert_eq!(one, (strings("server"), strings("--seconds 5")));
        let all = choose(&known, &strings("--seconds 5")).expect("all");
        assert_eq!(all, (known.clone(), strings("--seconds 5")));
        assert!(choose(&known, &strings("no-such")).is_err());
        assert!(choose(&[], &[]).is_err());
    }
}
