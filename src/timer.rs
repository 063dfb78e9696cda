//! One timing wheel for everything that waits.
//!
//! A hierarchical wheel of 64 slots a turn, from one microsecond up to the end of time, with the *exact* next deadline.
//! Unlike the classic one it does not turn: a slot stays a plain list until the earliest deadline lies in it and the
//! list is long; then the slot is unrolled into a finer wheel of its own. So arming and stopping cost the walk down a
//! handful of wheels however many timers live, an entry is moved at most once for each level, a timer that is stopped
//! early (most of them) is never moved, and no deadline is ever rounded.

pub mod slab;

use crate::time::Time;
use slab::{Key, Slab};
use std::fmt;

/// Bits of the deadline that one wheel decides.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
/// The wheel whose slots are so wide that it holds every `u64`.
const TOP: u32 = 63 / BITS;
/// A list up to this long is searched, a longer one unrolled.
const SHORT: usize = 8;
/// No entry, no wheel.
const NONE: u32 = u32::MAX;

/// The name of an armed timer; unknown once it was stopped or came due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId(Key);

#[derive(Clone)]
struct Entry<T> {
    at: u64,
    previous: u32,
    next: u32,
    turn: u32,
    value: T,
}

/// A list in the order of arming; of an unrolled slot `head` is the finer wheel.
#[derive(Clone, Copy)]
struct Slot {
    head: u32,
    tail: u32,
}

const EMPTY: Slot = Slot { head: NONE, tail: NONE };

/// One wheel: the slots of one digit of the deadline.
#[derive(Clone)]
struct Turn {
    level: u32,
    parent: u32,
    /// In which slot of `parent` it lies.
    place: usize,
    occupied: u64,
    unrolled: u64,
    slots: [Slot; SLOTS],
}

impl Turn {
    fn new(level: u32, parent: u32, place: usize) -> Box<Self> {
        Box::new(Self { level, parent, place, occupied: 0, unrolled: 0, slots: [EMPTY; SLOTS] })
    }

    fn slot(&self, place: usize) -> Slot {
        self.slots.get(place).copied().unwrap_or(EMPTY)
    }

    fn set(&mut self, place: usize, slot: Slot) {
        if let Some(old) = self.slots.get_mut(place) {
            *old = slot;
        }
    }

    fn is_unrolled(&self, place: usize) -> bool {
        self.unrolled & (1 << place) != 0
    }
}

/// The timers of one agent, each with a small value that says what it is for.
#[derive(Clone)]
pub struct Wheel<T: Copy> {
    entries: Slab<Entry<T>>,
    turns: Slab<Box<Turn>>,
    root: u32,
    /// The earliest deadline and its entry.
    next: Option<(u64, u32)>,
}

/// The timers in the order in which they come due; not how they are stored.
impl<T: Copy + fmt::Debug> fmt::Debug for Wheel<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, turns: _, root: _, next: _ } = self;
        let mut timers: Vec<_> = entries.iter().collect();
        timers.sort_by_key(|(key, entry)| (entry.at, key.generation()));
        let timers = timers.iter().map(|(key, entry)| (Time::from_micros(entry.at), TimerId(*key), entry.value));
        formatter.debug_list().entries(timers).finish()
    }
}

impl<T: Copy> Wheel<T> {
    /// An empty wheel. Times may lie before `now`; it only sizes the coarsest turn.
    pub fn new(now: Time) -> Self {
        let mut turns = Slab::new();
        let level = level_of(now.as_micros());
        let root = turns.insert(Turn::new(level, NONE, 0)).index();
        Self { entries: Slab::new(), turns, root, next: None }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.entries.bytes() + self.turns.bytes() + self.turns.len() * size_of::<Turn>()
    }

    /// How many timers are armed.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Gives back the room that nothing needs now.
    pub fn trim(&mut self) {
        self.entries.trim();
        self.turns.trim();
    }

