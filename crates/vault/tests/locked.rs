//! Memory that is locked comes back all the same, measured on a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use vault::alloc::{WipingAllocator, lock_everything, trim};

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator::new();

const BLOCKS: usize = 50_000;

/// One in so many blocks stays, so that memory has to come back out of the middle of the heap.
const STAYING: usize = 500;

/// A line of the kernel's account of this process, in KiB.
fn kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap().trim().trim_end_matches(" kB");
    value.trim().parse().unwrap()
}

/// Whether the limit for locked memory does not hold for this process.
fn without_limit() -> bool {
    const IPC_LOCK: u32 = 14;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let own = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let own = u64::from_str_radix(own.unwrap().trim(), 16).unwrap();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let limit = limits
        .lines()
        .find(|line| line.starts_with("Max locked memory"));
    own >> IPC_LOCK & 1 == 1 || limit.unwrap().contains("unlimited")
}

#[test]
fn what_is_freed_comes_back_from_locked_memory_and_the_rest_stays_locked() {
    if !without_limit() {
        println!("this process may not lock everything: nothing was measured");
        return;
    }
    use rustix::mm::MlockAllFlags as Flags;
    rustix::mm::mlockall(Flags::CURRENT | Flags::FUTURE | Flags::ONFAULT).unwrap();
    let before = kib("VmRSS:");
    let mut blocks: Vec<Box<[u8; 1024]>> = (0..BLOCKS).map(|_| Box::new([7; 1024])).collect();
    let held = kib("VmRSS:") - before;
    assert!(held > 45_000, "{held} KiB");
    let mut number = 0;
    blocks.retain(|_| {
        number += 1;
        number % STAYING == 0
    });
    // The control: where nobody unlocks it, the system takes none of it.
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
