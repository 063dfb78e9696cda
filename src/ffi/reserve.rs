//! Memory that is kept back. Where the system has no more, the call that needs some gets it from here and ends well, and
//! every call after it is ERR_NO_MEMORY until the reserve is whole again. Never touched, it costs addresses and no pages.

use crate::error::{Error, ErrorKind, Result};
use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

// In debug builds the tests bring allocators that count.
#[cfg(not(any(debug_assertions, feature = "foreign-allocator")))]
mod allocator;

/// What is kept back at least.
const LEAST: usize = 1 << 20;
/// No message makes anyone hold more than that many times its length.
const TIMES: usize = 16;
/// What a block is aligned to.
const ALIGN: usize = 16;

/// The block; its first word is its size.
static KEPT: AtomicPtr<usize> = AtomicPtr::new(ptr::null_mut());
/// How large it should be.
static WANTED: AtomicUsize = AtomicUsize::new(LEAST);
/// It was given away, or should be larger.
static BROKEN: AtomicBool = AtomicBool::new(false);
/// Living agents, for which it is kept.
static AGENTS: AtomicUsize = AtomicUsize::new(0);

/// Gives it back to the system: from here on nobody counts on it. False: there was none.
fn give_up() -> bool {
    let block = KEPT.swap(ptr::null_mut(), Ordering::SeqCst);
    if block.is_null() {
        return false;
    }
    BROKEN.store(true, Ordering::SeqCst);
    // SAFETY: from `layout` of that size, which `refill` wrote there; nobody else has it any more.
    unsafe {
        let size = block.read();
        System.dealloc(block.cast(), layout(size));
    }
    true
}

fn layout(size: usize) -> Layout {
    // SAFETY: the alignment is a power of two, and no size here comes near isize::MAX.
    unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
}

/// As much as is wanted, or the half of it, and so on to the least. False: there is not even that.
#[cold]
#[inline(never)]
fn refill() -> bool {
    give_up();
    let mut size = WANTED.load(Ordering::Relaxed).clamp(LEAST, isize::MAX as usize / 2);
    loop {
        // SAFETY: the size is not 0.
        let block = unsafe { System.alloc(layout(size)) }.cast::<usize>();
        if !block.is_null() {
            keep(block, size);
            return true;
        }
        if size == LEAST {
            return false;
        }
        size = (size / 2).max(LEAST);
    }
}

/// From here on it is counted on.
fn keep(block: *mut usize, size: usize) {
    // SAFETY: the block is ours and larger than a word.
    unsafe { block.write(size) };
    let other = KEPT.swap(block, Ordering::SeqCst);
    if !other.is_null() {
        // Another thread was as fast. SAFETY: as in `give_up`.
        unsafe { System.dealloc(other.cast(), layout(other.read())) };
    }
    BROKEN.store(false, Ordering::SeqCst);
    // Given away meanwhile, and perhaps said so before this took it back.
    if KEPT.load(Ordering::SeqCst).is_null() {
        BROKEN.store(true, Ordering::SeqCst);
    }
}

/// Whether a call may begin. Without agents nothing is kept back.
#[inline]
pub(crate) fn is_whole() -> bool {
    !BROKEN.load(Ordering::Relaxed) || AGENTS.load(Ordering::SeqCst) == 0 || refill()
}

/// Errors: no memory.
#[inline]
pub(crate) fn check() -> Result<()> {
    if is_whole() { Ok(()) } else { Err(Error::new(ErrorKind::NoMemory, "the system has no more memory")) }
}

/// What a living agent has of it.
pub(crate) struct Share(());

impl Share {
    /// For an agent that takes messages of so many bytes. Errors: no memory.
    pub(crate) fn take(message_bytes: usize) -> Result<Self> {
        // Counted first: who lets the last one go meanwhile sees it.
        AGENTS.fetch_add(1, Ordering::SeqCst);
        let share = Self(());
        let wanted = message_bytes.saturating_mul(TIMES).max(LEAST);
        let larger = WANTED.fetch_max(wanted, Ordering::Relaxed) < wanted;
        if (larger || KEPT.load(Ordering::SeqCst).is_null()) && !refill() {
            return Err(Error::new(ErrorKind::NoMemory, "the system has no memory to keep back"));
        }
        Ok(share)
    }
}

impl Drop for Share {
    /// With the last one the reserve goes.
    fn drop(&mut self) {
        if AGENTS.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Another that has begun by now looks for it anew.
            give_up();
        }
    }
}
