//! Which mutants survived, and which of them may: each of those with its reason, in a list.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};

/// A mutant without its line: `crates/ephemeral/src/x.rs: replace f with ()`.
pub(crate) type Mutant = String;

/// Reads the lines that cargo-mutants writes, `path:line:column: what`, without line and column,
/// which change with every edit above.
pub(crate) fn names(text: &str) -> BTreeSet<Mutant> {
    let name = |line: &str| {
        let (place, what) = line.split_once(": ")?;
        let mut parts = place.rsplitn(3, ':');
        let (_column, _line) = (parts.next()?, parts.next()?);
        Some(format!("{}: {what}", parts.next()?))
    };
    text.lines().filter_map(name).collect()
}

/// Reads the list of reasons: a mutant, then ` # `, then why no test can or need tell it.
pub(crate) fn reasons(file: &Path) -> anyhow::Result<BTreeSet<Mutant>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut mutants = BTreeSet::new();
    let lines = text.lines().enumerate();
    for (n, line) in lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        match line.split_once(" # ") {
            Some((mutant, reason)) if !reason.trim().is_empty() => {
                mutants.insert(mutant.trim().to_owned());
            }
            _ => bail!("{}:{}: no reason behind ` # `", file.display(), n + 1),
        }
    }
    Ok(mutants)
}

/// What a run comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Survived, and no reason says why.
    pub unexplained: Vec<Mutant>,
    /// Has a reason, and was caught.
    pub needless: Vec<Mutant>,
    /// Survived with a reason.
    pub explained: usize,
}

impl Verdict {
    /// Compares survivors with the list; `caught` are those that a test told.
    pub(crate) fn of(
        survived: &BTreeSet<Mutant>,
        caught: &BTreeSet<Mutant>,
        reasons: &BTreeSet<Mutant>,
    ) -> Self {
        Self {
            unexplained: survived.difference(reasons).cloned().collect(),
            // The same words may name two places in one function, of which one is told.
            needless: reasons
                .intersection(caught)
                .filter(|mutant| !survived.contains(*mutant))
                .cloned()
                .collect(),
            explained: survived.intersection(reasons).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    fn set(names: &[&str]) -> BTreeSet<Mutant> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_mutant_is_named_without_its_line() {
        let text = "crates/ephemeral/src/a.rs:12:5: replace f -> bool with true\n\
                    crates/ephemeral/src/a.rs:19:9: replace < with == in A::g\n";
        assert_eq!(
            names(text),
            set(&[
                "crates/ephemeral/src/a.rs: replace f -> bool with true",
                "crates/ephemeral/src/a.rs: replace < with == in A::g",
            ])
        );
    }

    #[test]
    fn a_survivor_needs_a_reason_and_a_reason_a_survivor() {
        let verdict = Verdict::of(&set(&["a", "b"]), &set(&["c", "b"]), &set(&["b", "c", "d"]));
        assert_eq!(
            verdict,
            Verdict {
                unexplained: vec!["a".to_owned()],
                needless: vec!["c".to_owned()],
                explained: 1,
            }
        );
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        let scratch = Scratch::new("reasons");
        let file = scratch.0.join("reasons.txt");
        let write = |text: &str| std::fs::write(&file, text).expect("written");
        write("# The list.\n\na.rs: replace f with () # only a log line\n");
        let read = reasons(&file).expect("reads");
        assert_eq!(read, set(&["a.rs: replace f with ()"]));
        for text in ["a.rs: replace f with ()\n", "a.rs: replace f with () # \n"] {
            write(text);
            assert!(reasons(&file).is_err(), "{text}");
        }
    }
}
