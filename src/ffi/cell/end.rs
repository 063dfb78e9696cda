//! How an agent ends: freed, at once or by its last driver, or left behind in the parent process.

use super::drivers::{in_callback, run_releases};
use super::{AgentCell, Inner};
use crate::error::Result;
use crate::ffi::guard::contain;
use crate::ffi::handle::{self, LAST_GENERATION, parts, process_stamp, stale};
#[cfg(feature = "runtime")]
use crate::runtime::{Resolver, Threads};
use parking_lot::MutexGuard;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl AgentCell {
    /// sipdlg_agent_free().
    pub(crate) fn free(&'static self, token: u64) -> Result<()> {
        if self.stamp.load(Ordering::Relaxed) != process_stamp() {
            return self.abandon(token);
        }
        let mut place = self.inner.lock();
        let inner = place.as_deref_mut().ok_or_else(stale)?;
        inner.check_token(token)?;
        inner.ending = true;
        if in_callback() {
            if inner.drivers == 0 {
                self.end(place);
            } else {
                // Whoever drives ends it on leaving.
                inner.stop_threads();
                self.rouse_all(inner);
            }
            return Ok(());
        }
        // Also those that a stop from inside a callback could not wait for.
        #[cfg(feature = "runtime")]
        let threads = inner.threads.take();
        if inner.drivers > 0 {
            inner.stop_threads();
            self.rouse_all(inner);
        }
        // Who waits here ends it: release functions run inside this call, not on whichever thread leaves last.
        inner.freers += 1;
        while place.as_deref().is_some_and(|inner| inner.token == token && inner.drivers > 0) {
            self.changed.wait(&mut place);
        }
        #[cfg(feature = "runtime")]
        let mut resolver = None;
        if let Some(inner) = place.as_deref().filter(|inner| inner.token == token) {
            #[cfg(feature = "runtime")]
            {
                resolver = inner.network.as_ref().and_then(|network| network.take_resolver());
            }
            let _ = inner;
            self.end(place);
        } else {
            // Another call of this function was first.
            while self.gone.load(Ordering::Relaxed) < parts(token).1 {
                self.changed.wait(&mut place);
            }
            drop(place);
        }
        #[cfg(feature = "runtime")]
        {
            threads.map(Threads::join).unwrap_or_default();
            resolver.map(Resolver::join).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes the tenant out; its release functions run with nothing locked.
    pub(super) fn end(&'static self, mut place: MutexGuard<'_, Option<Box<Inner>>>) {
        let Some(inner) = place.take() else { return };
        let generation = parts(inner.token).1;
        self.token.store(0, Ordering::SeqCst);
        self.descriptors.forget();
        self.base.store(inner.highest, Ordering::Relaxed);
        let used_up = inner.highest > LAST_GENERATION / 2 || self.tenants.load(Ordering::Relaxed) >= LAST_GENERATION;
        drop(place);
        self.descriptors.wait_for_wakers();
        inner.taps().close(!in_callback());
        let releases = Arc::clone(&inner.releases);
        // After a defect the core may be in any state, and its destructor too.
        let _ = contain(|| {
            drop(inner);
            Ok(())
        });
        run_releases(&releases);
        // Under the lock, so that whoever has just looked is waiting by now.
        let place = self.inner.lock();
        self.gone.store(generation, Ordering::Relaxed);
        drop(place);
        self.changed.notify_all();
        handle::release(self.slot, used_up);
    }

    /// In a child after fork(): frees memory, calls nothing, touches no thread and no other process's registrations.
    fn abandon(&'static self, token: u64) -> Result<()> {
        if self.token.load(Ordering::Relaxed) != token {
            return Err(stale());
        }
        // A thread of the parent may have held the lock; then nobody ever gives it back here.
        let Some(mut place) = self.inner.try_lock() else {
            self.token.store(0, Ordering::SeqCst);
            handle::release(self.slot, true);
            return Ok(());
        };
        self.token.store(0, Ordering::SeqCst);
        self.descriptors.forget();
        let inner = place.take();
        drop(place);
        #[cfg_attr(not(feature = "runtime"), allow(unused_mut))]
        if let Some(mut inner) = inner {
            self.base.store(inner.highest, Ordering::Relaxed);
            inner.releases.disown();
            inner.taps().abandon();
            #[cfg(feature = "runtime")]
            {
                inner.threads.take().map(Threads::forget).unwrap_or_default();
                let resolver = inner.network.as_ref().and_then(|network| network.take_resolver());
                resolver.map(Resolver::forget).unwrap_or_default();
            }
            let had_drivers = inner.drivers > 0;
            drop(inner);
            // Parked waiters of the parent's threads stand in the condition variable's queue only by address; the place
            // may be used again unless someone was inside.
            handle::release(self.slot, had_drivers);
        }
        Ok(())
    }

    fn rouse_all(&self, inner: &Inner) {
        self.descriptors.rouse();
        #[cfg(feature = "runtime")]
        if let Some(network) = &inner.network {
            network.rouse();
        }
        let _ = inner;
    }
}
