//! What the machine did not let the tests try: they write it into a file, a line each.

use std::fs;
use std::path::PathBuf;

use crate::report::Report;
use crate::workspace::Workspace;

/// Names the file to the tests.
pub(crate) const VARIABLE: &str = "SECURE_MESSAGING_TEST_NOT_TRIED";

/// Where the tests write it.
pub(crate) fn file(workspace: &Workspace) -> PathBuf {
    workspace.target.join("not-tried.txt")
}

/// Forgets what an earlier run wrote.
pub(crate) fn forget(workspace: &Workspace) {
    // There is none after a run that could try everything.
    let _ = fs::remove_file(file(workspace));
}

/// Hands what this run wrote to the report.
pub(crate) fn collect(workspace: &Workspace, report: &mut Report) {
    for line in fs::read_to_string(file(workspace))
        .unwrap_or_default()
        .lines()
    {
        let (what, why) = line
            .split_once(": ")
            .unwrap_or((line, "no reason was given"));
        report.not_tried(what, why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn what_tests_wrote_is_reported_once_and_forgotten_before_the_next_run() {
        let scratch = Scratch::new("left-out");
        let workspace = Workspace {
            root: scratch.0.clone(),
            target: scratch.0.clone(),
            tools: scratch.0.join("tools"),
            cargo: "cargo".into(),
        };
        let collected = || {
            let mut report = Report::new();
            collect(&workspace, &mut report);
            let all = report.left_out();
            all.map(|(what, why)| format!("{what}: {why}"))
                .collect::<Vec<_>>()
        };
        assert!(collected().is_empty());
        scratch.write(
            "not-tried.txt",
            b"a disk: no mount\na lock: no right\na disk: no mount\n",
        );
        assert_eq!(collected(), ["a disk: no mount", "a lock: no right"]);
        forget(&workspace);
        assert!(collected().is_empty());
    }
}
