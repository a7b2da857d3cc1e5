//! `cargo xtask bench`: the benchmarks of the server.

use crate::process::run_shown;
use crate::report::Report;
use crate::tools;
use crate::workspace::Workspace;

/// Servers that a part of a benchmark starts.
pub(crate) const SERVERS: [&str; 2] = ["postgres", "redis-server"];

/// Runs the benchmark that the first of `args` names, or the one there is; the rest goes to it.
///
/// It compares, draws its table and plot itself; it is told where to leave them.
pub(crate) fn run(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
) -> anyhow::Result<()> {
    let (name, passed) = match args.split_first() {
        Some((name, rest)) if !name.starts_with('-') => (name.as_str(), rest),
        _ => ("ratios", args),
    };
    let servers = report.step("tools", || tools::find_some(workspace, &SERVERS))?;
    let environment = servers.told(report);
    report.step(&format!("bench {name}"), || {
        run_shown(
            workspace
                .cargo()
                .args(["bench", "--bench", name])
                .args(workspace.locked())
                .arg("--")
                .args(passed)
                .envs(environment)
                .env("SECURE_MESSAGING_BENCH_DIR", &workspace.target)
                .env("SECURE_MESSAGING_BUNDLE_DIR", workspace.bundle_dir()),
        )
    })?;
    println!(
        "    tables and plots: {}/bench*",
        workspace.target.display()
    );
    Ok(())
}
