//! Who of many descriptors has something to read, or takes something to write: epoll(7).

use crate::error::{Error, Result};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is told of at once; the others come next.
const BATCH: usize = 256;

/// A set of descriptors, each with a number of its owner's. Any thread may change it while one waits.
pub(super) struct Epoll(OwnedFd);

/// One that can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub number: u64,
    /// There is something to read, the end, or an error.
    pub readable: bool,
    /// It takes something, or an error.
    pub writable: bool,
    /// An error, or the end of both ways.
    pub broken: bool,
}

/// What wakes who waits: a u64 that is written to it. Errors: system.
pub(super) fn waker() -> Result<File> {
    // SAFETY: no pointers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(Error::system(&io::Error::last_os_error()));
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    Nothing,
    Read,
    Write,
    Both,
}

impl Interest {
    /// To read, or to write, or both.
    pub fn of(read: bool, write: bool) -> Self {
        match (read, write) {
            (false, false) => Self::Nothing,
            (true, false) => Self::Read,
            (false, true) => Self::Write,
            (true, true) => Self::Both,
        }
    }

    fn events(self) -> u32 {
        let events = match self {
            Self::Nothing => 0,
            Self::Read => libc::EPOLLIN | libc::EPOLLRDHUP,
            Self::Write => libc::EPOLLOUT,
            Self::Both => libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLOUT,
        };
        events as u32
    }
}

impl Epoll {
    /// Errors: system.
    pub fn new() -> Result<Self> {
        // SAFETY: no pointers.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(Error::system(&io::Error::last_os_error()));
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Errors: system.
    pub fn add(&self, fd: RawFd, number: u64, interest: Interest) -> Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, number, interest)
    }

    /// Another interest in one that is there.
    pub fn change(&self, fd: RawFd, number: u64, interest: Interest) {
        // It can only fail for one that is not there.
        let _ = self.control(libc::EPOLL_CTL_MOD, fd, number, interest);
    }

    /// Before it is closed: a child after fork() may hold it open.
    pub fn remove(&self, fd: RawFd) {
        let _ = self.control(libc::EPOLL_CTL_DEL, fd, 0, Interest::Nothing);
    }

    fn control(&self, what: libc::c_int, fd: RawFd, number: u64, interest: Interest) -> Result<()> {
        let mut event = libc::epoll_event { events: interest.events(), u64: number };
        // SAFETY: the pointer is to an event of our own.
        if unsafe { libc::epoll_ctl(self.0.as_raw_fd(), what, fd, &raw mut event) } != 0 {
            return Err(Error::system(&io::Error::last_os_error()));
        }
        Ok(())
    }

    /// Waits at most so long (`None`: for ever) and puts those that can go on into `ready`. A signal ends the wait.
    /// Errors: system.
    pub fn wait(&self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> Result<()> {
        ready.clear();
        // Not cleared for each wait.
        let mut events = [const { MaybeUninit::<libc::epoll_event>::uninit() }; BATCH];
        let count = self.wait_for(timeout, &mut events);
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return if error.raw_os_error() == Some(libc::EINTR) { Ok(()) } else { Err(Error::system(&error)) };
        };
        ready.extend(events.iter().take(count).map(|event| {
            // SAFETY: the system has written so many of them.
            let event = unsafe { event.assume_init_read() };
            let has = |which: libc::c_int| event.events & which as u32 != 0;
            let broken = has(libc::EPOLLERR | libc::EPOLLHUP);
            Ready {
                number: event.u64,
                readable: broken || has(libc::EPOLLIN | libc::EPOLLRDHUP),
                writable: broken || has(libc::EPOLLOUT),
                broken,
            }
        }));
        Ok(())
    }

    /// As epoll_pwait2(2), which rounds no timer, where the system knows it.
    fn wait_for(
        &self,
        timeout: Option<Duration>,
        events: &mut [MaybeUninit<libc::epoll_event>; BATCH],
    ) -> libc::c_long {
        static UNKNOWN: AtomicBool = AtomicBool::new(false);
        let (fd, most) = (self.0.as_raw_fd(), BATCH as libc::c_int);
        let limit = timeout.map(|timeout| libc::timespec {
            tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: timeout.subsec_nanos() as _,
        });
        let limit = limit.as_ref().map_or(std::ptr::null(), |limit| limit as *const libc::timespec);
        let no_mask = std::ptr::null::<libc::sigset_t>();
        if !UNKNOWN.load(Ordering::Relaxed) {
            // SAFETY: `most` events have room at the pointer; the limit is NULL or a timespec; no signal mask.
            let count = unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    fd,
                    events.as_mut_ptr().cast::<libc::epoll_event>(),
                    most,
                    limit,
                    no_mask,
                    0_usize,
                )
            };
            let unknown = [Some(libc::ENOSYS), Some(libc::EPERM)];
            if count >= 0 || !unknown.contains(&io::Error::last_os_error().raw_os_error()) {
                return count;
            }
            UNKNOWN.store(true, Ordering::Relaxed);
        }
        // Linux before 5.11, or a sandbox that does not know it. Up to the next millisecond, so that a timer is due when
        // the wait ends.
        let limit = timeout.map_or(-1, |timeout| {
            libc::c_int::try_from(timeout.as_micros().div_ceil(1_000)).unwrap_or(libc::c_int::MAX)
        });
        // SAFETY: as above.
        unsafe { libc::epoll_wait(fd, events.as_mut_ptr().cast::<libc::epoll_event>(), most, limit) }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    #[test]
    fn who_can_go_on() {
        let epoll = Epoll::new().expect("an epoll");
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        let mut ready = Vec::new();
        epoll.add(ours.as_raw_fd(), 7, Interest::Read).expect("added");
        epoll.wait(Some(Duration::ZERO), &mut ready).expect("waited");
        assert_eq!(ready, []);
        theirs.write_all(b"x").expect("written");
        epoll.wait(None, &mut ready).expect("waited");
        assert_eq!(ready, [Ready { number: 7, readable: true, writable: false, broken: false }]);
        epoll.change(ours.as_raw_fd(), 7, Interest::Both);
        epoll.wait(None, &mut ready).expect("waited");
        assert_eq!(ready, [Ready { number: 7, readable: true, writable: true, broken: false }]);
        ours.read_exact(&mut [0]).expect("read");
        epoll.change(ours.as_raw_fd(), 7, Interest::of(true, false));
        drop(theirs);
        epoll.wait(None, &mut ready).expect("waited");
        assert!(ready.iter().all(|one| one.readable) && ready.len() == 1, "the end is something to read");
        epoll.remove(ours.as_raw_fd());
        let before = Instant::now();
        epoll.wait(Some(Duration::from_micros(1_500)), &mut ready).expect("waited");
        assert!(ready.is_empty() && before.elapsed() >= Duration::from_micros(1_500));
    }
}
