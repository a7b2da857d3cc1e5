//! Tests of what there is once for each process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::OsStr;
use std::process::Command;

/// Runs the test that calls this once more, alone, in a process with this environment besides; it
/// fails with what was said there. A command that `before` names starts the process, if there is one.
pub fn in_a_process_of_its_own(
    before: &[&str],
    environment: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
) {
    let test = std::thread::current();
    let test = test.name().expect("the test's name");
    let program = std::env::current_exe().unwrap();
    let arguments = [test, "--exact", "--nocapture", "--include-ignored"];
    let mut words = before.iter().map(OsStr::new).chain([program.as_os_str()]);
    let mut command = Command::new(words.next().unwrap());
    let command = command.args(words).args(arguments).envs(environment);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{test} failed in its own process ({}):\n{said}\n{complained}",
        output.status
    );
}
