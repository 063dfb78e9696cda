//! Names to targets (RFC 3263), on a thread of its own that waits for many name servers at once.

mod cache;
mod hosts;
mod order;
mod record;
mod rules;
mod servers;
mod sockets;
mod source;
mod wire;
mod worker;

pub use rules::Question;

use crate::error::{Error, Result};
use crate::flow::Flow;
use crate::random::Random;
use crossbeam_channel::{Receiver, Sender, unbounded};
use source::Source;
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::thread::JoinHandleExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use worker::Worker;

/// Questions that may wait. Beyond, a name counts as not found.
const WAITING: usize = 1_000;
/// The stack of the thread; only what is touched counts.
const STACK: usize = 256 << 10;

/// Between who asks and the thread.
struct Shared {
    questions: (Sender<Question>, Receiver<Question>),
    /// Questions without answer, which bound those.
    open: AtomicUsize,
    over: AtomicBool,
    wake: File,
}

impl Shared {
    fn rouse(&self) {
        // A full counter is as good as one.
        let _ = (&self.wake).write(&1_u64.to_ne_bytes());
    }

    fn take(&self) -> Vec<Question> {
        let _ = io::Read::read(&mut &self.wake, &mut [0; 8]);
        self.questions.1.try_iter().collect()
    }
}

/// The thread, started by the first question. It ends when this is dropped, whatever it waits for.
pub struct Resolver {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Resolver {
    /// `servers`: none, the system's. `answer` is called on the thread. `has_memory`: whether there is some to go on with.
    /// Errors: system.
    pub fn start(
        servers: &[SocketAddr],
        answer: impl Fn(u64, &[Flow]) + Send + 'static,
        has_memory: impl Fn() -> bool + Send + 'static,
    ) -> Result<Self> {
        let wake = super::epoll::waker()?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| Error::system(&io::Error::last_os_error()))?;
        let (questions, open, over) = (unbounded(), AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { questions, open, over, wake });
        let source = Source::new(servers);
        let mut worker = Worker::new(Arc::clone(&shared), answer, source, Random::from_seed(seed))?;
        let thread = super::threads::spawn("sipdlg-resolve", STACK, move || worker.run(has_memory));
        // What pthread_create(3) has to say when no thread can be had.
        let thread = thread.ok_or_else(|| Error::system(&io::Error::from_raw_os_error(libc::EAGAIN)))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// False when too many wait.
    pub fn ask(&self, question: Question) -> bool {
        if self.shared.open.fetch_add(1, Ordering::SeqCst) >= WAITING {
            self.shared.open.fetch_sub(1, Ordering::SeqCst);
            return false;
        }
        // Both ends live as long as this.
        let _ = self.shared.questions.0.send(question);
        self.shared.rouse();
        true
    }

    fn end(&self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.shared.rouse();
    }

    /// Waits for its end, which waits for nobody. Never inside what runs on it.
    pub fn join(mut self) {
        self.end();
        // Not `thread::current()`: it would leave something in a thread of the host's.
        // SAFETY: no pointer is involved.
        let here = unsafe { libc::pthread_self() };
        if let Some(thread) = self.thread.take().filter(|thread| thread.as_pthread_t() != here) {
            // A panic was contained inside; there is nothing to tell.
            let _ = thread.join();
        }
    }

    /// In a forked child, where it does not exist.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.end();
    }
}
