//! Who drives an agent: dispatch, run_once, threads of the runtime; and the callbacks that they run.

use super::{AgentCell, Inner};
use crate::error::{Error, ErrorKind, Result};
use crate::ffi::clock::Clock;
use crate::ffi::guard::outside;
use crate::ffi::handle::{self, Kind};
use crate::ffi::host::ReleaseQueue;
use crate::ffi::structs::sipdlg_agent_t;
use std::cell::Cell;
#[cfg(feature = "runtime")]
use std::sync::Arc;

thread_local! {
    /// Callbacks that run on this thread, of any agent, nested.
    static CALLBACKS: Cell<u32> = const { Cell::new(0) };
    /// The agent whose callback runs on this thread, the innermost; else 0.
    static DELIVERED: Cell<u64> = const { Cell::new(0) };
}

/// Whether the thread is inside a callback of any agent, where nothing may wait.
pub(super) fn in_callback() -> bool {
    CALLBACKS.get() > 0
}

/// The agent whose callback runs on this thread, else 0.
pub(super) fn delivered() -> u64 {
    DELIVERED.get()
}

/// Runs a callback of the host for an agent.
pub(crate) fn callback(agent: u64, call: impl FnOnce()) {
    let (outer, depth) = (DELIVERED.replace(agent), CALLBACKS.get());
    CALLBACKS.set(depth.saturating_add(1));
    outside(call);
    CALLBACKS.set(depth);
    DELIVERED.set(outer);
}

/// Runs release functions where they may run: as callbacks.
pub(crate) fn run_releases(releases: &ReleaseQueue) {
    if releases.is_waiting() {
        callback(delivered(), || releases.run());
    }
}

/// What a caller wants to drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    /// Events: dispatch.
    Events,
    /// Network and events: run_once.
    Both,
}

/// A driver inside dispatch or run_once; leaves also when it is thrown out.
pub(crate) struct Driver {
    cell: &'static AgentCell,
    drive: Drive,
}

impl Driver {
    /// Errors: busy.
    pub(crate) fn enter(agent: sipdlg_agent_t, drive: Drive) -> Result<Self> {
        let cell = handle::find(agent, Kind::Agent)?;
        cell.enter(agent, drive)?;
        Ok(Self { cell, drive })
    }

    /// Whose it is.
    pub(crate) fn cell(&self) -> &'static AgentCell {
        self.cell
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.cell.leave(true, self.drive == Drive::Both);
    }
}

pub(super) fn busy() -> Error {
    Error::new(ErrorKind::Busy, "the agent is being driven already, by a call further out or by another thread")
}

impl AgentCell {
    /// Enters as a driver. Errors: busy, nested or on another thread.
    fn enter(&'static self, token: u64, drive: Drive) -> Result<()> {
        self.look(|inner| {
            inner.check_token(token)?;
            if inner.delivering || inner.ending || drive == Drive::Both && inner.networking {
                return Err(busy());
            }
            if drive == Drive::Both && matches!(inner.clock, Clock::Manual(_)) {
                return Err(Error::state("run_once goes by the system's clock; this agent has a manual one"));
            }
            inner.delivering = true;
            inner.networking |= drive == Drive::Both;
            inner.drivers += 1;
            Ok(())
        })
    }

    /// The driver leaves; the last one of an agent that is to end ends it.
    fn leave(&'static self, delivered: bool, networked: bool) {
        self.depart(delivered, networked, 0);
    }

    pub(super) fn depart(&'static self, delivered: bool, networked: bool, threads: u32) {
        let mut place = self.inner.lock();
        // Release functions never run on the network's thread. It is stopped by now, and leaves first.
        let first = |inner: &Inner| inner.ending && !networked && inner.running > threads;
        while !in_callback() && place.as_deref().is_some_and(first) {
            self.changed.wait(&mut place);
        }
        let Some(inner) = place.as_deref_mut() else { return };
        inner.running = inner.running.saturating_sub(threads);
        inner.delivering &= !delivered;
        inner.networking &= !networked;
        inner.drivers = inner.drivers.saturating_sub(1);
        if inner.event_fd.is_open() {
            inner.set_level();
        }
        if inner.ending && inner.drivers == 0 && inner.freers == 0 {
            if threads > 0 && networked && self.end_elsewhere(inner.token) {
                return;
            }
            self.end(place);
        } else {
            drop(place);
            self.changed.notify_all();
        }
    }

    /// Freed inside a callback that could not wait for the network's thread, which leaves last and runs nothing of the
    /// host's: another thread ends the agent. False: none can be had.
    fn end_elsewhere(&'static self, token: u64) -> bool {
        #[cfg(feature = "runtime")]
        return crate::runtime::spawn("sipdlg-release", crate::runtime::DELIVERY_STACK, move || {
            let place = self.inner.lock();
            if place.as_deref().is_some_and(|inner| inner.token == token) {
                self.end(place);
            }
        })
        .is_some();
        #[cfg(not(feature = "runtime"))]
        {
            let _ = token;
            false
        }
    }

    /// After a turn of a driver, whose own calls tell no more than that the agent is over. Errors: defunct.
    #[cfg(feature = "runtime")]
    pub(crate) fn still_works(&self) -> Result<()> {
        self.check()
    }

    /// Where sockets are the library's: what callbacks made goes out.
    pub(crate) fn send_what_waits(&'static self, token: u64) {
        #[cfg(feature = "runtime")]
        {
            let network = self.look(|inner| {
                inner.check_token(token)?;
                let ours = inner.networking && inner.core.has_transmits();
                Ok(inner.network.as_ref().filter(|_| ours).map(Arc::clone))
            });
            if let Ok(Some(network)) = network {
                network.flush(self);
            }
        }
        let _ = token;
    }
}

impl Inner {
    /// Whether a thread of the runtime or run_once sends what waits.
    pub(crate) fn is_networked(&self) -> bool {
        self.networking
    }

    /// Whether somebody delivers events now.
    pub(crate) fn is_delivered(&self) -> bool {
        self.delivering
    }

    /// Whether the agent is to be freed: nothing more is delivered.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending
    }

    pub(super) fn stop_threads(&mut self) {
        #[cfg(feature = "runtime")]
        if self.running > 0
            && let Some(network) = &self.network
        {
            network.stop();
        }
    }
}
