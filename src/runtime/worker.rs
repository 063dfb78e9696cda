//! Who drives: one turn on the host's thread (`run_once`), or threads of our own (`start`).

use super::backlog::Backlog;
use super::resolve::{Question, Resolver};
use super::trim::Peak;
use super::udp::{BATCH, Receiver, Sender, Sent, Socket, parse_listen};
use super::{Host, PAUSE};
use crate::agent::{Agent, Transmit};
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{Flow, Transport};
use crate::message::glance::comes_first;
use crate::time::Now;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

/// The stack of the network thread.
const WORKER_STACK: usize = 256 << 10;
/// The stack of the thread that runs the host's callbacks; only what is touched counts.
pub(crate) const DELIVERY_STACK: usize = 1 << 20;
/// How often one turn reads.
const ROUNDS: usize = 4;
/// Batches of one socket that are read at once where there is more than one: more than what its buffer holds.
const BATCHES: usize = 16;
/// New requests that are taken before the sockets are looked at again: few, for while they are worked off a socket may
/// overflow.
const SLICE: usize = 16;
/// [`Network::sleeper`]: nobody sleeps.
const AWAKE: u64 = 0;

/// The sockets of one agent and what is needed to wait for them. Anyone may send; one thread at
/// a time waits and receives.
pub struct Network {
    sockets: Mutex<Vec<Arc<Socket>>>,
    wake: File,
    /// While a thread waits: the deadline of the timers that it knows of, in microseconds and never 0.
    sleeper: AtomicU64,
    receiver: Mutex<Inbox>,
    /// New requests wait in the inbox.
    behind: AtomicBool,
    outbox: Mutex<Outbox>,
    /// The link of the socket that took no more: wait for it to be writable. 0: none.
    full: AtomicU64,
    resolver: Mutex<Option<Resolver>>,
    peak: Mutex<Peak>,
    stopping: AtomicBool,
    delivery: Mutex<Option<Thread>>,
    delivery_asleep: AtomicBool,
}

/// What was read off the sockets.
struct Inbox {
    receiver: Receiver,
    backlog: Backlog,
}

struct Outbox {
    sender: Sender,
    waiting: VecDeque<Transmit>,
}

