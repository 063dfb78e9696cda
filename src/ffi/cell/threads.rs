//! The place of an agent as the runtime sees it: its network, its threads.

use super::drivers::{busy, in_callback};
use super::trim::give_back_pages;
use super::{AgentCell, Clock, Inner};
use crate::agent::Agent;
use crate::error::{Error, Result};
use crate::ffi::event::deliver;
use crate::ffi::guard::contain;
use crate::ffi::handle::stale;
use crate::ffi::reserve;
use crate::runtime::{Host, Network, Threads};
use crate::time::Now;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl AgentCell {
    /// The network of the agent, made when first asked for.
    pub(crate) fn network(&'static self, token: u64) -> Result<Arc<Network>> {
        self.look(|inner| {
            inner.check_token(token)?;
            if let Some(network) = &inner.network {
                return Ok(Arc::clone(network));
            }
            let network = Arc::new(Network::new(inner.core.config())?);
            #[cfg(feature = "tls")]
            if let Some(security) = inner.security.take() {
                network.set_tls(security);
            }
            self.descriptors.set_wake(network.wake_fd());
            inner.network = Some(Arc::clone(&network));
            Ok(network)
        })
    }

    /// sipdlg_agent_start(), its arguments checked.
    pub(crate) fn start(&'static self, token: u64, deliver: bool) -> Result<()> {
        let network = self.network(token)?;
        let (former, begun, failed) = self.look(|inner| {
            inner.check_token(token)?;
            if matches!(inner.clock, Clock::Manual(_)) {
                return Err(Error::state("start goes by the system's clock; this agent has a manual one"));
            }
            if inner.running > 0 {
                return Err(Error::state("the agent is started already"));
            }
            if inner.networking || inner.ending || deliver && inner.delivering {
                return Err(busy());
            }
            inner.run += 1;
            inner.running = 1 + u32::from(deliver);
            inner.drivers += inner.running;
            inner.networking = true;
            inner.delivering |= deliver;
            // Still locked: whoever stops or frees finds all threads of a run, and none of the next.
            let threads = network.start(self, deliver);
            let (begun, failed) = (!threads.is_empty(), threads.failed());
            if failed {
                network.stop();
            }
            Ok((inner.threads.replace(threads), begun, failed))
        })?;
        // Those of a start before have left; only their last breath may be outstanding.
        former.map(Threads::join).unwrap_or_default();
        if failed {
            // Whoever delivers leaves last.
            self.leave_thread(false);
            if deliver && !begun {
                self.leave_thread(true);
            }
            // What pthread_create(3) has to say when no thread can be had.
            return Err(Error::system(&std::io::Error::from_raw_os_error(libc::EAGAIN)));
        }
        Ok(())
    }

    /// sipdlg_agent_stop().
    pub(crate) fn stop(&'static self, token: u64) -> Result<()> {
        self.check()?;
        let mut place = self.inner.lock();
        let inner = place.as_deref_mut().ok_or_else(stale)?;
        inner.check_token(token)?;
        inner.stop_threads();
        if in_callback() {
            return Ok(());
        }
        let threads = inner.threads.take();
        // Another thread may start the next run before this one looks again.
        let run = inner.run;
        let runs = |inner: &Inner| inner.token == token && inner.run == run && inner.running > 0;
        while place.as_deref().is_some_and(runs) {
            self.changed.wait(&mut place);
        }
        drop(place);
        threads.map(Threads::join).unwrap_or_default();
        Ok(())
    }

    fn leave_thread(&'static self, delivered: bool) {
        self.depart(delivered, !delivered, 1);
    }
}

impl Host for AgentCell {
    fn with_agent<T>(&'static self, run: impl FnOnce(&mut Agent, Now) -> T) -> Option<T> {
        // Its callers hold locks of the runtime at times: what a call outside would send or log at once, they do later.
        contain(|| {
            let mut opened = self.open()?;
            let now = opened.inner.clock.now();
            let result = run(&mut opened.inner.core, now);
            opened.settle(false, false);
            Ok(result)
        })
        .ok()
    }

    fn deliver(&'static self) {
        // A defect ends the agent, and with it the driver, in its next locked section.
        let _ = contain(|| {
            deliver(self);
            Ok(())
        });
    }

    fn log(&'static self) {
        if self.logs.load(Ordering::Relaxed) {
            // Who calls this has just sent what the sockets take. To send from here would be to log again, and so on for
            // as long as a socket takes no more.
            let _ = contain(|| {
                self.open()?.settle(true, false);
                Ok(())
            });
        }
    }

    fn trim(&'static self) {
        self.with_agent(|agent, _| agent.trim());
        give_back_pages();
    }

    fn has_memory(&self) -> bool {
        reserve::is_whole()
    }

    fn is_owed(&'static self) -> bool {
        contain(|| self.look(|inner| Ok(inner.releases.is_waiting()))).unwrap_or(false)
    }

    fn leave(&'static self, delivered: bool) {
        self.leave_thread(delivered);
    }

    fn is_woken(&self) -> bool {
        self.descriptors.is_woken()
    }

    fn clear_woken(&self) {
        self.descriptors.clear_woken();
    }
}