    /// Arms a timer for `at`, which may have passed: then it is due at once.
    pub fn arm(&mut self, at: Time, value: T) -> TimerId {
        let at = at.as_micros();
        let key = self.entries.insert(Entry { at, previous: NONE, next: NONE, turn: NONE, value });
        self.raise_root(level_of(at));
        let mut turn = self.root;
        while let Some(wheel) = self.turns.at(turn) {
            let place = digit(at, wheel.level);
            if !wheel.is_unrolled(place) {
                self.append(turn, place, key.index());
                break;
            }
            turn = wheel.slot(place).head;
        }
        if self.next.is_none_or(|(earliest, _)| at < earliest) {
            self.next = Some((at, key.index()));
        }
        TimerId(key)
    }

    /// Stops a timer; false when it had come due or was stopped before.
    pub fn stop(&mut self, timer: TimerId) -> bool {
        if self.entries.get(timer.0).is_none() {
            return false;
        }
        self.take(timer.0.index());
        true
    }

    /// The earliest deadline, exactly.
    pub fn next(&self) -> Option<Time> {
        self.next.map(|(at, _)| Time::from_micros(at))
    }

    /// The earliest timer that is due at `now`, with its deadline. Of one deadline, those armed first come first.
    pub fn pop_due(&mut self, now: Time) -> Option<(Time, T)> {
        let (at, entry) = self.next.filter(|(at, _)| *at <= now.as_micros())?;
        let value = self.take(entry)?;
        Some((Time::from_micros(at), value))
    }

    /// Removes an entry and whatever wheels it leaves empty.
    fn take(&mut self, index: u32) -> Option<T> {
        let entry = self.entries.remove_at(index)?;
        let mut turn = entry.turn;
        let level = self.turns.at(turn).map_or(0, |wheel| wheel.level);
        let mut place = digit(entry.at, level);
        if let Some(previous) = self.entries.at_mut(entry.previous) {
            previous.next = entry.next;
        }
        if let Some(next) = self.entries.at_mut(entry.next) {
            next.previous = entry.previous;
        }
        let mut emptied = false;
        if let Some(wheel) = self.turns.at_mut(turn) {
            let mut slot = wheel.slot(place);
            if entry.previous == NONE {
                slot.head = entry.next;
            }
            if entry.next == NONE {
                slot.tail = entry.previous;
            }
            wheel.set(place, slot);
            emptied = slot.head == NONE;
        }
        while emptied {
            let Some(wheel) = self.turns.at_mut(turn) else { break };
            wheel.set(place, EMPTY);
            wheel.occupied &= !(1 << place);
            wheel.unrolled &= !(1 << place);
            let above = (wheel.parent, wheel.place);
            emptied = wheel.occupied == 0 && turn != self.root;
            if emptied {
                self.turns.remove_at(turn);
                (turn, place) = above;
            }
        }
        if self.next.is_some_and(|(_, earliest)| earliest == index) {
            self.next = self.earliest();
        }
        Some(entry.value)
    }

    /// Finds the earliest entry, unrolling on the way what is long.
    fn earliest(&mut self) -> Option<(u64, u32)> {
        let mut turn = self.root;
        loop {
            let wheel = self.turns.at(turn)?;
            if wheel.occupied == 0 {
                return None;
            }
            let place = wheel.occupied.trailing_zeros() as usize;
            let slot = wheel.slot(place);
            if wheel.is_unrolled(place) {
                turn = slot.head;
                continue;
            }
            // The finest slot is one microsecond wide: whoever was armed first is first.
            let search = if wheel.level == 0 { 1 } else { SHORT };
            let mut best: Option<(u64, u32)> = None;
            let mut index = slot.head;
            for _ in 0..search {
                let Some(entry) = self.entries.at(index) else { break };
                if best.is_none_or(|(at, _)| entry.at < at) {
                    best = Some((entry.at, index));
                }
                index = entry.next;
            }
            if wheel.level == 0 || index == NONE {
                return best;
            }
            turn = self.unroll(turn, place);
        }
    }

