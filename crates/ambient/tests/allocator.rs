//! What the wiping allocator leaves in blocks that it gives back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;

use ambient::alloc::{WipingAllocator, wipe};

/// Never frees a block, so that a test may still read it.
struct Keeping(Mutex<Vec<(usize, usize)>>);

impl Keeping {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Reads every block that was given back.
    fn freed(&self) -> Vec<Vec<u8>> {
        let read = |&(block, size): &(usize, usize)| {
            // SAFETY: the block came from System with this size and was never freed.
            unsafe { std::slice::from_raw_parts(block as *const u8, size).to_vec() }
        };
        self.0.lock().unwrap().iter().map(read).collect()
    }
}

// SAFETY: allocates like System and never frees.
unsafe impl GlobalAlloc for &Keeping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed through.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.0.lock().unwrap().push((block as usize, layout.size()));
    }
}

/// Allocates, fills, resizes and frees, and returns what each block held when it was given back.
fn freed_by(allocator: impl GlobalAlloc, keeping: &Keeping) -> Vec<Vec<u8>> {
    let layout = Layout::from_size_align(1000, 16).unwrap();
    // SAFETY: each block is used within its layout and given back once.
    unsafe {
        let block = allocator.alloc(layout);
        block.write_bytes(0xA5, 1000);
        let block = allocator.realloc(block, layout, 5000);
        let kept = std::slice::from_raw_parts(block, 1000);
        assert!(
            kept.iter().all(|byte| *byte == 0xA5),
            "growing must keep the content"
        );
        block.write_bytes(0xA5, 5000);
        let grown = Layout::from_size_align(5000, 16).unwrap();
        let block = allocator.realloc(block, grown, 300);
        let kept = std::slice::from_raw_parts(block, 300);
        assert!(
            kept.iter().all(|byte| *byte == 0xA5),
            "shrinking must keep the content"
        );
        allocator.dealloc(block, Layout::from_size_align(300, 16).unwrap());
        let zeroed = allocator.alloc_zeroed(layout);
        assert!(
            std::slice::from_raw_parts(zeroed, 1000)
                .iter()
                .all(|byte| *byte == 0)
        );
        allocator.dealloc(zeroed, layout);
    }
    keeping.freed()
}

#[test]
fn every_block_is_zero_when_it_is_given_back_also_by_growing_and_shrinking() {
    let keeping = Keeping::new();
    let freed = freed_by(WipingAllocator::over(&keeping), &keeping);
    let sizes: Vec<_> = freed.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1000, 5000, 300, 1000]);
    assert!(freed.iter().flatten().all(|byte| *byte == 0));
}

#[test]
fn without_the_wrapper_the_same_blocks_keep_their_content() {
    let keeping = Keeping::new();
    let freed = freed_by(&keeping, &keeping);
    assert!(freed[..3].iter().flatten().all(|byte| *byte == 0xA5));
}

#[test]
fn a_wiped_slice_is_zero() {
    let mut bytes = [7; 100];
    wipe(&mut bytes[10..90]);
    assert!(bytes[10..90].iter().all(|byte| *byte == 0));
    assert_eq!((bytes[9], bytes[90]), (7, 7));
}
