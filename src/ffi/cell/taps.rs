//! Where what was seen goes once the agent is not locked any more: to a function of the host, a ring that it polls, and what
//! `capture` writes. One thread at a time shows it, in order; the others leave theirs to that one and go on.

use crate::agent::{Bytes, Direction, Seen, What};
#[cfg(feature = "capture")]
use crate::capture::{Capture, Shot};
use crate::config::LogLevel;
use crate::ffi::convert::borrowed;
use crate::ffi::guard::outside;
use crate::ffi::structs::{sipdlg_flow_t, sipdlg_trace_entry_t, sipdlg_trace_t};
use crate::ffi::trace::{sipdlg_direction_e, sipdlg_trace_kind_e};
use crate::message::redact::redact;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What waits to be shown while another thread shows what was before, or a function of the host takes its time.
const WAITING: usize = 16_384;
const WAITING_BYTES: usize = 16 << 20;
/// One thread shows so much of what others leave to it, then the next has its turn.
const BATCHES: usize = 8;

/// What is kept for the host to poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Polled {
    pub(crate) messages: bool,
    /// Lines up to this level.
    pub(crate) level: LogLevel,
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// What a configuration says about all this.
#[derive(Clone, Copy)]
pub(crate) struct Watching {
    pub(crate) function: sipdlg_trace_t,
    pub(crate) user: *mut c_void,
    pub(crate) polled: Option<Polled>,
}

impl Watching {
    /// Nobody looks.
    pub(crate) const NONE: Self = Self { function: None, user: std::ptr::null_mut(), polled: None };

    /// Up to which level lines of the log are wanted here.
    pub(crate) fn level(&self) -> LogLevel {
        self.polled.map_or(LogLevel::Off, |polled| polled.level)
    }

    /// Whether messages are.
    pub(crate) fn wants_messages(&self) -> bool {
        self.function.is_some() || self.polled.is_some_and(|polled| polled.messages)
    }
}

// SAFETY: the pointer is only handed back to the host, who promised that it outlives the agents.
unsafe impl Send for Watching {}
// SAFETY: as above; it never changes.
unsafe impl Sync for Watching {}

/// One that was seen, with its number and how many were lost before it.
pub(crate) struct Entry {
    id: u64,
    lost: u64,
    seen: Seen,
}

impl Entry {
    fn bytes(&self) -> usize {
        let content = match &self.seen.what {
            What::Line(_, line) => line.len(),
            What::Message(_, _, bytes) => bytes.len(),
        };
        size_of::<Self>() + content
    }

    /// As the host sees it, borrowed.
    pub(crate) fn view(&self) -> sipdlg_trace_entry_t {
        // SAFETY: numbers, and pointers that may be NULL.
        let mut view: sipdlg_trace_entry_t = unsafe { std::mem::zeroed() };
        view.size = size_of::<sipdlg_trace_entry_t>();
        (view.id, view.lost, view.unix_us) = (self.id, self.lost, self.seen.unix_us);
        match &self.seen.what {
            What::Line(level, line) => {
                view.kind = sipdlg_trace_kind_e::SIPDLG_TRACE_LINE as i32;
                view.level = *level as i32;
                view.data = borrowed(Some(line.as_bytes()));
            }
            What::Message(direction, flow, bytes) => {
                view.kind = sipdlg_trace_kind_e::SIPDLG_TRACE_MESSAGE as i32;
                view.direction = match direction {
                    Direction::In => sipdlg_direction_e::SIPDLG_DIRECTION_IN,
                    Direction::Out => sipdlg_direction_e::SIPDLG_DIRECTION_OUT,
                } as i32;
                view.flow = sipdlg_flow_t::from(flow);
                view.data = borrowed(Some(bytes));
            }
        }
        view
    }
}

/// Entries in order, at most so many and so large.
#[derive(Default)]
struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Queue {
    fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.bytes();
        Some(entry)
    }

    fn is_beyond(&self, entries: usize, bytes: usize) -> bool {
        self.entries.len() > entries || self.bytes > bytes
    }
}

#[derive(Default)]
struct Line {
    waiting: Queue,
    /// Of the last entry.
    id: u64,
    /// Since the last entry that was taken.
    lost: u64,
    /// The thread that shows, by pthread_self().
    shower: Option<libc::pthread_t>,
    closed: bool,
}

#[derive(Default)]
struct Ring {
    queue: Queue,
    /// What the host has borrowed.
    lent: Option<Entry>,
}

/// Of one agent.
pub(crate) struct Taps {
    watching: Watching,
    redact: u32,
    line: Mutex<Line>,
    /// Nobody shows any more.
    idle: Condvar,
    ring: Mutex<Ring>,
    lost: AtomicU64,
    /// As `capture` has them; whoever has the agent locked does not wait for a disk.
    captures: AtomicBool,
    uncaptured: AtomicU64,
    #[cfg(feature = "capture")]
    capture: Mutex<Capture>,
}

impl Taps {
    pub(crate) fn new(watching: Watching, redact: u32) -> Self {
        Self {
            watching,
            redact,
            line: Mutex::default(),
            idle: Condvar::new(),
            ring: Mutex::default(),
            lost: AtomicU64::new(0),
            captures: AtomicBool::new(false),
            uncaptured: AtomicU64::new(0),
            #[cfg(feature = "capture")]
            capture: Mutex::default(),
        }
    }

    /// What the configuration said.
    pub(crate) fn watching(&self) -> &Watching {
        &self.watching
    }

