//! Room that costs memory only where it was touched, and goes back to the system at once: pages of their own. An
//! allocator clears what it gives out again, all of it, and keeps it afterwards.

use crate::error::{Error, Result};
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// So many bytes, all 0 at first.
pub(crate) struct Pages {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: nobody else knows of the mapping.
unsafe impl Send for Pages {}
// SAFETY: as above; it changes only through `&mut`.
unsafe impl Sync for Pages {}

impl Pages {
    /// `len` is not 0. Errors: system.
    pub(crate) fn new(len: usize) -> Result<Self> {
        let (access, private) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new private mapping.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, access, private, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(Error::system(&io::Error::last_os_error()));
        }
        #[cfg(target_os = "linux")]
        // One datagram is not to cost two megabytes. Refused, it costs them.
        // SAFETY: the advice is for the new mapping alone.
        unsafe {
            libc::madvise(start, len, libc::MADV_NOHUGEPAGE);
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| Error::system(&io::Error::other("a mapping at 0")))?;
        Ok(Self { start, len })
    }
}

impl Deref for Pages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping is ours, readable, `len` long, and lives as long as this.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for Pages {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and writable; nobody else refers to it now.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no reference to it is left.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}
