//! Keeping what the process has in memory out of core files, debuggers and swap space.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, setrlimit};
use rustix::process::{dumpable_behavior, set_dumpable_behavior};
use rustix::thread::{CapabilitySet, capabilities};

/// Lets the proofs of a debug build look into the process where they do not run as root.
const DUMPABLE: &str = "SECURE_MESSAGING_DUMPABLE";

/// How much of the memory is kept out of swap space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// Nothing.
    Nothing,
    /// Keys only.
    Keys,
    /// Everything, messages included.
    Everything,
}

/// Which protections hold, as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protections {
    /// A crash leaves no core file.
    pub core_files_forbidden: bool,
    /// No other process of the same user can read the memory, and no crash handler is given it.
    pub not_dumpable: bool,
    /// What is kept out of swap space.
    pub locked: Locked,
}

/// Asks the system for every protection; called first thing, before any secret is read.
///
/// What it refuses is found out by [`Protections::inspect`].
pub fn protect() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    if !may_be_dumped() {
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    if may_lock_everything() {
        let _ = ambient::alloc::lock_everything();
    }
}

/// A debug build that was asked to; a release build never.
fn may_be_dumped() -> bool {
    cfg!(debug_assertions) && std::env::var_os(DUMPABLE).is_some_and(|value| value == "1")
}

/// Whether locking can not fail later: with a limit, the first allocation beyond it would.
fn may_lock_everything() -> bool {
    let privileged = || {
        let own = capabilities(None);
        own.is_ok_and(|own| own.effective.contains(CapabilitySet::IPC_LOCK))
    };
    getrlimit(Resource::Memlock).current.is_none() || privileged()
}

impl Protections {
    /// Asks the system what holds for this process.
    pub fn inspect() -> Self {
        let locked = if everything_is_locked() {
            Locked::Everything
        } else if ambient::memory_locked() {
            Locked::Keys
        } else {
            Locked::Nothing
        };
        Self {
            core_files_forbidden: getrlimit(Resource::Core).current == Some(0),
            not_dumpable: dumpable_behavior() == Ok(DumpableBehavior::NotDumpable),
            locked,
        }
    }

    /// Returns a sentence for each protection that does not hold.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.core_files_forbidden {
            warnings.push(
                "a crash may leave a core file with messages and keys in it: the system did not \
                 take RLIMIT_CORE 0; set LimitCORE=0 or `ulimit -c 0`"
                    .to_owned(),
            );
        }
        if !self.not_dumpable {
            warnings.push(
                "other processes of the same user can read this one's memory: it is dumpable; run \
                 the server as a user of its own"
                    .to_owned(),
            );
        }
        let swap = if there_is_swap() {
            ", or turn swap off or encrypt it"
        } else {
            "; there is no swap space at the moment, leave it so"
        };
        match self.locked {
            Locked::Everything => {}
            Locked::Keys => warnings.push(format!(
                "messages may be written to swap space, keys may not: the limit for locked memory \
                 is {}; set LimitMEMLOCK=infinity or `ulimit -l unlimited`{swap}",
                limit()
            )),
            Locked::Nothing => warnings.push(format!(
                "keys and messages may be written to swap space: the limit for locked memory is \
                 {}; set LimitMEMLOCK=infinity or `ulimit -l unlimited`{swap}",
                limit()
            )),
        }
        warnings
    }

    /// Returns the measurements: name, help, value.
    pub fn gauges(&self) -> [(&'static str, &'static str, u64); 3] {
        [
            (
                "memory_core_files_forbidden",
                "1 where a crash leaves no core file.",
                self.core_files_forbidden.into(),
            ),
            (
                "memory_not_dumpable",
                "1 where other processes of the same user cannot read the memory.",
                self.not_dumpable.into(),
            ),
            (
                "memory_locked",
                "What is kept out of swap space: 0 nothing, 1 keys, 2 everything.",
                match self.locked {
                    Locked::Nothing => 0,
                    Locked::Keys => 1,
                    Locked::Everything => 2,
                },
            ),
        ]
    }
}

fn limit() -> String {
    match getrlimit(Resource::Memlock).current {
        Some(bytes) => format!("{} KiB", bytes / 1024),
        None => "not set, yet locking was refused".to_owned(),
    }
}

/// Whether the kernel counts nearly all of the address space as locked.
fn everything_is_locked() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return false;
    };
    let kib = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    };
    match (kib("VmLck:"), kib("VmSize:")) {
        // The kernel's own pages, and those that were made unreadable, are not counted.
        (Some(locked), Some(size)) => locked > 0 && locked >= size / 2,
        _ => false,
    }
}

fn there_is_swap() -> bool {
    // The first line is a heading.
    std::fs::read_to_string("/proc/swaps").map_or(true, |table| table.lines().count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protection_that_is_missing_is_said_in_a_sentence_with_what_to_do() {
        let all = Protections {
            core_files_forbidden: true,
            not_dumpable: true,
            locked: Locked::Everything,
        };
        assert!(all.warnings().is_empty());
        assert_eq!(all.gauges().map(|(_, _, value)| value), [1, 1, 2]);
        let none = Protections {
            core_files_forbidden: false,
            not_dumpable: false,
            locked: Locked::Nothing,
        };
        let warnings = none.warnings();
        assert_eq!(warnings.len(), 3);
        for word in ["LimitCORE=0", "user of its own", "LimitMEMLOCK=infinity"] {
            assert!(warnings.iter().any(|text| text.contains(word)), "{word}");
        }
        let keys = Protections {
            locked: Locked::Keys,
            ..all
        };
        assert!(keys.warnings()[0].starts_with("messages may"));
        assert_eq!(keys.gauges()[2].2, 1);
    }
}