    /// Whether messages go anywhere.
    pub(crate) fn wants_messages(&self) -> bool {
        self.captures.load(Ordering::Relaxed) || self.watching.wants_messages()
    }

    /// Entries that nobody saw.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Messages that could be neither written nor sent.
    pub(crate) fn uncaptured(&self) -> u64 {
        self.uncaptured.load(Ordering::Relaxed)
    }

    /// Changes what is captured, after what was seen before.
    #[cfg(feature = "capture")]
    pub(crate) fn with_capture(&self, change: impl FnOnce(&mut Capture)) {
        drop(self.idle());
        self.captures.store(self.capturing(|capture| (change(capture), capture.is_on()).1), Ordering::Relaxed);
    }

    #[cfg(feature = "capture")]
    fn capturing<T>(&self, act: impl FnOnce(&mut Capture) -> T) -> T {
        let mut capture = self.capture.lock();
        let result = act(&mut capture);
        self.uncaptured.store(capture.lost(), Ordering::Relaxed);
        result
    }

    /// One more; the agent is locked, so the order is its own.
    pub(super) fn push(&self, seen: Seen) {
        let mut line = self.line.lock();
        line.id += 1;
        let entry = Entry { id: line.id, lost: line.lost, seen };
        line.waiting.push(entry);
        line.lost = 0;
        if line.waiting.is_beyond(WAITING, WAITING_BYTES)
            && let Some(last) = line.waiting.entries.pop_back()
        {
            line.waiting.bytes -= last.bytes();
            line.lost = last.lost + 1;
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Shows what waits, unless somebody does so. Nothing is locked.
    pub(super) fn show(&self) {
        let mut line = self.line.lock();
        if line.shower.is_some() || line.closed {
            return;
        }
        // SAFETY: no pointers.
        line.shower = Some(unsafe { libc::pthread_self() });
        let showing = Showing(self);
        for _ in 0..BATCHES {
            let mut batch = std::mem::take(&mut line.waiting);
            if batch.entries.is_empty() {
                break;
            }
            drop(line);
            while let Some(entry) = batch.pop() {
                self.show_one(entry);
            }
            #[cfg(feature = "capture")]
            self.capturing(Capture::flush);
            line = self.line.lock();
        }
        // With the look at what waits, so that nobody leaves anything to a thread that has stopped looking.
        showing.end(&mut line);
    }

    fn show_one(&self, mut entry: Entry) {
        if let What::Message(_, _, bytes) = &mut entry.seen.what
            && let Cow::Owned(redacted) = redact(bytes, self.redact)
        {
            *bytes = Bytes::from(redacted);
        }
        if let What::Message(direction, flow, bytes) = &entry.seen.what {
            #[cfg(feature = "capture")]
            self.capturing(|capture| {
                capture.write(&Shot { direction: *direction, flow, unix_us: entry.seen.unix_us, bytes });
            });
            #[cfg(not(feature = "capture"))]
            let _ = (direction, flow, bytes);
            if let Some(function) = self.watching.function {
                let view = entry.view();
                // SAFETY: the host promised that its function takes its pointer and an entry, on any thread.
                outside(|| unsafe { function(self.watching.user, &raw const view) });
            }
        }
        let Some(polled) = &self.watching.polled else { return };
        let kept = match &entry.seen.what {
            What::Line(..) => true,
            What::Message(..) => polled.messages,
        };
        if kept {
            let mut ring = self.ring.lock();
            ring.queue.push(entry);
            // The newest stays, whatever its length.
            while ring.queue.is_beyond(polled.entries, polled.bytes) && ring.queue.entries.len() > 1 {
                let lost = ring.queue.pop().map_or(0, |lost| lost.lost + 1);
                if let Some(next) = ring.queue.entries.front_mut() {
                    next.lost += lost;
                }
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The oldest that waits in the ring, lent until the next is taken.
    pub(crate) fn poll(&self) -> Option<sipdlg_trace_entry_t> {
        let mut ring = self.ring.lock();
        ring.lent = ring.queue.pop();
        ring.lent.as_ref().map(Entry::view)
    }

    /// Waits until nobody else shows anything.
    fn idle(&self) -> MutexGuard<'_, Line> {
        let mut line = self.line.lock();
        // SAFETY: no pointers.
        let own = unsafe { libc::pthread_self() };
        // A function of the host that calls the library, which it must not, does not wait for itself.
        while line.shower.is_some_and(|shower| shower != own) {
            self.idle.wait(&mut line);
        }
        line
    }

    /// The agent is over: no function is called any more, nothing is open. `wait`: none runs either.
    pub(super) fn close(&self, wait: bool) {
        let mut line = if wait { self.idle() } else { self.line.lock() };
        line.closed = true;
        line.waiting = Queue::default();
        drop(line);
        #[cfg(feature = "capture")]
        self.capture.lock().close();
    }

    /// In a child after fork(), where other threads are no more, whatever they had locked.
    pub(super) fn abandon(&self) {
        #[cfg(feature = "capture")]
        if let Some(mut capture) = self.capture.try_lock() {
            capture.close();
        }
    }
}

/// Whoever shows; also when a defect throws it out.
struct Showing<'a>(&'a Taps);

impl Showing<'_> {
    fn end(self, line: &mut Line) {
        line.shower = None;
        self.0.idle.notify_all();
        std::mem::forget(self);
    }
}

impl Drop for Showing<'_> {
    fn drop(&mut self) {
        self.0.line.lock().shower = None;
        self.0.idle.notify_all();
    }
}
