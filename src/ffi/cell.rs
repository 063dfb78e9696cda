//! The place of an agent: its core behind one lock, what the host hung on it. Who drives it and how
//! it ends: `drivers`, `end`.

use crate::agent::{Agent, Attachment, Event, Transmit, What};
use crate::config::LogLevel;
use crate::error::{Error, ErrorKind, Result};
use crate::ffi::clock::{Clock, Log};
use crate::ffi::guard::outside;
use crate::ffi::handle::{agent_token, process_stamp, stale};
use crate::ffi::host::ReleaseQueue;
use crate::ffi::reserve::Share;
use crate::ffi::tls::Security;
use crate::flow::LinkCounts;
#[cfg(feature = "runtime")]
use crate::runtime::{Network, Threads};
use crate::time::Now;
use parking_lot::{Condvar, MappedMutexGuard, Mutex, MutexGuard};
use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

mod descriptors;
mod drivers;
mod end;
mod taps;
#[cfg(feature = "runtime")]
mod threads;
mod tokens;
mod trim;

pub(crate) use drivers::{Drive, Driver, callback, run_releases};
pub(crate) use taps::{Polled, Taps, Watching};

use descriptors::{Descriptors, EventFd};

/// The place of an agent. Made with its slot's first tenant, never freed.
pub(crate) struct AgentCell {
    slot: u16,
    /// The living tenant's token, else 0.
    pub(crate) token: AtomicU64,
    /// How many tenants there were: the generation of the last.
    pub(crate) tenants: AtomicU32,
    /// [`process_stamp`] of the process that made the tenant.
    stamp: AtomicU64,
    defunct: AtomicBool,
    /// Somebody looks at what the tenant sees.
    #[cfg(feature = "runtime")]
    logs: AtomicBool,
    inner: Mutex<Option<Box<Inner>>>,
    /// The generation of the last tenant that is gone, release functions and all.
    gone: AtomicU32,
    /// A driver has left, or the tenant is gone.
    changed: Condvar,
    /// Where the objects of the next tenant begin to count.
    base: AtomicU32,
    descriptors: Descriptors,
}

/// A living agent.
pub(crate) struct Inner {
    pub(crate) token: u64,
    slot: u16,
    base: u32,
    highest: u32,
    pub(crate) core: Agent,
    /// Of the agent itself.
    pub(crate) attachment: Attachment,
    pub(crate) releases: Arc<ReleaseQueue>,
    pub(crate) clock: Clock,
    log: Log,
    taps: Arc<Taps>,
    /// What was seen goes to the taps.
    tapped: bool,
    /// The event that is being delivered, or was polled last: what the host has borrowed.
    pub(crate) current: Option<Event>,
    /// What the host has borrowed of the last transmit.
    pub(crate) transmit: Option<Transmit>,
    pub(crate) longest_callback_us: u64,
    event_fd: EventFd,
    /// Threads inside dispatch, run_once or of the runtime.
    drivers: u32,
    /// One of them delivers events.
    delivering: bool,
    /// One of them drives the network.
    networking: bool,
    /// To be freed when the last driver leaves.
    ending: bool,
    /// Threads that wait in sipdlg_agent_free() until then.
    freers: u32,
    /// For the network, until it is made.
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    security: Option<Security>,
    #[cfg(feature = "runtime")]
    pub(crate) network: Option<Arc<Network>>,
    #[cfg(feature = "runtime")]
    threads: Option<Threads>,
    /// How many runs of these threads there were.
    #[cfg(feature = "runtime")]
    run: u64,
    /// Threads of the runtime that have not left.
    running: u32,
    /// Of the memory that is kept back.
    _share: Share,
}

/// What a locked section leaves to be done once the lock is gone.
#[derive(Default)]
struct Aftermath {
    lines: Vec<(LogLevel, String)>,
    log: Option<Log>,
    taps: Option<Arc<Taps>>,
    #[cfg(feature = "runtime")]
    rouse: bool,
    #[cfg(feature = "runtime")]
    notify: bool,
    #[cfg(feature = "runtime")]
    flush: bool,
    #[cfg(feature = "runtime")]
    network: Option<Arc<Network>>,
}

