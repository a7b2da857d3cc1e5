//! Memory that is locked comes back all the same, measured on a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;

use ambient::alloc::{WipingAllocator, lock_everything, trim};
use ambient::testing::in_a_process_of_its_own;

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator::new();

const BLOCKS: usize = 50_000;

/// One in so many blocks stays, so that memory has to come back out of the middle of the heap.
const STAYING: usize = 500;

/// The bit of CAP_IPC_LOCK.
const IPC_LOCK: u32 = 14;

/// Tells a process that it is the one with a limit.
const LIMITED: &str = "SECURE_MESSAGING_TEST_LIMITED";

/// A line of the kernel's account of this process, in KiB.
fn kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap().trim().trim_end_matches(" kB");
    value.trim().parse().unwrap()
}

/// What this process may do, as the kernel's set of bits.
fn rights() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let own = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    u64::from_str_radix(own.unwrap().trim(), 16).unwrap()
}

/// Whether the limit for locked memory does not hold for this process.
fn without_limit() -> bool {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let limit = limits
        .lines()
        .find(|line| line.starts_with("Max locked memory"));
    rights() >> IPC_LOCK & 1 == 1 || limit.unwrap().contains("unlimited")
}

/// Holds blocks, and gives nearly all of them back; what was held, kept, and the rest of the blocks.
#[allow(clippy::vec_box, reason = "each block is an allocation of its own")]
fn hold_and_free(before: u64) -> (u64, u64, Vec<Box<[u8; 1024]>>) {
    let mut blocks: Vec<Box<[u8; 1024]>> = (0..BLOCKS).map(|_| Box::new([7; 1024])).collect();
    let held = kib("VmRSS:") - before;
    assert!(held > 45_000, "{held} KiB");
    let mut number = 0;
    blocks.retain(|_| {
        number += 1;
        number % STAYING == 0
    });
    (held, kib("VmRSS:").saturating_sub(before), blocks)
}

#[test]
fn where_locking_is_refused_that_is_said_and_what_is_freed_comes_back() {
    if std::env::var_os(LIMITED).is_none() {
        let mut before = vec!["sh", "-c", "ulimit -l 64 && exec \"$@\"", "sh"];
        if rights() >> IPC_LOCK & 1 == 1 {
            before.extend([
                "setpriv",
                "--inh-caps=-ipc_lock",
                "--bounding-set=-ipc_lock",
            ]);
        }
        return in_a_process_of_its_own(&before, [(LIMITED, "1")]);
    }
    assert!(!without_limit());
    assert!(lock_everything().is_err());
    let before = kib("VmRSS:");
    let (held, kept, blocks) = hold_and_free(before);
    assert!(kept > held / 2, "the control: {kept} of {held} KiB");
    trim();
    let kept = kib("VmRSS:").saturating_sub(before);
    assert!(kept < held / 20, "{kept} of {held} KiB");
    assert_eq!(kib("VmLck:"), 0);
    assert_eq!(blocks.len(), BLOCKS / STAYING);
}

#[test]
fn what_is_freed_comes_back_from_locked_memory_and_the_rest_stays_locked() {
    if !without_limit() {
        let why = "neither CAP_IPC_LOCK nor an unlimited RLIMIT_MEMLOCK is to be had";
        return not_tried("memory that is locked and comes back", why);
    }
    use rustix::mm::MlockAllFlags as Flags;
    rustix::mm::mlockall(Flags::CURRENT | Flags::FUTURE | Flags::ONFAULT).unwrap();
    let before = kib("VmRSS:");
    // The control: where nobody unlocks it, the system takes none of it.
    let (held, _, blocks) = hold_and_free(before);
    trim();
    let kept = kib("VmRSS:").saturating_sub(before);
    assert!(kept > held / 2, "{kept} of {held} KiB without unlocking");

    lock_everything().unwrap();
    trim();
    let kept = kib("VmRSS:").saturating_sub(before);
    println!("{kept} of {held} KiB kept");
    assert!(kept < held / 20, "{kept} of {held} KiB");
    assert!(kib("VmLck:") > kib("VmSize:") / 2, "it is locked again");
    assert_eq!(blocks.len(), BLOCKS / STAYING);
}

/// Says what this machine does not let a test try; `cargo xtask test` counts these at its end.
fn not_tried(what: &str, why: &str) {
    println!("not tried: {what}: {why}");
    if let Some(path) = std::env::var_os("SECURE_MESSAGING_TEST_NOT_TRIED") {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        writeln!(file.unwrap(), "{what}: {why}").unwrap();
    }
}
