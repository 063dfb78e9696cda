//! The network of one agent: its links, and what is needed to wait for them. Anyone may send; one thread at a time waits
//! and receives.

use super::Host;
use super::backlog::Backlog;
use super::connection::Connection;
use super::datagrams::Inbox;
use super::epoll::{Interest, Ready, waker};
use super::links::{Links, WAKE};
use super::resolve::{Question, Resolver};
use super::send::Outbox;
#[cfg(feature = "tls")]
use super::tls::Tls;
use super::trim::Peak;
use super::udp::Receiver;
use crate::agent::Agent;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{Flow, LinkCounts};
use parking_lot::Mutex;
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;

/// [`Network::sleeper`]: nobody sleeps.
pub(super) const AWAKE: u64 = 0;

/// Of one agent.
pub struct Network {
    pub(super) links: Links,
    pub(super) wake: File,
    /// While a thread waits: the deadline of the timers that it knows of, in microseconds and never 0.
    pub(super) sleeper: AtomicU64,
    /// Of who waits.
    pub(super) turn: Mutex<Found>,
    pub(super) inbox: Mutex<Inbox>,
    /// New requests wait in the inbox.
    pub(super) behind: AtomicBool,
    pub(super) outbox: Mutex<Outbox>,
    resolver: Mutex<Option<Resolver>>,
    pub(super) peak: Mutex<Peak>,
    pub(super) stopping: AtomicBool,
    pub(super) delivery: Mutex<Option<Thread>>,
    pub(super) delivery_asleep: AtomicBool,
}

/// What the last wait has found, and room for what is read of it.
#[derive(Default)]
pub(super) struct Found {
    pub ready: Vec<Ready>,
    pub buffer: Vec<u8>,
}

impl Network {
    /// No socket yet. Errors: system.
    pub fn new(config: &Config) -> Result<Self> {
        let receiver = Receiver::new()?;
        let wake = waker()?;
        let links = Links::new(config)?;
        links.epoll.add(wake.as_raw_fd(), WAKE, Interest::Read)?;
        Ok(Self {
            links,
            wake,
            sleeper: AtomicU64::new(AWAKE),
            turn: Mutex::default(),
            inbox: Mutex::new(Inbox { receiver, backlog: Backlog::default() }),
            behind: AtomicBool::new(false),
            outbox: Mutex::default(),
            resolver: Mutex::new(None),
            peak: Mutex::default(),
            stopping: AtomicBool::new(false),
            delivery: Mutex::new(None),
            delivery_asleep: AtomicBool::new(false),
        })
    }

    /// Opens a link; the agent must be told of the flow by [`Agent::add_transport`]. Errors: syntax, system, unsupported.
    pub fn listen(&self, address: &str) -> Result<Flow> {
        let flow = self.links.listen(address)?;
        self.rouse();
        Ok(flow)
    }

    /// Takes back the last [`Network::listen`], whose flow the agent refused.
    pub fn unlisten(&self, flow: &Flow) {
        self.links.unlisten(flow);
    }

    /// "udp:127.0.0.1:40712": the index-th address that is listened on.
    pub fn local_address(&self, index: usize) -> Option<String> {
        self.links.local_address(index)
    }

    /// What new connections are secured with; what is connected stays.
    #[cfg(feature = "tls")]
    pub(crate) fn set_tls(&self, tls: Arc<Tls>) {
        self.links.sides.set_tls(tls);
    }

    /// Whom the certificate at the other end of a connection names: the index-th. Errors: stale, it is none of ours.
    pub fn peer_name(&self, link: u64, index: usize) -> Result<Option<String>> {
        Ok(self.connection(link)?.peer().into_iter().nth(index))
    }

    /// A header of the upgrade of a WebSocket as the peer has sent it, the index-th of its name; without one: the path. Errors:
    /// stale, it is none of ours.
    pub fn upgrade_header(&self, link: u64, name: Option<&str>, index: usize) -> Result<Option<Vec<u8>>> {
        Ok(self.connection(link)?.upgrade_header(name, index))
    }

    fn connection(&self, link: u64) -> Result<Arc<Connection>> {
        let connection = self.links.connection(link);
        connection.ok_or_else(|| Error::new(ErrorKind::Stale, "link: no connection of the library"))
    }

    /// What was counted.
    pub fn counts(&self) -> LinkCounts {
        self.links.counts()
    }

    /// Whether anything is listened on.
    pub fn is_open(&self) -> bool {
        self.links.is_open()
    }

    /// For whoever must wake a thread from a signal handler: an eventfd to which a u64 may be written.
    pub fn wake_fd(&self) -> RawFd {
        self.wake.as_raw_fd()
    }

    /// Asks where a name leads, on the resolver's thread; `answer` is called there. `servers`: none, the system's. False:
    /// it cannot be asked.
    pub fn resolve<H: Host>(
        &self,
        host: &'static H,
        servers: &[SocketAddr],
        question: Question,
        answer: impl Fn(u64, &[Flow]) + Send + 'static,
    ) -> bool {
        let mut resolver = self.resolver.lock();
        if resolver.is_none() {
            *resolver = Resolver::start(servers, answer, move || host.has_memory()).ok();
        }
        resolver.as_ref().is_some_and(|resolver| resolver.ask(question))
    }

    /// The thread that looks names up, when the agent has ended or is another process's.
    pub fn take_resolver(&self) -> Option<Resolver> {
        self.resolver.lock().take()
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
}