/// A locked agent. Who drops it instead of closing it, drops it by a panic: the agent is defunct.
struct Opened {
    // Before the lock.
    fuse: Fuse<'static>,
    cell: &'static AgentCell,
    inner: MappedMutexGuard<'static, Inner>,
}

impl Opened {
    #[inline(never)]
    fn close(self) {
        self.fuse.disarm();
    }

    /// Closes it; what is to be done without the lock is done: log lines handed on, messages sent.
    #[inline(never)]
    fn settle(mut self, log: bool, flush: bool) {
        #[cfg_attr(not(feature = "runtime"), allow(unused_mut))]
        let mut aftermath = self.inner.settle(log);
        #[cfg(feature = "runtime")]
        {
            aftermath.flush &= flush;
        }
        #[cfg(not(feature = "runtime"))]
        let _ = flush;
        self.fuse.disarm();
        drop(self.inner);
        self.cell.carry_out(aftermath);
    }
}

/// Marks the agent defunct unless told that all went well.
struct Fuse<'a>(Option<&'a AtomicBool>);

impl Fuse<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Fuse<'_> {
    fn drop(&mut self) {
        if let Some(defunct) = self.0 {
            defunct.store(true, Ordering::SeqCst);
        }
    }
}

impl AgentCell {
    /// An empty place.
    pub(crate) fn new(slot: u16) -> Self {
        Self {
            slot,
            token: AtomicU64::new(0),
            tenants: AtomicU32::new(0),
            stamp: AtomicU64::new(0),
            defunct: AtomicBool::new(false),
            #[cfg(feature = "runtime")]
            logs: AtomicBool::new(false),
            inner: Mutex::new(None),
            gone: AtomicU32::new(0),
            changed: Condvar::new(),
            base: AtomicU32::new(0),
            descriptors: Descriptors::new(),
        }
    }

    /// Moves an agent in; its token.
    pub(crate) fn move_in(
        &'static self,
        core: Agent,
        clock: Clock,
        log: Log,
        taps: Taps,
        security: Option<Security>,
        share: Share,
    ) -> u64 {
        let generation = self.tenants.load(Ordering::Relaxed).saturating_add(1);
        let base = self.base.load(Ordering::Relaxed);
        let token = agent_token(self.slot, generation);
        let mut inner = Inner {
            token,
            slot: self.slot,
            base,
            highest: base,
            core,
            attachment: Attachment::default(),
            releases: Arc::default(),
            clock,
            log,
            taps: Arc::new(taps),
            tapped: false,
            current: None,
            transmit: None,
            longest_callback_us: 0,
            event_fd: EventFd::default(),
            drivers: 0,
            delivering: false,
            networking: false,
            ending: false,
            freers: 0,
            security,
            #[cfg(feature = "runtime")]
            network: None,
            #[cfg(feature = "runtime")]
            threads: None,
            #[cfg(feature = "runtime")]
            run: 0,
            running: 0,
            _share: share,
        };
        inner.watch();
        let mut place = self.inner.lock();
        self.defunct.store(false, Ordering::Relaxed);
        #[cfg(feature = "runtime")]
        self.logs.store(log.function.is_some() || inner.tapped, Ordering::Relaxed);
        *place = Some(Box::new(inner));
        self.descriptors.forget_wakes();
        self.stamp.store(process_stamp(), Ordering::Relaxed);
        self.tenants.store(generation, Ordering::Relaxed);
        self.token.store(token, Ordering::SeqCst);
        token
    }