impl Network {
    /// No socket yet. Errors: system.
    pub fn new() -> Result<Self> {
        let receiver = Receiver::new()?;
        // SAFETY: no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(Error::system(&io::Error::last_os_error()));
        }
        Ok(Self {
            sockets: Mutex::default(),
            // SAFETY: the descriptor is new and nobody else's.
            wake: unsafe { File::from_raw_fd(fd) },
            sleeper: AtomicU64::new(AWAKE),
            receiver: Mutex::new(Inbox { receiver, backlog: Backlog::default() }),
            behind: AtomicBool::new(false),
            outbox: Mutex::new(Outbox { sender: Sender::new(), waiting: VecDeque::new() }),
            full: AtomicU64::new(0),
            resolver: Mutex::new(None),
            peak: Mutex::default(),
            stopping: AtomicBool::new(false),
            delivery: Mutex::new(None),
            delivery_asleep: AtomicBool::new(false),
        })
    }

    /// Opens a socket; the agent must be told of the flow by [`Agent::add_transport`].
    /// Errors: syntax, system, unsupported.
    pub fn listen(&self, address: &str) -> Result<Flow> {
        let address = parse_listen(address)?;
        let mut sockets = self.sockets.lock();
        let link = sockets.last().map_or(0, |last| last.flow.link) + 1;
        let socket = Socket::bind(address, link)?;
        let flow = socket.flow;
        sockets.push(Arc::new(socket));
        drop(sockets);
        self.rouse();
        Ok(flow)
    }

    /// Takes back the last [`Network::listen`], whose flow the agent refused.
    pub fn unlisten(&self, flow: &Flow) {
        self.sockets.lock().retain(|socket| socket.flow.link != flow.link);
    }

    /// "udp:127.0.0.1:40712": the index-th address that is listened on.
    pub fn local_address(&self, index: usize) -> Option<String> {
        self.sockets.lock().get(index).map(|socket| format!("udp:{}", socket.bound))
    }

    /// Whether anything is listened on.
    pub fn is_open(&self) -> bool {
        !self.sockets.lock().is_empty()
    }

    /// For whoever must wake a thread from a signal handler: an eventfd to which a u64 may be written.
    pub fn wake_fd(&self) -> RawFd {
        self.wake.as_raw_fd()
    }

    /// Asks for an address on the resolver's thread; `answer` is called there. False: it cannot be asked.
    pub fn resolve(&self, question: Question, answer: impl Fn(u64, &[Flow]) + Send + 'static) -> bool {
        let mut resolver = self.resolver.lock();
        if resolver.is_none() {
            *resolver = Resolver::start(answer);
        }
        resolver.as_ref().is_some_and(|resolver| resolver.ask(question))
    }

    /// Whether a thread waits.
    pub fn is_slept_on(&self) -> bool {
        self.sleeper.load(Ordering::Relaxed) != AWAKE
    }

    /// After a call, still with the agent locked: whether a sleeping thread must be roused (by [`Network::rouse`],
    /// unlocked) because it does not know of new output or of an earlier timer.
    pub fn must_rouse(&self, agent: &Agent, output: bool) -> bool {
        let deadline = self.sleeper.load(Ordering::Relaxed);
        if deadline == AWAKE || !(output || agent.next_timeout().is_some_and(|due| due.as_micros() < deadline)) {
            return false;
        }
        self.sleeper.store(AWAKE, Ordering::Relaxed);
        true
    }

    /// Ends the wait of the thread that waits now, or the next wait.
    pub fn rouse(&self) {
        // A full counter is as good as one.
        let _ = (&self.wake).write(&1_u64.to_ne_bytes());
    }

    /// After a call, still with the agent locked: whether the delivery thread sleeps and must be woken (unlocked).
    pub fn must_notify(&self) -> bool {
        self.delivery_asleep.load(Ordering::Relaxed) && self.delivery_asleep.swap(false, Ordering::Relaxed)
    }

    /// Wakes the delivery thread.
    pub fn notify(&self) {
        let thread = self.delivery.lock().clone();
        if let Some(thread) = thread {
            thread.unpark();
        }
    }

    /// One turn on the caller's thread: waits, handles what is there, delivers, sends. Errors: system.
    pub fn run_once<H: Host>(&self, host: &'static H, timeout: Option<Duration>) -> Result<()> {
        // What was called between two turns has left its output behind.
        self.flush(host);
        self.turn(host, timeout, true)
    }

    /// `delivers`: events are this thread's business too; else they do not keep it awake.
    fn turn<H: Host>(&self, host: &'static H, timeout: Option<Duration>, delivers: bool) -> Result<()> {
        if !host.has_memory() {
            // Timers and sockets can wait; the next turn looks again.
            thread::sleep(PAUSE);
            return Ok(());
        }
        let wait = host.with_agent(|agent, now| {
            // What a full socket cannot take waits for the socket.
            let transmits = agent.has_transmits() && self.full.load(Ordering::Relaxed) == 0;
            let behind = self.behind.load(Ordering::Relaxed);
            if transmits || behind || delivers && agent.has_events() || host.is_woken() {
                return Some(Duration::ZERO);
            }
            let due = agent.next_timeout();
            self.sleeper.store(due.map_or(u64::MAX, |due| due.as_micros().max(1)), Ordering::Relaxed);
            let due = due.map(|due| due.since(now.monotonic));
            match (due, timeout) {
                (Some(due), Some(timeout)) => Some(due.min(timeout)),
                (due, timeout) => due.or(timeout),
            }
        });
        let Some(mut wait) = wait else { return Err(Error::new(ErrorKind::Stale, "the agent is over")) };
        // What becomes due from here on finds the sleeper and rouses it.
        if delivers && host.is_owed() {
            wait = Some(Duration::ZERO);
        }
        let ready = self.wait(wait);
        self.sleeper.store(AWAKE, Ordering::Relaxed);
        let ready = ready?;
        host.clear_woken();
        let mut rounds = 0;
        loop {
            rounds += 1;
            let received = ready || self.behind.load(Ordering::Relaxed);
            let (more, live) = if received { self.receive(host) } else { (false, None) };
            let live = if rounds == 1 { live.or_else(|| host.with_agent(due)) } else { None };
            if live.is_some_and(|live| self.peak.lock().ended(live)) {
                host.trim();
            }
            if delivers {
                host.deliver();
            }
            self.flush(host);
            if !more || rounds == ROUNDS {
                return Ok(());
            }
        }
    }

    /// Whether a socket has something to read. A signal ends the wait.
    fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        let full = self.full.load(Ordering::Relaxed);
        let mut polled: SmallVec<[libc::pollfd; 8]> = SmallVec::new();
        polled.push(libc::pollfd { fd: self.wake.as_raw_fd(), events: libc::POLLIN, revents: 0 });
        for socket in self.sockets.lock().iter() {
            let writable = if socket.flow.link == full { libc::POLLOUT } else { 0 };
            polled.push(libc::pollfd { fd: socket.fd(), events: libc::POLLIN | writable, revents: 0 });
        }
        let ready = poll(&mut polled, timeout);
        if ready < 0 {
            let error = io::Error::last_os_error();
            return match error.raw_os_error() {
                Some(libc::EINTR) => Ok(false),
                _ => Err(Error::system(&error)),
            };
        }
        let mut polled = polled.iter();
        if polled.next().is_some_and(|wake| wake.revents != 0) {
            let _ = (&self.wake).read(&mut [0; 8]);
        }
        Ok(polled.any(|socket| socket.revents & !libc::POLLOUT != 0))
    }

    /// Gives the agent what its sockets have: one batch of each. Where that is not all, what belongs to calls is picked
    /// out of a few batches, and of the new requests some are taken each time. Whether there may be more; how many objects
    /// live, where it was asked.
    fn receive<H: Host>(&self, host: &'static H) -> (bool, Option<usize>) {
        let mut inbox = self.receiver.lock();
        let Inbox { receiver, backlog } = &mut *inbox;
        let (mut more, mut live) = (false, None);
        let mut index = 0;
        loop {
            let socket = self.sockets.lock().get(index).cloned();
            let Some(socket) = socket else { break };
            index += 1;
            let mut batches = 0;
            while batches < BATCHES {
                let count = receiver.fill(&socket);
                let full = count == BATCH;
                if count > 0 {
                    let behind = full || batches > 0 || !backlog.is_empty();
                    live = take(host, receiver, &socket.flow, behind.then_some(&mut *backlog)).or(live);
                }
                batches += 1;
                if !full {
                    break;
                }
                more |= batches == BATCHES;
            }
        }
        if !backlog.is_empty() {
            host.with_agent(|agent, now| {
                for (flow, data) in
                    std::iter::from_fn(|| if host.has_memory() { backlog.pop() } else { None }).take(SLICE)
                {
                    // Only streams can be refused.
                    let _ = agent.receive(now, &flow, &data);
                }
            });
        }
        self.behind.store(!backlog.is_empty(), Ordering::Relaxed);
        (more || !backlog.is_empty(), live)
    }

    /// Sends everything that waits. Any thread; the order is that of the agent.
    pub fn flush<H: Host>(&self, host: &'static H) {
        self.send_waiting(host);
        host.log();
    }

    fn send_waiting<H: Host>(&self, host: &'static H) {
        let mut outbox = self.outbox.lock();
        let Outbox { sender, waiting } = &mut *outbox;
        loop {
            if waiting.is_empty() {
                host.with_agent(|agent, _| {
                    while waiting.len() < BATCH
                        && let Some(transmit) = agent.poll_transmit()
                    {
                        waiting.push_back(transmit);
                    }
                });
            }
            let Some(first) = waiting.front() else { break };
            let Some(socket) = self.socket_for(&first.flow) else {
                fail(host, waiting);
                continue;
            };
            let same = waiting.iter().take_while(|next| self.is_socket(&next.flow, &socket));
            let datagrams = same.filter_map(|transmit| Some((transmit.flow.remote?, &transmit.bytes[..])));
            match sender.send(&socket, datagrams) {
                Sent::Count(count) => drop(waiting.drain(..count.min(waiting.len()))),
                Sent::Lost => drop(waiting.pop_front()),
                Sent::Refused => fail(host, waiting),
                Sent::Full => {
                    let link = socket.flow.link;
                    if self.full.swap(link, Ordering::Relaxed) != link {
                        // Whoever waits now does not wait for this socket to be writable.
                        self.rouse();
                    }
                    return;
                }
            }
        }
        self.full.store(0, Ordering::Relaxed);
    }

    /// The socket of a flow's link; link 0: the one with its local address, else the first of the peer's family.
    fn socket_for(&self, flow: &Flow) -> Option<Arc<Socket>> {
        let remote = flow.remote.filter(|_| flow.transport == Transport::Udp)?;
        let sockets = self.sockets.lock();
        let of_family = || sockets.iter().filter(|socket| socket.bound.is_ipv6() == remote.is_ipv6());
        let found = match flow.link {
            0 => of_family().find(|socket| socket.flow.local == flow.local).or_else(|| of_family().next()),
            link => of_family().find(|socket| socket.flow.link == link),
        };
        found.cloned()
    }

    fn is_socket(&self, flow: &Flow, socket: &Arc<Socket>) -> bool {
        (flow.link == socket.flow.link
            && flow.transport == Transport::Udp
            && flow.remote.is_some_and(|remote| remote.is_ipv6() == socket.bound.is_ipv6()))
            || self.socket_for(flow).is_some_and(|found| Arc::ptr_eq(&found, socket))
    }

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

