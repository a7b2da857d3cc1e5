//! What secrets leave in the blocks that are freed, where no allocator overwrites anything for them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use protocol::codec::Writer;
use protocol::envelope::SecretText;

mod keys;
mod messages;

const NOW: u64 = 1_800_000_000;

/// What every secret here is made of.
const MARK: u8 = b'~';

/// So many marks in a row are no accident.
const MANY: usize = 16;

thread_local! {
    /// Blocks that a thread has freed with their content.
    static LEGIBLE: Cell<usize> = const { Cell::new(0) };
}

/// Looks at each block that is freed. What grows or shrinks is allocated, copied and freed.
struct Watching;

#[global_allocator]
static ALLOCATOR: Watching = Watching;

// SAFETY: allocates like System.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed through. Zeroed, so that every byte may be read when it is freed.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has this size, and its owner does not use it any more.
        let content = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        let mut runs = content.split(|byte| *byte != MARK);
        if runs.any(|run| run.len() >= MANY) {
            LEGIBLE.set(LEGIBLE.get() + 1);
        }
        // SAFETY: passed through.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Counts the freed blocks that could still be read after `work`.
fn legible_after(work: impl FnOnce()) -> usize {
    let before = LEGIBLE.get();
    work();
    LEGIBLE.get() - before
}

fn marks(len: usize) -> String {
    char::from(MARK).to_string().repeat(len)
}

fn text(len: usize) -> SecretText {
    SecretText::from(marks(len))
}

#[test]
fn what_a_plain_text_and_a_growing_buffer_leave_is_seen() {
    assert_eq!(legible_after(|| drop(marks(100))), 1);
    let grown = || {
        let mut writer = Writer::with_capacity(100);
        writer.raw(&[MARK; 100]).raw(&[0; 1_000]);
        writer.into_bytes().fill(0);
    };
    assert_eq!(legible_after(grown), 1);
}

#[test]
fn a_buffer_of_exact_length_leaves_nothing_while_it_is_written() {
    let written = || {
        let mut bytes = Writer::exact(16, &|writer| {
            writer.raw(&[MARK; 100]).raw(&[MARK; 1_000]).u8(MARK);
        });
        bytes.extend_from_slice(&[0; 16]);
        bytes.fill(0);
    };
    assert_eq!(legible_after(written), 0);
}
