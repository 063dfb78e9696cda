//! The threads of `start`: one for the network and, where asked for, one that delivers.

use super::network::Network;
use super::{Host, PAUSE};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

/// The stack of the network thread.
const WORKER_STACK: usize = 256 << 10;
/// The stack of the thread that runs the host's callbacks; only what is touched counts.
pub(crate) const DELIVERY_STACK: usize = 1 << 20;

impl Network {
    fn work<H: Host>(&self, host: &'static H) {
        self.flush(host);
        while !self.stopping.load(Ordering::SeqCst) {
            // The epilogue of each locked section has woken whoever delivers.
            if self.turn(host, None, false).is_err() {
                break;
            }
        }
    }

    fn deliver<H: Host>(&self, host: &'static H) {
        while !self.stopping.load(Ordering::SeqCst) {
            if !host.has_memory() {
                thread::sleep(PAUSE);
                continue;
            }
            host.deliver();
            self.flush(host);
            let idle = host.with_agent(|agent, _| {
                let idle = !agent.has_events();
                self.delivery_asleep.store(idle, Ordering::Relaxed);
                idle
            });
            let Some(idle) = idle else { return };
            // What became due before it counted as asleep has woken nobody.
            if idle && !host.is_owed() {
                while self.delivery_asleep.load(Ordering::Relaxed) && !self.stopping.load(Ordering::SeqCst) {
                    thread::park();
                }
            }
        }
    }

    /// Starts the network thread and, when asked, the delivery thread. The host has counted them already, and has the
    /// agent locked.
    pub fn start<H: Host>(self: &Arc<Self>, host: &'static H, deliver: bool) -> Threads {
        self.stopping.store(false, Ordering::SeqCst);
        self.delivery_asleep.store(false, Ordering::Relaxed);
        let mut threads = Threads { joins: Vec::new(), failed: false };
        if deliver {
            let network = Arc::clone(self);
            let thread = spawn("sipdlg-deliver", DELIVERY_STACK, move || {
                let _leaving = Leaving { host, delivered: true };
                // Itself, before it can sleep: nobody may look for it in vain.
                *network.delivery.lock() = Some(thread::current());
                network.deliver(host);
                *network.delivery.lock() = None;
                drop(network);
            });
            match thread {
                Some(join) => threads.joins.push(join),
                None => threads.failed = true,
            }
        }
        if !threads.failed {
            let network = Arc::clone(self);
            let thread = spawn("sipdlg-network", WORKER_STACK, move || {
                let _leaving = Leaving { host, delivered: false };
                network.work(host);
                drop(network);
            });
            match thread {
                Some(join) => threads.joins.push(join),
                None => threads.failed = true,
            }
        }
        threads
    }

    /// Makes the threads end; does not wait for them.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.rouse();
        self.delivery_asleep.store(false, Ordering::Relaxed);
        self.notify();
    }
}

/// The last act of a thread, also of one that a defect ends: the host waits for it.
struct Leaving<H: Host> {
    host: &'static H,
    delivered: bool,
}

impl<H: Host> Drop for Leaving<H> {
    fn drop(&mut self) {
        self.host.leave(self.delivered);
    }
}

/// The threads of one `start`.
pub struct Threads {
    joins: Vec<JoinHandle<()>>,
    failed: bool,
}

impl Threads {
    /// Whether none was started.
    pub fn is_empty(&self) -> bool {
        self.joins.is_empty()
    }

    /// Whether the system refused one.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Waits for their end. Never on one of them.
    pub fn join(self) {
        for join in self.joins {
            // A panic was contained inside; there is nothing to tell.
            let _ = join.join();
        }
    }

    /// In a forked child, where they do not exist.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

/// A thread that no signal of the host's lands on.
pub(crate) fn spawn(name: &str, stack: usize, body: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    // SAFETY: all zero is a valid set; the pointers are to sets of our own. The new thread inherits the full mask.
    let before = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    };
    let spawned = thread::Builder::new().name(name.into()).stack_size(stack).spawn(body);
    // SAFETY: the set is the one that was there before.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    spawned.ok()
}
