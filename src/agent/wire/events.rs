//! Events that wait for the host. In the order in which they arose; where many wait, what belongs to calls first.

use crate::agent::event::{Event, EventKind};
use crate::held;
use crate::shrink::Shrink;
use std::collections::VecDeque;

/// So many may wait before the order changes.
const BEHIND: usize = 64;
/// Each so many-th is the oldest all the same, so that nobody waits for ever.
const TURN: u32 = 8;

/// Two queues.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Of sessions, requests of ours and names that are looked up.
    first: Queue,
    /// Of requests of the peer out of dialogs, for which nobody has done anything yet.
    others: Queue,
    /// How many of the first were given since the oldest was.
    turn: u32,
    /// Bytes of the messages in them that no request of the peer's holds.
    messages: usize,
}

/// By rising number; `None` where an event was taken back.
#[derive(Clone, Debug, Default)]
struct Queue {
    events: VecDeque<(u64, Option<Event>)>,
    taken_back: usize,
}

impl Events {
    /// Queues an event, whose number is the highest so far. One that names a session, or will end one, never waits for
    /// those of strangers, so the order of a session's events is as they arose.
    pub fn push(&mut self, event: Event) {
        self.messages += message_bytes(&event);
        let stranger = event.incoming.is_some() && event.session.is_none() && event.replaces.is_none();
        let queue = if stranger { &mut self.others } else { &mut self.first };
        queue.events.push_back((event.id, Some(event)));
    }

    /// The next event for the host.
    pub fn next(&mut self) -> Option<Event> {
        let queue = if self.others.events.is_empty() { &mut self.first } else { self.whose_turn() };
        let event = queue.pop()?;
        self.messages -= message_bytes(&event);
        Some(event)
    }

    fn whose_turn(&mut self) -> &mut Queue {
        let behind = self.len() > BEHIND;
        match (self.first.oldest(), self.others.oldest()) {
            (Some(first), Some(other)) if first < other || behind && self.turn < TURN => {
                self.turn = self.turn.saturating_add(1);
                &mut self.first
            }
            (Some(_), None) => &mut self.first,
            _ => {
                self.turn = 0;
                &mut self.others
            }
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.first.len() + self.others.len()
    }

    /// Takes one back that nobody has seen yet.
    pub fn take_back(&mut self, id: u64) -> Option<Event> {
        let event = self.first.take_back(id).or_else(|| self.others.take_back(id))?;
        self.messages -= message_bytes(&event);
        Some(event)
    }

    /// Gives back what nothing needs now.
    pub fn trim(&mut self) {
        self.first.events.fit();
        self.others.events.fit();
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        held::queue(&self.first.events) + held::queue(&self.others.events) + self.messages
    }
}

impl Queue {
    fn len(&self) -> usize {
        self.events.len() - self.taken_back
    }

    /// The number of the oldest; what was taken back before it goes.
    fn oldest(&mut self) -> Option<u64> {
        while let Some((number, event)) = self.events.front() {
            if event.is_some() {
                return Some(*number);
            }
            self.events.pop_front();
            self.taken_back -= 1;
        }
        None
    }

    /// The oldest.
    fn pop(&mut self) -> Option<Event> {
        loop {
            let (_, event) = self.events.pop_front()?;
            self.events.ease();
            if event.is_some() {
                return event;
            }
            self.taken_back -= 1;
        }
    }

    fn take_back(&mut self, id: u64) -> Option<Event> {
        let at = self.events.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        let event = self.events.get_mut(at)?.1.take()?;
        self.taken_back += 1;
        // Holes never outnumber events by much, however long the host looks away.
        if self.taken_back > 64 && self.taken_back > self.events.len() / 2 {
            self.events.retain(|(_, event)| event.is_some());
            self.events.ease();
            self.taken_back = 0;
        }
        Some(event)
    }
}

/// A message that only its event holds: of a request of the peer's the CANCEL.
fn message_bytes(event: &Event) -> usize {
    let held_here = event.incoming.is_none() || event.kind == EventKind::Cancel;
    event.message.as_ref().filter(|_| held_here).map_or(0, |message| message.held())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::{IncomingId, SessionId};

    /// `s`: of a session, `n`: of a stranger, `r`: of a stranger who takes a session's place.
    fn queue(kinds: &str) -> Events {
        let mut events = Events::default();
        for (at, kind) in kinds.bytes().enumerate() {
            let mut event = Event::new(EventKind::Info);
            event.id = at as u64 + 1;
            event.incoming = Some(IncomingId::from_raw(event.id));
            event.session = (kind == b's').then(|| SessionId::from_raw(1));
            event.replaces = (kind == b'r').then(|| SessionId::from_raw(1));
            events.push(event);
        }
        events
    }

    fn order(events: &mut Events) -> Vec<u64> {
        std::iter::from_fn(|| events.next()).map(|event| event.id).collect()
    }

    #[test]
    fn few_come_as_they_arose() {
        let mut events = queue(&"nsrn".repeat(16));
        assert_eq!((events.len(), order(&mut events)), (64, (1..=64).collect()));
        assert_eq!(events.len(), 0);
    }

    #[test]
    fn of_many_those_of_calls_come_first_and_the_others_in_turn() {
        let mut events = queue(&("n".repeat(100) + &"sr".repeat(10)));
        let expected: Vec<u64> =
            (101..109).chain([1]).chain(109..117).chain([2]).chain(117..=120).chain(3..=100).collect();
        assert_eq!(order(&mut events), expected);
        // Where those of calls are the oldest there is nothing to catch up with.
        let mut events = queue(&("s".repeat(100) + "n"));
        assert_eq!(order(&mut events), (1..=101).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_taken_back_is_never_seen() {
        let mut events = queue(&"ns".repeat(100));
        for number in (1..=200).filter(|number| number % 4 < 2) {
            assert_eq!(events.take_back(number).map(|event| event.id), Some(number));
            assert!(events.take_back(number).is_none());
        }
        assert_eq!(events.len(), 100);
        let mut left = order(&mut events);
        left.sort_unstable();
        assert_eq!(left, (1..=200).filter(|number| number % 4 > 1).collect::<Vec<_>>());
        events.trim();
        assert_eq!((events.len(), events.bytes()), (0, 0));
    }
}
