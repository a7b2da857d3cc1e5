//! Tests of what there is once for each process.

use std::ffi::OsStr;
use std::process::Command;

/// Runs the test that calls this once more, alone, in a process with this environment besides; it
/// fails with what was said there.
pub fn in_a_process_of_its_own(
    environment: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
) {
    let test = std::thread::current();
    let test = test.name().expect("the test's name").to_owned();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([&*test, "--exact", "--nocapture", "--include-ignored"])
        .envs(environment)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{test} failed in its own process ({}):\n{said}\n{complained}",
        output.status
    );
}
