//! A world: two sides, and the link between them with what is on its way.

use crate::acts::{Act, Step};
use crate::past::{Message, Past};
use crate::side::{Input, START, Side, Stock};
use crate::state::{Scribe, digest};
use std::collections::VecDeque;
use std::sync::Arc;

/// RFC 3261 §17: no message is longer on the way than T4.
const T4: u64 = 5_000_000;

/// A message on the way.
#[derive(Clone)]
pub struct Flight {
    pub message: Message,
    sent: u64,
    /// Its number in the past.
    number: u32,
}

#[derive(Clone)]
pub struct World {
    pub now: u64,
    pub sides: [Arc<Side>; 2],
    /// On the way to each side, oldest first.
    pub link: [VecDeque<Flight>; 2],
    /// What was repeated or overtaken, and to whom.
    pub late: Vec<(u8, Flight)>,
    pub past: Past,
    /// The hosts have hung up.
    pub closing: bool,
}

impl World {
    /// Alice's INVITE is on its way.
    pub fn new(stock: &Stock<'_>) -> Self {
        let (sides, sent) = stock.beginning();
        let (link, late, past) = Default::default();
        let mut world = Self { now: START, sides, link, late, past, closing: false };
        world.send(0, &sent);
        world
    }

    /// The bound on what timers send was reached: nothing new is done from here on.
    pub fn is_over(&self, stock: &Stock<'_>) -> bool {
        self.sides.iter().any(|side| side.host().by_timer >= stock.plan.by_timer)
    }

    /// All that may happen next. Faults last.
    pub fn steps(&self, stock: &Stock<'_>, faults: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        let waiting: Vec<u8> = (0..2).filter(|to| !self.link[usize::from(*to)].is_empty()).collect();
        steps.extend(waiting.iter().map(|to| Step::Deliver(*to)));
        steps.extend((0..self.late.len()).filter(|at| !self.is_twin(*at)).map(|at| Step::Late(at as u8)));
        steps.extend(self.ticks());
        for side in 0..2u8 {
            let free = stock.plan.acts[usize::from(side)].iter().filter(|act| !self.is_done(side, **act));
            steps.extend(free.map(|act| Step::Act(side, *act)));
        }
        if faults {
            for to in waiting {
                steps.extend([Step::Lose(to), Step::Repeat(to), Step::Delay(to)]);
            }
        }
        steps
    }

    fn is_done(&self, side: u8, act: Act) -> bool {
        self.sides[usize::from(side)].host().done & act.bit() != 0
    }

    /// Whether it is the same as the one before it.
    fn is_twin(&self, at: usize) -> bool {
        at > 0 && {
            let ((to, flight), (former_to, former)) = (&self.late[at], &self.late[at - 1]);
            (to, flight.message.digest, flight.sent) == (former_to, former.message.digest, former.sent)
        }
    }

    /// Whose timers may come due: whoever is first, either when they come together. While messages are on the way no time
    /// passes: one that takes longer than the next timer is late.
    pub fn ticks(&self) -> impl Iterator<Item = Step> + use<> {
        let due = self.sides.each_ref().map(|side| side.next);
        let first = due.iter().flatten().min().copied();
        let flying = self.link.iter().any(|link| !link.is_empty());
        let first = first.filter(|first| !flying || *first == 0);
        (0..2u8).filter(move |side| first.is_some() && due[usize::from(*side)] == first).map(Step::Tick)
    }

    /// Does a step. False: an act that its agent refuses; nothing has changed.
    pub fn step(&mut self, step: Step, stock: &Stock<'_>, scribe: &mut Scribe) -> bool {
        match step {
            Step::Deliver(to) | Step::Repeat(to) | Step::Delay(to) | Step::Lose(to) => {
                let Some(flight) = self.link[usize::from(to)].pop_front() else { return false };
                if matches!(step, Step::Repeat(_) | Step::Delay(_)) {
                    self.be_late(to, flight.clone());
                }
                if matches!(step, Step::Deliver(_) | Step::Repeat(_)) {
                    self.deliver(to, flight, stock, scribe);
                }
                true
            }
            Step::Late(at) => {
                let (to, flight) = self.late.remove(usize::from(at));
                self.deliver(to, flight, stock, scribe);
                true
            }
            Step::Tick(number) => {
                let span = self.sides[usize::from(number)].next.unwrap_or(0);
                self.now += span;
                if span > 0 {
                    self.late.retain(|(_, flight)| flight.sent + T4 > self.now);
                    self.input(1 - number, Input::Pass(span), stock, scribe);
                }
                self.input(number, Input::Tick(span), stock, scribe)
            }
            Step::Act(number, act) => self.input(number, Input::Act(act), stock, scribe),
        }
    }

    fn be_late(&mut self, to: u8, flight: Flight) {
        let key = |(to, flight): &(u8, Flight)| (*to, flight.sent, flight.message.digest);
        let late = (to, flight);
        let at = self.late.partition_point(|other| key(other) < key(&late));
        self.late.insert(at, late);
    }

    fn deliver(&mut self, to: u8, flight: Flight, stock: &Stock<'_>, scribe: &mut Scribe) {
        self.past.delivered(self.now, to, flight.number, &flight.message);
        self.input(to, Input::Receive(flight.message), stock, scribe);
    }

    /// Hangs up whatever lives on a side.
    pub fn hang_up(&mut self, number: u8, stock: &Stock<'_>, scribe: &mut Scribe) {
        self.closing = true;
        self.input(number, Input::HangUp, stock, scribe);
    }

    fn input(&mut self, number: u8, input: Input, stock: &Stock<'_>, scribe: &mut Scribe) -> bool {
        let side = &mut self.sides[usize::from(number)];
        let Some(outcome) = side.input(input, stock, scribe) else { return false };
        *side = outcome.then;
        self.send(number, &outcome.sent);
        true
    }

    fn send(&mut self, from: u8, sent: &[Message]) {
        for message in sent {
            let number = self.past.sent(self.now, from, message);
            let flight = Flight { message: message.clone(), sent: self.now, number };
            self.link[usize::from(1 - from)].push_back(flight);
        }
    }

    /// All that decides what may happen from here on, in 128 bits.
    pub fn fingerprint(&self) -> u128 {
        let mut text = Vec::with_capacity(256);
        let mut add = |number: u128| text.extend_from_slice(&number.to_le_bytes());
        self.sides.iter().for_each(|side| add(side.fingerprint));
        for link in &self.link {
            add(link.len() as u128);
            link.iter().for_each(|flight| add(flight.message.digest));
        }
        for (to, flight) in &self.late {
            add(u128::from(*to));
            add(flight.message.digest);
            add(u128::from(self.now - flight.sent));
        }
        text.push(u8::from(self.closing));
        digest(&text)
    }
}
