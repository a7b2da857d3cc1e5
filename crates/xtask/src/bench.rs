//! `cargo xtask bench`: every benchmark, one table, one plot.

use std::fs;

use anyhow::{Context, bail};

use crate::process::run_watched;
use crate::proof_log::{figure, plot, table};
use crate::report::Report;
use crate::workspace::Workspace;

/// Runs the named benchmark, or all; the rest of `args` goes to the benchmark program.
pub fn run(workspace: &Workspace, report: &mut Report, args: &[String]) -> anyhow::Result<()> {
    let known = names(workspace)?;
    let (chosen, passed) = match args.first() {
        Some(name) if known.contains(name) => (vec![name.clone()], &args[1..]),
        Some(name) if !name.starts_with('-') => {
            bail!(
                "there is no benchmark `{name}`; there are: {}",
                known.join(", ")
            )
        }
        _ => (known, args),
    };
    if chosen.is_empty() {
        bail!("there are no benchmarks under benches/");
    }
    let mut figures = Vec::new();
    let mut failed = Vec::new();
    for name in &chosen {
        let outcome = report.step(&format!("bench {name}"), || {
            let status = run_watched(
                workspace
                    .cargo()
                    .args(["bench", "--bench", name])
                    .args(workspace.locked())
                    .arg("--")
                    .args(passed)
                    .env("SECURE_MESSAGING_BUNDLE_DIR", workspace.bundle_dir()),
                |line| figures.extend(figure(line)),
            )?;
            crate::process::check("cargo bench", status)
        });
        if outcome.is_err() {
            failed.push(name.clone());
        }
    }
    let text = table(&figures);
    println!("\n{text}");
    let out = workspace.target.join("bench.md");
    fs::write(&out, format!("# Benchmarks\n\n{text}"))?;
    fs::write(workspace.target.join("bench.svg"), plot(&figures))?;
    println!("    written: {} and bench.svg beside it", out.display());
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("failed: {}", failed.join(", "))
    }
}

/// Names of the server's benchmarks: the files and folders of `benches`.
fn names(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let dir = workspace.root.join("benches");
    let mut found = Vec::new();
    if !dir.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(&dir).context("benches")? {
        let path = entry?.path();
        let is_program =
            path.join("main.rs").is_file() || path.extension().is_some_and(|end| end == "rs");
        if let (true, Some(name)) = (is_program, path.file_stem()) {
            found.push(name.to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn benchmarks_are_files_and_folders_with_a_main() {
        let scratch = Scratch::new("benches");
        scratch.write("benches/server.rs", b"");
        scratch.write("benches/durable/main.rs", b"");
        scratch.write("benches/shared/load.rs", b"");
        let workspace = Workspace::at(&scratch.0);
        assert_eq!(names(&workspace).expect("names"), ["durable", "server"]);
    }
}
