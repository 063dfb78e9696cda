//! What wakes whoever sleeps on an agent: the runtime's descriptor, the host's event descriptor, and a flag for each.
//! All that sipdlg_agent_wake() may touch: no lock.

use super::{AgentCell, Inner};
use crate::error::{Error, Result};
use crate::ffi::handle::{parts, process_stamp};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

/// Of the place, as a signal handler sees them.
pub(super) struct Descriptors {
    /// The runtime's.
    wake: AtomicI32,
    /// The host's.
    event: AtomicI32,
    woken: AtomicBool,
    event_woken: AtomicBool,
    /// Calls of sipdlg_agent_wake() that run.
    wakers: AtomicU32,
}

impl Descriptors {
    /// None, and nobody woken.
    pub(super) fn new() -> Self {
        Self {
            wake: AtomicI32::new(-1),
            event: AtomicI32::new(-1),
            woken: AtomicBool::new(false),
            event_woken: AtomicBool::new(false),
            wakers: AtomicU32::new(0),
        }
    }

    /// A new tenant: nobody has woken it.
    pub(super) fn forget_wakes(&self) {
        self.woken.store(false, Ordering::Relaxed);
        self.event_woken.store(false, Ordering::Relaxed);
    }

    /// The tenant goes, and its descriptors with it.
    pub(super) fn forget(&self) {
        self.wake.store(-1, Ordering::SeqCst);
        self.event.store(-1, Ordering::SeqCst);
    }

    /// A signal handler on another thread may hold the descriptors for one write.
    pub(super) fn wait_for_wakers(&self) {
        while self.wakers.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
    }

    /// Whether one does so now.
    pub(super) fn has_wakers(&self) -> bool {
        self.wakers.load(Ordering::SeqCst) > 0
    }

    /// The runtime's own.
    #[cfg(feature = "runtime")]
    pub(super) fn set_wake(&self, fd: i32) {
        self.wake.store(fd, Ordering::SeqCst);
    }

    /// Whoever drives the network looks up.
    pub(super) fn rouse(&self) {
        self.woken.store(true, Ordering::SeqCst);
    }

    #[cfg(feature = "runtime")]
    pub(super) fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    #[cfg(feature = "runtime")]
    pub(super) fn clear_woken(&self) {
        self.woken.store(false, Ordering::SeqCst);
    }
}

/// The event descriptor of a tenant: readable while output waits for the host.
#[derive(Default)]
pub(super) struct EventFd {
    file: Option<File>,
    level: bool,
}

impl EventFd {
    /// Whether the host has asked for it.
    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    fn set(&mut self, level: bool) {
        let Some(file) = self.file.as_mut().filter(|_| level != self.level) else { return };
        self.level = level;
        if level {
            write_one(file.as_raw_fd());
        } else {
            let _ = file.read(&mut [0; 8]);
        }
    }
}

impl Inner {
    /// Makes the event descriptor readable, or no more.
    pub(super) fn set_level(&mut self) {
        let level = self.waits_for_host();
        self.event_fd.set(level);
    }
}

impl AgentCell {
    /// sipdlg_agent_wake(): atomics and write(2) only, errno kept. Whether the agent lives here.
    pub(crate) fn wake(&'static self, token: u64) -> i32 {
        let descriptors = &self.descriptors;
        descriptors.wakers.fetch_add(1, Ordering::SeqCst);
        let status = if self.token.load(Ordering::SeqCst) != token {
            if parts(token).1 <= self.tenants.load(Ordering::Relaxed) { -2 } else { -3 }
        } else if self.stamp.load(Ordering::Relaxed) != process_stamp() {
            -15
        } else {
            descriptors.woken.store(true, Ordering::SeqCst);
            descriptors.event_woken.store(true, Ordering::SeqCst);
            for fd in [&descriptors.wake, &descriptors.event] {
                let fd = fd.load(Ordering::SeqCst);
                if fd >= 0 {
                    write_one(fd);
                }
            }
            // Again: `seen` may have come between the store and the write, and would leave the descriptor readable.
            descriptors.event_woken.store(true, Ordering::SeqCst);
            0
        };
        descriptors.wakers.fetch_sub(1, Ordering::SeqCst);
        status
    }

    /// The descriptor that is readable while output waits, made when first asked for.
    pub(crate) fn event_fd(&'static self, token: u64) -> Result<i32> {
        self.with(|inner, _| {
            inner.check_token(token)?;
            if let Some(file) = &inner.event_fd.file {
                return Ok(file.as_raw_fd());
            }
            let file = new_eventfd()?;
            let fd = file.as_raw_fd();
            inner.event_fd = EventFd { file: Some(file), level: false };
            self.descriptors.event.store(fd, Ordering::SeqCst);
            if self.descriptors.event_woken.load(Ordering::SeqCst) {
                write_one(fd);
            }
            Ok(fd)
        })
    }

    /// The host has found nothing: a wake-up that made the descriptor readable is seen.
    pub(crate) fn seen(&'static self, inner: &mut Inner) {
        let woken = &self.descriptors.event_woken;
        if woken.load(Ordering::Relaxed) && woken.swap(false, Ordering::SeqCst) {
            inner.event_fd.level = true;
        }
    }
}

fn new_eventfd() -> Result<File> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(Error::system(&std::io::Error::last_os_error()));
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(unsafe { File::from_raw_fd(fd) })
    }
    #[cfg(not(target_os = "linux"))]
    Err(Error::new(crate::error::ErrorKind::Unsupported, "no eventfd on this platform"))
}

/// Makes an eventfd readable; safe in a signal handler.
fn write_one(fd: i32) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: eight readable bytes; errno belongs to the thread that was interrupted, so it is put back.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        libc::write(fd, one.as_ptr().cast(), one.len());
        *errno = before;
    }
}