    /// Whether a thread of the parent was inside at the moment of fork(), with a token that is good no more: in this
    /// process it never comes out.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stamp.load(Ordering::Relaxed) != process_stamp()
            && (self.descriptors.has_wakers() || self.inner.try_lock().is_none())
    }

    /// Not of another process, not broken.
    fn check(&self) -> Result<()> {
        if self.stamp.load(Ordering::Relaxed) != process_stamp() {
            return Err(if self.token.load(Ordering::Relaxed) == 0 {
                stale()
            } else {
                Error::new(ErrorKind::Forked, "the agent was made before fork(), in the parent")
            });
        }
        if self.defunct.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Defunct, "the agent caught a defect of its own before; free it"));
        }
        Ok(())
    }

    /// The core shows from now on what somebody wants to see.
    #[cfg(feature = "capture")]
    pub(crate) fn watch(&'static self, token: u64) -> Result<()> {
        self.with(|inner, _| {
            inner.check_token(token)?;
            inner.watch();
            #[cfg(feature = "runtime")]
            self.logs.fetch_or(inner.tapped, Ordering::Relaxed);
            Ok(())
        })
    }

    /// Locks the agent. Not inlined, as its counterparts: each exported function would carry a copy.
    #[inline(never)]
    fn open(&'static self) -> Result<Opened> {
        self.check()?;
        let inner = MutexGuard::try_map(self.inner.lock(), Option::as_deref_mut).map_err(|_| stale())?;
        Ok(Opened { fuse: Fuse(Some(&self.defunct)), cell: self, inner })
    }

    /// Runs with the agent locked, and afterwards tells whoever must know of what came of it.
    pub(crate) fn with<T>(&'static self, run: impl FnOnce(&mut Inner, Now) -> Result<T>) -> Result<T> {
        let mut opened = self.open()?;
        let now = opened.inner.clock.now();
        let result = run(&mut opened.inner, now);
        opened.settle(true, true);
        result
    }

    /// As [`AgentCell::with`], for what changes nothing.
    pub(crate) fn look<T>(&'static self, run: impl FnOnce(&mut Inner) -> Result<T>) -> Result<T> {
        let mut opened = self.open()?;
        let result = run(&mut opened.inner);
        opened.close();
        result
    }

    #[inline(never)]
    fn carry_out(&'static self, aftermath: Aftermath) {
        if let Some(log) = aftermath.log
            && let Some(function) = log.function
        {
            for (level, line) in aftermath.lines {
                let mut line = line.into_bytes();
                line.retain(|byte| *byte != 0);
                let line = CString::new(line).unwrap_or_default();
                // SAFETY: the host promised that its function takes its pointer and a text, on any thread.
                outside(|| unsafe { function(log.user, level as i32, line.as_ptr()) });
            }
        }
        if let Some(taps) = &aftermath.taps {
            taps.show();
        }
        #[cfg(feature = "runtime")]
        if let Some(network) = aftermath.network {
            if aftermath.notify {
                network.notify();
            }
            if aftermath.flush {
                network.flush(self);
            }
            if aftermath.rouse {
                network.rouse();
            }
        }
    }
}

impl Inner {
    /// The token is this tenant's.
    pub(crate) fn check_token(&self, token: u64) -> Result<()> {
        if self.token == token { Ok(()) } else { Err(stale()) }
    }

    /// Whether RESOLVE is the library's own affair: it has sockets.
    pub(crate) fn resolves_itself(&self, event: &Event) -> bool {
        #[cfg(feature = "runtime")]
        if self.network.as_ref().is_some_and(|network| network.is_open()) {
            return event.kind == crate::agent::EventKind::Resolve;
        }
        let _ = event;
        false
    }

    /// Where what was seen goes.
    pub(crate) fn taps(&self) -> Arc<Taps> {
        Arc::clone(&self.taps)
    }

    /// Makes the core show what somebody wants to see, as things stand.
    fn watch(&mut self) {
        let messages = self.taps.wants_messages();
        self.core.set_traced(messages);
        self.tapped = messages || self.taps.watching().level() > LogLevel::Off;
    }

    fn take_seen(&mut self, aftermath: &mut Aftermath) {
        let polled = self.taps.watching().level();
        let logged = if self.log.function.is_some() { self.log.level } else { LogLevel::Off };
        while let Some(seen) = self.core.poll_seen() {
            match seen.what {
                // More than the ring wants: the function's alone.
                What::Line(level, line) if level > polled => {
                    aftermath.lines.push((level, line));
                    continue;
                }
                What::Line(level, ref line) if level <= logged => aftermath.lines.push((level, line.clone())),
                What::Line(..) | What::Message(..) => {}
            }
            self.taps.push(seen);
            aftermath.taps.get_or_insert_with(|| Arc::clone(&self.taps));
        }
        if !aftermath.lines.is_empty() {
            aftermath.log = Some(self.log);
        }
    }