    /// Spreads a slot over a finer wheel of its own; keeps the order of arming.
    fn unroll(&mut self, turn: u32, place: usize) -> u32 {
        let Some(wheel) = self.turns.at(turn) else { return turn };
        let (level, mut index) = (wheel.level.saturating_sub(1), wheel.slot(place).head);
        let finer = self.turns.insert(Turn::new(level, turn, place)).index();
        if let Some(wheel) = self.turns.at_mut(turn) {
            wheel.set(place, Slot { head: finer, tail: NONE });
            wheel.unrolled |= 1 << place;
        }
        while let Some(entry) = self.entries.at(index) {
            let (at, next) = (entry.at, entry.next);
            self.append(finer, digit(at, level), index);
            index = next;
        }
        finer
    }

    fn append(&mut self, turn: u32, place: usize, index: u32) {
        let Some(wheel) = self.turns.at_mut(turn) else { return };
        let slot = wheel.slot(place);
        wheel.set(place, Slot { head: if slot.head == NONE { index } else { slot.head }, tail: index });
        wheel.occupied |= 1 << place;
        if let Some(previous) = self.entries.at_mut(slot.tail) {
            previous.next = index;
        }
        if let Some(entry) = self.entries.at_mut(index) {
            (entry.previous, entry.next, entry.turn) = (slot.tail, NONE, turn);
        }
    }

    /// Puts coarser wheels above the root until `level` is there. All that lives below has zeros in the new digits.
    fn raise_root(&mut self, level: u32) {
        while let Some(root) = self.turns.at(self.root) {
            if root.level >= level {
                break;
            }
            let (lower, occupied) = (self.root, root.occupied != 0);
            let mut wheel = Turn::new(root.level + 1, NONE, 0);
            if occupied {
                wheel.set(0, Slot { head: lower, tail: NONE });
                (wheel.occupied, wheel.unrolled) = (1, 1);
            }
            self.root = self.turns.insert(wheel).index();
            if occupied {
                if let Some(lower) = self.turns.at_mut(lower) {
                    lower.parent = self.root;
                }
            } else {
                self.turns.remove_at(lower);
            }
        }
    }
}

/// The slot of `at` in a wheel of `level`.
const fn digit(at: u64, level: u32) -> usize {
    (at >> (level * BITS)) as usize % SLOTS
}

