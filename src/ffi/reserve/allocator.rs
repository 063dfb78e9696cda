//! The allocator of the library: the system's, and the reserve behind it.

use super::{BROKEN, LEAST, WANTED, give_up};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::Ordering;

/// A table that grows takes at most this many times what it had.
const GROWTH: usize = 2;

struct Reserving;

#[global_allocator]
static ALLOCATOR: Reserving = Reserving;

// SAFETY: every call goes on to the system's allocator as it came, a second time where it failed.
unsafe impl GlobalAlloc for Reserving {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: promised by the caller.
        given(layout.size(), || unsafe { System.alloc(layout) })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: promised by the caller.
        given(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: promised by the caller; a failed realloc leaves the block as it was.
        given(size, || unsafe { System.realloc(block, layout, size) })
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The block that `ask` got, now or from what the reserve gave back.
#[inline]
fn given(size: usize, ask: impl Fn() -> *mut u8) -> *mut u8 {
    let block = ask();
    if block.is_null() {
        return rescue(ask);
    }
    if size > LEAST / GROWTH && size.saturating_mul(GROWTH) > WANTED.load(Ordering::Relaxed) {
        grow(size);
    }
    block
}

#[cold]
#[inline(never)]
fn rescue(ask: impl Fn() -> *mut u8) -> *mut u8 {
    give_up();
    // Another thread may have given it up meanwhile.
    ask()
}

/// So large a block may be wanted twice as large.
#[cold]
#[inline(never)]
fn grow(size: usize) {
    WANTED.fetch_max(size.saturating_mul(GROWTH).saturating_add(LEAST), Ordering::Relaxed);
    BROKEN.store(true, Ordering::SeqCst);
}