    /// Counters of the library's links.
    pub(crate) fn links(&self) -> LinkCounts {
        #[cfg(feature = "runtime")]
        if let Some(network) = &self.network {
            return network.counts();
        }
        LinkCounts::default()
    }

    /// Whether output waits for the host: what threads of the runtime take care of does not.
    fn waits_for_host(&self) -> bool {
        if self.running > 0 {
            return !self.delivering && self.core.has_events();
        }
        self.core.has_output()
    }

    /// Before the lock goes: the level of the event descriptor, and what is to be done without the lock. `log`: lines
    /// are taken out; else they wait for the next call.
    #[inline(never)]
    fn settle(&mut self, log: bool) -> Aftermath {
        let mut aftermath = Aftermath::default();
        if log && (self.log.function.is_some() || self.tapped) {
            self.take_seen(&mut aftermath);
        }
        // During a delivery it would go up and down with each callback; the driver sets it on leaving.
        if self.event_fd.is_open() && !self.delivering {
            self.set_level();
        }
        #[cfg(feature = "runtime")]
        if let Some(network) = self.network.as_ref().filter(|network| self.running > 0 || network.is_slept_on()) {
            let events = self.core.has_events();
            aftermath.notify = (events || self.releases.is_waiting()) && network.must_notify();
            // Whoever delivers sends what its callbacks made when they have returned.
            let transmits = self.core.has_transmits() && drivers::delivered() != self.token;
            aftermath.flush = transmits && self.running > 0;
            let output = self.running == 0 && (events || transmits || self.releases.is_waiting());
            aftermath.rouse = network.must_rouse(&self.core, output);
            if aftermath.notify || aftermath.flush || aftermath.rouse {
                aftermath.network = Some(Arc::clone(network));
            }
        }
        aftermath
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::SessionId;
    use crate::ffi::agent::{sipdlg_agent_dispatch, sipdlg_agent_free, sipdlg_agent_new};
    use crate::ffi::guard::guard;
    use crate::ffi::handle::{self, Kind};

    fn agent() -> u64 {
        let mut token = 0;
        // SAFETY: NULL is allowed, and the out-parameter is ours.
        assert_eq!(unsafe { sipdlg_agent_new(std::ptr::null(), &raw mut token) }, 0);
        token
    }

    #[test]
    fn a_defect_ends_its_agent_and_no_other() {
        let (broken, sound) = (agent(), agent());
        let cell = handle::find(broken, Kind::Agent).expect("its place");
        assert_eq!(guard(|| cell.with(|_, _| panic!("a defect"))), -17);
        assert_eq!(sipdlg_agent_dispatch(broken), -17);
        #[cfg(feature = "runtime")]
        {
            use crate::ffi::runtime::{sipdlg_agent_run_once, sipdlg_agent_start};
            assert_eq!(sipdlg_agent_run_once(broken, 0), -17);
            assert_eq!(sipdlg_agent_start(broken, 1, 1), -17);
        }
        assert_eq!(sipdlg_agent_dispatch(sound), 0);
        assert_eq!(sipdlg_agent_free(broken), 0);
        assert_eq!(sipdlg_agent_dispatch(broken), -2);
        assert_eq!(sipdlg_agent_free(sound), 0);
    }

    #[test]
    fn a_refused_call_is_no_defect() {
        let token = agent();
        let cell = handle::find(token, Kind::Agent).expect("its place");
        assert_eq!(guard(|| cell.with(|_, _| Err(drivers::busy()))), -10);
        assert_eq!(sipdlg_agent_dispatch(token), 0);
        assert_eq!(sipdlg_agent_free(token), 0);
    }

    #[test]
    fn tokens_of_the_next_tenant_count_on() {
        let mut seen = Vec::new();
        for _ in 0..3 {
            let token = agent();
            let cell = handle::find(token, Kind::Agent).expect("its place");
            for raw in [1 << 22, 2 << 22, 5 << 22 | 3] {
                let given = cell.look(|inner| Ok(inner.session_token(SessionId::from_raw(raw)))).expect("living");
                assert_eq!(cell.look(|inner| inner.session_id(given)).map(|id| id.raw()), Ok(raw));
                assert!(!seen.contains(&given));
                seen.push(given);
            }
            assert_eq!(sipdlg_agent_free(token), 0);
        }
    }
}
