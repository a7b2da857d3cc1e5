//! cargo-mutants: code that is changed in one place at a time.

use anyhow::bail;

use crate::cargo_tool;
use crate::report::Report;
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

/// The code of the crates that everything stands on, changed in one place at a time; a test must tell.
///
/// It takes hours; `args` go to cargo-mutants, such as `--shard 1/8`. Its configuration has those that no
/// test can or need tell.
pub(crate) fn run(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
) -> anyhow::Result<()> {
    let program = report.step("cargo-mutants", || {
        cargo_tool::ensure(workspace, "cargo-mutants", VERSION)
    })?;
    report.step("mutants", || {
        let mut command = workspace.cargo_program(&program);
        command
            .args(["mutants", "--no-shuffle", "--colors", "never"])
            // One that hangs is ended then.
            .args(["--minimum-test-timeout", "120"])
            .arg("--output")
            .arg(workspace.target.join("mutants"));
        for name in CRATES {
            command.args(["--package", name]);
        }
        match command.args(args).status()?.code() {
            // All told; some ended by time, which is a way to tell.
            Some(0 | 3) => Ok(()),
            Some(2) => bail!("write a test that tells, or the reason in .cargo/mutants.toml"),
            Some(4) => bail!("the tests fail before anything is changed; run `cargo xtask test`"),
            code => bail!("cargo-mutants ended with {code:?}"),
        }
    })
}
