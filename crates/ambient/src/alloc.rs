//! Memory that is overwritten before it is given back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::optimization_barrier;

/// Overwrites bytes with zeros, in a way that the compiler cannot remove.
pub fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    optimization_barrier(bytes);
}

/// Whether the pages of this process are locked; a process has this state once.
static LOCKED: AtomicBool = AtomicBool::new(false);

/// Keeps every page of this process out of swap space, now and from now on.
///
/// A page is locked when it is first touched. Call this only if the limit for locked memory is
/// unlimited: with a limit, the first allocation beyond it fails.
pub fn lock_everything() -> io::Result<()> {
    lock()?;
    LOCKED.store(true, Ordering::Relaxed);
    Ok(())
}

fn lock() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::MlockAllFlags as Flags;
        rustix::mm::mlockall(Flags::CURRENT | Flags::FUTURE | Flags::ONFAULT)?;
        Ok(())
    }
    #[cfg(not(target_os = "linux"))]
    Err(io::ErrorKind::Unsupported.into())
}

/// Gives free memory back to the operating system; takes 3–12 ms on a large heap.
///
/// Without this call glibc keeps a tenth to two thirds of what a burst of messages needed. The kernel
/// takes back no locked page, so locked pages are unlocked for these milliseconds.
#[allow(unsafe_code)]
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let locked = LOCKED.load(Ordering::Relaxed);
        if locked {
            let _ = rustix::mm::munlockall();
        }
        // SAFETY: malloc_trim takes its own locks, may be called at any time from any thread, and
        // touches no memory that is in use.
        unsafe { libc::malloc_trim(0) };
        if locked && lock().is_err() {
            LOCKED.store(false, Ordering::Relaxed);
        }
    }
}

/// A global allocator that overwrites every block before it is freed.
///
/// It also overwrites what a growing or shrinking block leaves behind: `realloc` allocates, copies,
/// wipes and frees. It covers what frameworks and libraries copied on the way, as long as they
/// allocate from Rust.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: ambient::alloc::WipingAllocator = ambient::alloc::WipingAllocator::new();
/// # fn main() { drop(vec![7_u8; 4096]); }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct WipingAllocator<A = System>(A);

impl WipingAllocator<System> {
    /// Wraps the system's allocator.
    pub const fn new() -> Self {
        Self(System)
    }
}

impl Default for WipingAllocator<System> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A> WipingAllocator<A> {
    /// Wraps another allocator.
    pub const fn over(backing: A) -> Self {
        Self(backing)
    }
}

/// Overwrites a block that is about to be freed.
///
/// # Safety
/// `block` must be valid for writes of `size` bytes, and nothing may refer to it any more.
#[allow(unsafe_code)]
#[inline]
unsafe fn wipe_block(block: *mut u8, size: usize) {
    // SAFETY: the caller owns `size` bytes at `block`.
    unsafe {
        core::ptr::write_bytes(block, 0, size);
        // The pointer escapes into the empty asm, which may read memory: the writes above are
        // observable and stay, although the block is freed right after.
        core::arch::asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags));
    }
}

// SAFETY: every block comes from and goes back to the backing allocator with the layout it was
// allocated with; contents are only written between the last use and the free.
#[allow(unsafe_code)]
unsafe impl<A: GlobalAlloc> GlobalAlloc for WipingAllocator<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed through.
        unsafe { self.0.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed through.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has this layout and is not used after this call.
        unsafe {
            wipe_block(block, layout.size());
            self.0.dealloc(block, layout);
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the new layout is valid as GlobalAlloc::realloc requires of its caller; both
        // blocks hold at least the smaller size and do not overlap; the old one is freed only when
        // the new one exists.
        unsafe {
            let new_layout = Layout::from_size_align_unchecked(new_size, layout.align());
            let new_block = self.0.alloc(new_layout);
            if !new_block.is_null() {
                core::ptr::copy_nonoverlapping(block, new_block, layout.size().min(new_size));
                wipe_block(block, layout.size());
                self.0.dealloc(block, layout);
            }
            new_block
        }
    }
}