/// Gives the agent a batch, and what is due; new requests go into the backlog, where there is one, without the agent.
/// How many objects live then, where it was asked.
fn take<H: Host>(host: &'static H, receiver: &Receiver, flow: &Flow, backlog: Option<&mut Backlog>) -> Option<usize> {
    let mut flow = *flow;
    // A bit for each datagram.
    let (mut first, mut dropped) = (u64::MAX, 0_u64);
    if let Some(backlog) = backlog {
        first = 0;
        for (at, (from, data)) in receiver.datagrams().enumerate() {
            flow.remote = Some(from);
            if comes_first(data) {
                first |= 1 << at;
            } else if !host.has_memory() || !backlog.push(&flow, data) {
                dropped |= 1 << at;
            }
        }
    }
    if first == 0 && dropped == 0 {
        return None;
    }
    host.with_agent(|agent, now| {
        for (at, (from, data)) in receiver.datagrams().enumerate() {
            flow.remote = Some(from);
            if dropped >> at & 1 == 1 {
                agent.too_far_behind(&flow);
            } else if first >> at & 1 == 1 && host.has_memory() {
                // Without memory it is lost, as when a socket is full. Only streams can be refused.
                let _ = agent.receive(now, &flow, data);
            }
        }
        due(agent, now)
    })
}