/// The finest wheel that holds every time up to `at`.
const fn level_of(at: u64) -> u32 {
    let level = (63 - (at | 1).leading_zeros()) / BITS;
    if level > TOP { TOP } else { level }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::random::Random;

    const fn at(micros: u64) -> Time {
        Time::from_micros(micros)
    }

    #[test]
    fn timers_come_in_the_order_of_time_then_of_arming() {
        let mut wheel = Wheel::new(at(1_000));
        for (micros, value) in [(5_000, 'c'), (4_999, 'a'), (5_000, 'd'), (u64::MAX, 'z'), (10, 'p'), (4_999, 'b')] {
            wheel.arm(at(micros), value);
        }
        assert_eq!(wheel.next(), Some(at(10)));
        assert_eq!(wheel.pop_due(at(9)), None);
        let mut order = Vec::new();
        while let Some((_, value)) = wheel.pop_due(at(5_000)) {
            order.push(value);
        }
        assert_eq!(order, ['p', 'a', 'b', 'c', 'd']);
        assert_eq!((wheel.len(), wheel.next()), (1, Some(at(u64::MAX))));
    }

    #[test]
    fn a_stopped_timer_never_comes_and_stops_once() {
        let mut wheel = Wheel::new(at(0));
        let one = wheel.arm(at(10), 1);
        let two = wheel.arm(at(20), 2);
        assert!(wheel.stop(one));
        assert!(!wheel.stop(one));
        assert_eq!(wheel.next(), Some(at(20)));
        let three = wheel.arm(at(15), 3);
        assert!(!wheel.stop(one));
        assert_eq!(wheel.pop_due(at(30)), Some((at(15), 3)));
        assert_eq!(wheel.pop_due(at(30)), Some((at(20), 2)));
        assert!(!wheel.stop(two) && !wheel.stop(three));
        assert!(wheel.is_empty());
    }

    /// Against a sorted map, in four climates: everything at once, calls, hours, and the whole range.
    #[test]
    fn the_wheel_agrees_with_a_sorted_map() {
        for (seed, span) in [(1, 20), (2, 32_000_000), (3, 5_000_000_000_000), (4, u64::MAX)] {
            let mut random = Random::from_seed(Random::seed_from_number(seed));
            let mut now = random.below(1 << 44);
            let mut wheel = Wheel::new(at(now));
            let mut model: BTreeMap<(u64, u64), TimerId> = BTreeMap::new();
            let mut armed: Vec<(u64, u64, TimerId)> = Vec::new();
            for number in 0..60_000u64 {
                match random.below(10) {
                    // Growing, then shrinking populations.
                    0..=4 if number % 20_000 < 12_000 => {
                        let common = [500_000, 4_000_000, 32_000_000][random.below(3) as usize];
                        let due = match random.below(8) {
                            0 => now.saturating_add(common),
                            1 => now.saturating_sub(random.below(1_000_000)),
                            _ => now.saturating_add(random.below(span)),
                        };
                        let id = wheel.arm(at(due), number);
                        model.insert((due, number), id);
                        armed.push((due, number, id));
                    }
                    5..=6 if !armed.is_empty() => {
                        let (due, key, id) = armed.swap_remove(random.below(armed.len() as u64) as usize);
                        assert_eq!(wheel.stop(id), model.remove(&(due, key)).is_some());
                    }
                    // Stopping the earliest again and again is what unrolling is for.
                    7 => {
                        if let Some((_, id)) = model.pop_first() {
                            assert!(wheel.stop(id));
                        }
                    }
                    _ => {
                        now = now.saturating_add(random.below((span / 500).max(2)));
                        for _ in 0..random.below(6) {
                            let due = model.first_key_value().map(|(key, _)| *key).filter(|(due, _)| *due <= now);
                            assert_eq!(wheel.pop_due(at(now)), due.map(|(due, key)| (at(due), key)));
                            if let Some(key) = due {
                                model.remove(&key);
                            }
                        }
                    }
                }
                assert_eq!(wheel.next(), model.first_key_value().map(|((due, _), _)| at(*due)));
                assert_eq!(wheel.len(), model.len());
            }
            while let Some(((due, key), _)) = model.pop_first() {
                assert_eq!(wheel.pop_due(at(u64::MAX)), Some((at(due), key)));
            }
            assert!(wheel.is_empty() && wheel.next().is_none());
            assert_eq!(wheel.turns.len(), 1, "every finer wheel is given back");
        }
    }

    #[test]
    fn memory_is_given_back_after_a_peak() {
        let mut wheel = Wheel::new(at(0));
        let mut random = Random::from_seed([5; 32]);
        let ids: Vec<TimerId> = (0..100_000u32).map(|number| wheel.arm(at(random.below(32_000_000)), number)).collect();
        let keep = ids[99_999];
        for id in &ids[..99_999] {
            assert!(wheel.stop(*id));
        }
        assert!(wheel.entries.capacity() <= 128 && wheel.turns.len() <= 1 + TOP as usize);
        assert!(wheel.stop(keep));
    }

    /// Ten thousand timers of one microsecond are unrolled once, not searched ten thousand times.
    #[test]
    fn many_timers_of_one_deadline_keep_their_order() {
        let mut wheel = Wheel::new(at(1 << 40));
        for number in 0..10_000 {
            wheel.arm(at((1 << 40) + 32_000_000), number);
        }
        for number in 0..10_000 {
            assert_eq!(wheel.pop_due(at(1 << 41)), Some((at((1 << 40) + 32_000_000), number)));
        }
    }
}
