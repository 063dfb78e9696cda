//! The boundary of every exported function: panics stop here, refusals become a number and a sentence.

use crate::error::{Error, ErrorKind, Result};
use crate::ffi::reserve;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

/// SIPDLG_OK.
pub(crate) const OK: i32 = 0;
/// SIPDLG_NONE.
pub(crate) const NONE: i32 = 1;

const DETAIL: usize = 256;

// Neither has a destructor, so that no thread that once called us keeps the library mapped.
thread_local! {
    static LAST_ERROR: Cell<[u8; DETAIL]> = const { Cell::new([0; DETAIL]) };
    /// Whether the thread is in our code, where a panic is ours and is not printed.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs the body of an exported function that returns `sipdlg_status_t` or an `int32_t` value, where there is memory.
pub(crate) fn guard(body: impl FnOnce() -> Result<i32>) -> i32 {
    guard_always(|| {
        reserve::check()?;
        body()
    })
}

/// The same for what gives memory back.
pub(crate) fn guard_always(body: impl FnOnce() -> Result<i32>) -> i32 {
    match contain(body) {
        Ok(value) => value,
        Err(error) => refuse(error),
    }
}

/// Runs the body of an exported function that returns something else: `failed` when it fails.
pub(crate) fn guard_or<T>(failed: T, body: impl FnOnce() -> Result<T>) -> T {
    contain(body).unwrap_or_else(|error| {
        refuse(error);
        failed
    })
}

/// Runs our code behind the panic boundary. What was locked has marked itself defunct by then.
pub(crate) fn contain<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    let outer = enter();
    let result = catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(outer);
    result.unwrap_or_else(|payload| Err(caught(payload)))
}

/// Not inlined, as `caught` and `refuse`: each exported function would carry a copy.
#[inline(never)]
fn enter() -> bool {
    install_hook();
    INSIDE.replace(true)
}

#[cold]
#[inline(never)]
fn caught(payload: Box<dyn Any + Send>) -> Error {
    // A payload's destructor could panic again.
    std::mem::forget(payload);
    Error::new(ErrorKind::Defunct, "a defect of the library was caught")
}

/// Runs a function of the host. What panics there is the host's affair, and its hook's.
pub(crate) fn outside<T>(call: impl FnOnce() -> T) -> T {
    let inside = INSIDE.replace(false);
    let result = call();
    INSIDE.set(inside);
    result
}

/// The number of a refusal; its sentence becomes the thread's last error.
#[cold]
#[inline(never)]
fn refuse(error: Error) -> i32 {
    let mut text = [0; DETAIL];
    // The last byte stays NUL.
    for (to, from) in text.iter_mut().zip(error.detail.bytes().take(DETAIL - 1)) {
        *to = if from == 0 { b'?' } else { from };
    }
    LAST_ERROR.set(text);
    status_of(error.kind)
}

/// Gives the thread's last error, without NUL, to `read`.
pub(crate) fn with_last_error<T>(read: impl FnOnce(&[u8]) -> T) -> T {
    let text = LAST_ERROR.get();
    let len = text.iter().position(|byte| *byte == 0).unwrap_or(DETAIL);
    read(text.get(..len).unwrap_or_default())
}

/// Each kind's number in `enum sipdlg_status_e`.
pub(crate) fn status_of(kind: ErrorKind) -> i32 {
    match kind {
        ErrorKind::Argument => -1,
        ErrorKind::Stale => -2,
        ErrorKind::Kind => -3,
        ErrorKind::State => -4,
        ErrorKind::Syntax => -5,
        ErrorKind::Header => -6,
        ErrorKind::Struct => -7,
        ErrorKind::Buffer => -8,
        ErrorKind::Limit => -9,
        ErrorKind::Busy => -10,
        ErrorKind::Unsupported => -11,
        ErrorKind::System => -12,
        ErrorKind::NoTransport => -13,
        ErrorKind::Corrupt => -14,
        ErrorKind::Forked => -15,
        ErrorKind::NoMemory => -16,
        ErrorKind::Defunct => -17,
    }
}

/// The standard hook prints to the host's stderr and, with RUST_BACKTRACE, maps the library's file. Ours says nothing
/// about a panic inside [`contain`] and hands every other one to the hook that was there.
#[inline]
fn install_hook() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    // `set_hook` itself panics on a thread that is panicking; then a later call installs it.
    if INSTALLED.load(Ordering::Relaxed) || std::thread::panicking() || INSTALLED.swap(true, Ordering::Relaxed) {
        return;
    }
    chain_hook();
}

#[cold]
#[inline(never)]
fn chain_hook() {
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !INSIDE.try_with(Cell::get).unwrap_or(false) {
            former(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_stops_here_and_becomes_a_status() {
        assert_eq!(guard(|| panic!("a defect")), -17);
        assert_eq!(guard_or(7, || panic!("a defect")), 7);
        assert!(!INSIDE.get());
    }

    #[test]
    fn the_last_error_is_cut_to_its_place_and_never_holds_a_nul() {
        assert_eq!(guard(|| Err(Error::syntax("a\0b"))), -5);
        with_last_error(|text| assert_eq!(text, b"a?b"));
        assert_eq!(guard(|| Err(Error::state("x".repeat(1_000)))), -4);
        with_last_error(|text| assert_eq!(text, "x".repeat(DETAIL - 1).as_bytes()));
        assert_eq!(guard(|| Ok(NONE)), NONE);
        with_last_error(|text| assert_eq!(text.len(), DETAIL - 1, "success leaves it"));
    }
}