/// Carries out what is due; how many objects live then.
fn due(agent: &mut Agent, now: Now) -> usize {
    if agent.next_timeout().is_some_and(|due| due <= now.monotonic) {
        agent.handle_timeout(now);
    }
    agent.live()
}

/// The first that waits cannot be sent: the agent may know another way.
fn fail<H: Host>(host: &'static H, waiting: &mut VecDeque<Transmit>) {
    if let Some(transmit) = waiting.pop_front() {
        host.with_agent(|agent, now| agent.transmit_failed(now, transmit.id));
    }
}

fn poll(polled: &mut [libc::pollfd], timeout: Option<Duration>) -> libc::c_int {
    let count = polled.len() as libc::nfds_t;
    #[cfg(target_os = "linux")]
    {
        let limit = timeout.map(|timeout| libc::timespec {
            tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: timeout.subsec_nanos() as _,
        });
        let limit = limit.as_ref().map_or(std::ptr::null(), |limit| limit as *const libc::timespec);
        // SAFETY: `count` entries stand at the pointer; the limit is NULL or a timespec; no signal mask.
        unsafe { libc::ppoll(polled.as_mut_ptr(), count, limit, std::ptr::null()) }
    }
    #[cfg(not(target_os = "linux"))]
    {
        // Up to the next millisecond, so that a timer is due when the wait ends.
        let limit = timeout.map_or(-1, |timeout| {
            libc::c_int::try_from(timeout.as_micros().div_ceil(1_000)).unwrap_or(libc::c_int::MAX)
        });
        // SAFETY: `count` entries stand at the pointer.
        unsafe { libc::poll(polled.as_mut_ptr(), count, limit) }
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
