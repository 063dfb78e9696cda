//! One turn: wait, take what is there, deliver, send.

use super::epoll::Ready;
use super::links::WAKE;
use super::network::{AWAKE, Found, Network};
use super::{Host, PAUSE};
use crate::agent::Agent;
use crate::error::{Error, ErrorKind, Result};
use crate::time::Now;
use std::io::Read;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// How often one turn reads.
const ROUNDS: usize = 4;

impl Network {
    /// One turn on the caller's thread: waits, handles what is there, delivers, sends. Errors: system.
    pub fn run_once<H: Host>(&self, host: &'static H, timeout: Option<Duration>) -> Result<()> {
        // What was called between two turns has left its output behind.
        self.flush(host);
        self.turn(host, timeout, true)
    }

    /// `delivers`: events are this thread's business too; else they do not keep it awake.
    pub(super) fn turn<H: Host>(&self, host: &'static H, timeout: Option<Duration>, delivers: bool) -> Result<()> {
        if !host.has_memory() {
            // Timers and sockets can wait; the next turn looks again.
            thread::sleep(PAUSE);
            return Ok(());
        }
        let wait = host.with_agent(|agent, now| {
            let behind = self.behind.load(Ordering::Relaxed);
            if agent.has_transmits() || behind || delivers && agent.has_events() || host.is_woken() {
                return Some(Duration::ZERO);
            }
            let (timer, deadline) = (agent.next_timeout(), self.links.next_deadline());
            let due = [timer, deadline].into_iter().flatten().min();
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
        let mut found = self.turn.lock();
        let Found { ready, buffer } = &mut *found;
        let waited = self.links.epoll.wait(wait, ready);
        self.sleeper.store(AWAKE, Ordering::Relaxed);
        waited?;
        host.clear_woken();
        let mut datagrams = self.behind.load(Ordering::Relaxed);
        // Who has UDP alone pays for nothing else.
        let streams = self.links.has_streams();
        for one in ready.iter().filter(|one| one.number != WAKE) {
            if !streams || self.stream_ready(host, one, buffer) {
                datagrams |= one.readable;
                if one.broken {
                    self.unreached(host, one.number);
                }
            }
        }
        if ready.iter().any(|one| one.number == WAKE) {
            let _ = (&self.wake).read(&mut [0; 8]);
        }
        let mut rounds = 0;
        loop {
            rounds += 1;
            let (more, live) = if datagrams { self.receive(host) } else { (false, None) };
            let live = if rounds == 1 { live.or_else(|| host.with_agent(due)) } else { None };
            if live.is_some_and(|live| self.peak.lock().ended(live)) {
                host.trim();
            }
            if delivers {
                host.deliver();
            }
            self.flush(host);
            if !more || rounds == ROUNDS {
                break;
            }
        }
        if streams {
            self.look_after_connections(host, ready);
        }
        Ok(())
    }

    /// After what waits was sent: last words, and those whose time has come.
    fn look_after_connections<H: Host>(&self, host: &'static H, ready: &[Ready]) {
        self.shut_finished(ready);
        if let Some(deadline) = self.links.next_deadline()
            && let Some(now) = host.with_agent(|_, now| now.monotonic)
            && deadline <= now
        {
            self.connections_due(host, now);
            self.flush(host);
        }
    }
}

/// Carries out what is due; how many objects live then.
pub(super) fn due(agent: &mut Agent, now: Now) -> usize {
    if agent.next_timeout().is_some_and(|due| due <= now.monotonic) {
        agent.handle_timeout(now);
    }
    agent.live()
}
