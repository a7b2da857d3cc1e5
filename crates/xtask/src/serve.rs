//! `cargo xtask serve`: prepare everything and become the server.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::bail;

use crate::bundle;
use crate::process::run_shown;
use crate::report::Report;
use crate::workspace::Workspace;

/// Builds bundle and server, then replaces this process by the server in the caller's folder.
///
/// The release profile costs minutes the first time; people then work with what it builds, and the
/// debug server is many times slower under load.
pub(crate) fn run(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
) -> anyhow::Result<ExitCode> {
    let bundle = bundle::ensure(workspace, report, false)?;
    report.step("server (release build)", || {
        run_shown(
            workspace
                .cargo()
                .args(["build", "--release", "--bin", "secure-messaging"])
                .args(workspace.locked()),
        )
    })?;
    report.summary();
    println!("\n==> starting the server; it says where it listens");
    let program = workspace.target.join("release/secure-messaging");
    let error = Command::new(&program)
        .arg("serve")
        .args(args)
        .env("SECURE_MESSAGING_BUNDLE_DIR", bundle)
        .exec();
    bail!("{} could not be started: {error}", program.display())
}
