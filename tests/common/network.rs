//! A network in memory with virtual time: delay, loss, duplication, reordering, all from one seed; and the clock.

use super::sip::Sip;
use super::wire::{Timers, Trace};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Decides by sender's name and message whether to lose or fail it.
pub type Fate = Box<dyn FnMut(&str, &Sip) -> bool>;

/// Whoever takes part.
pub trait Side {
    fn number(&self) -> usize;
    fn set_now(&mut self, now: u64);
    fn receive(&mut self, source: SocketAddr, bytes: &[u8]);
    fn handle_timeout(&mut self);
    fn next_timeout(&self) -> Option<u64>;
    /// Lets everything out that waits; true when there was something.
    fn drain(&mut self, wire: &mut Wire) -> bool;
}

/// The wire between the sides.
pub struct Wire {
    pub trace: Trace,
    /// µs since the start.
    pub now: u64,
    /// Shortest and longest time on the way, in µs; they differ: messages overtake each other.
    pub delay: (u64, u64),
    /// Lost messages in a thousand.
    pub loss: u64,
    /// Messages in a thousand that arrive twice.
    pub duplication: u64,
    /// Loses what it says true to; before chance has its say.
    pub lose: Option<Fate>,
    /// Tells the sender that it could not be sent.
    pub fail: Option<Fate>,
    /// The same for all that goes there.
    pub unreachable: Vec<SocketAddr>,
    random: u64,
    flying: BinaryHeap<Reverse<(u64, usize, usize)>>,
    count: usize,
}

impl Wire {
    pub fn new(seed: u64) -> Self {
        Self {
            trace: Trace::new(Timers { t1: 500_000, t2: 4_000_000 }),
            now: 0,
            delay: (1_000, 1_000),
            loss: 0,
            duplication: 0,
            lose: None,
            fail: None,
            unreachable: Vec::new(),
            random: seed,
            flying: BinaryHeap::new(),
            count: 0,
        }
    }

    /// SplitMix64.
    pub fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below.max(1)
    }

    /// Puts a message on the wire; false: it could not be sent.
    pub fn send(&mut self, from: usize, target: SocketAddr, bytes: Arc<[u8]>, reliable: bool) -> bool {
        let number = self.trace.sent(self.now, from, target, bytes, reliable);
        let name = self.trace.parties[from].name.clone();
        if self.unreachable.contains(&target) {
            self.trace.datagrams[number].failed = true;
            return false;
        }
        if let Ok(sip) = &self.trace.datagrams[number].sip {
            if self.fail.as_mut().is_some_and(|fail| fail(&name, sip)) {
                self.trace.datagrams[number].failed = true;
                return false;
            }
            if self.lose.as_mut().is_some_and(|lose| lose(&name, sip)) {
                return true;
            }
        }
        if self.trace.datagrams[number].to.is_none() || self.random(1_000) < self.loss {
            return true;
        }
        let copies = if self.random(1_000) < self.duplication { 2 } else { 1 };
        for _ in 0..copies {
            let due = self.now + self.delay.0 + self.random(self.delay.1 - self.delay.0 + 1);
            self.count += 1;
            self.flying.push(Reverse((due, self.count, number)));
        }
        true
    }

    /// Loses the next `count` messages of `name` that [`Sip::short`] calls `short`.
    pub fn lose_next(&mut self, name: &'static str, short: &'static str, count: usize) {
        let mut left = count;
        let mut former = self.lose.take();
        self.lose = Some(Box::new(move |sender, sip| {
            if former.as_mut().is_some_and(|former| former(sender, sip)) {
                return true;
            }
            let hit = left > 0 && sender == name && sip.short() == short;
            left -= usize::from(hit);
            hit
        }));
    }

    /// Loses everything of `name` that [`Sip::short`] calls `short`.
    pub fn lose_all(&mut self, name: &'static str, short: &'static str) {
        self.lose_next(name, short, usize::MAX);
    }

    /// Delivers all that is under way; time passes as far as that needs.
    pub fn exchange(&mut self, sides: &mut [&mut dyn Side]) {
        self.settle(sides);
        while let Some(Reverse((due, ..))) = self.flying.peek().copied() {
            self.step(sides, due);
        }
    }

    /// Lets time pass.
    pub fn advance(&mut self, sides: &mut [&mut dyn Side], span: Duration) {
        let end = self.now + u64::try_from(span.as_micros()).expect("a span that fits");
        self.settle(sides);
        while let Some(due) = self.next(sides).filter(|due| *due <= end) {
            self.step(sides, due);
        }
        self.set_now(sides, end);
        self.trace.end = self.trace.end.max(end);
    }

    /// Lets time pass until nothing is under way and no timer runs; panics when that takes more than `limit`.
    pub fn run_until_idle(&mut self, sides: &mut [&mut dyn Side], limit: Duration) {
        let end = self.now + u64::try_from(limit.as_micros()).expect("a span that fits");
        self.settle(sides);
        while let Some(due) = self.next(sides) {
            assert!(due <= end, "not idle after {limit:?}\n{}", self.trace.ladder(None));
            self.step(sides, due);
        }
        self.trace.end = self.trace.end.max(self.now);
    }

    fn next(&self, sides: &[&mut dyn Side]) -> Option<u64> {
        let arrival = self.flying.peek().map(|Reverse((due, ..))| *due);
        sides.iter().filter_map(|side| side.next_timeout()).chain(arrival).min()
    }

    /// One arrival, or the timers of the next deadline, at or before `limit`.
    fn step(&mut self, sides: &mut [&mut dyn Side], limit: u64) {
        let due = self.next(sides).map_or(limit, |due| due.min(limit)).max(self.now);
        let standing = due == self.now;
        self.set_now(sides, due);
        let arrival = self.flying.peek().copied().filter(|Reverse((at, ..))| *at <= due);
        if let Some(Reverse((_, _, number))) = arrival {
            self.flying.pop();
            self.trace.delivered(self.now, number);
            let datagram = &self.trace.datagrams[number];
            let (bytes, source) = (datagram.bytes.clone(), self.trace.parties[datagram.from].address);
            let to = datagram.to;
            if let Some(side) = sides.iter_mut().find(|side| Some(side.number()) == to) {
                side.receive(source, &bytes);
            }
        } else {
            for side in sides.iter_mut().filter(|side| side.next_timeout().is_some_and(|at| at <= due)) {
                side.handle_timeout();
                let still = side.next_timeout().is_some_and(|at| at <= due);
                assert!(!(still && standing), "a timer that is due again and again at {due} µs");
            }
        }
        self.settle(sides);
    }

    fn set_now(&mut self, sides: &mut [&mut dyn Side], now: u64) {
        self.now = now;
        sides.iter_mut().for_each(|side| side.set_now(now));
    }

    /// Drains every side until all are empty.
    pub fn settle(&mut self, sides: &mut [&mut dyn Side]) {
        for round in 0.. {
            assert!(round < 10_000, "the sides never fall silent");
            let mut busy = false;
            for side in sides.iter_mut() {
                busy |= side.drain(self);
            }
            if !busy {
                return;
            }
        }
    }
}
