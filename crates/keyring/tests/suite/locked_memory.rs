//! Whether keys may be swapped is said as the system has it.

use ambient::memory_locked;
use ambient::testing::in_a_process_of_its_own;
use keyring::KeyMaterial;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

const ALONE: &str = "SECURE_MESSAGING_TEST_MEMORY_LOCKS";

/// KiB that this process has locked, by the kernel's own account.
fn locked_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmLck:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Neither the limit nor a right lets this thread lock anything from now on.
fn forbid_locks() {
    let none = Some(0);
    let limit = Rlimit {
        current: none,
        maximum: none,
    };
    setrlimit(Resource::Memlock, limit).unwrap();
    let mut own = capabilities(None).unwrap();
    own.effective -= CapabilitySet::IPC_LOCK;
    own.permitted -= CapabilitySet::IPC_LOCK;
    own.inheritable -= CapabilitySet::IPC_LOCK;
    set_capabilities(None, own).unwrap();
}

/// Runs in a process of its own: there is one limit, and one set of pages, for each.
#[test]
fn keys_are_called_locked_where_the_system_locks_them_and_nowhere_else() {
    match std::env::var(ALONE).as_deref() {
        Ok("forbidden") => {
            forbid_locks();
            assert!(!memory_locked(), "already before there is a key");
            let _key = KeyMaterial::new(b"a key".to_vec());
            assert!(!memory_locked());
            assert_eq!(locked_kib(), 0);
        }
        Ok(_) => {
            let _key = KeyMaterial::new(b"a key".to_vec());
            // One page of keys: it is locked, or it is not.
            assert_eq!(memory_locked(), locked_kib() > 0);
        }
        Err(_) => {
            for how in ["as it is", "forbidden"] {
                in_a_process_of_its_own(&[], [(ALONE, how)]);
            }
        }
    }
}
