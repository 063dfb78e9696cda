//! What a link has not taken yet, in its order, and bounded.

use crate::agent::Transmit;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many bytes wait for one link, in so many messages; a longer message waits alone.
const BYTES: usize = 1 << 20;
const MESSAGES: usize = 4_096;
/// And so many for all links of an agent together; beyond, each has this much of its own.
const TOGETHER: usize = 64 << 20;
const OWN: usize = 16 << 10;

/// What waits for all links of an agent.
#[derive(Default)]
pub(super) struct Room(AtomicUsize);

pub(super) struct Queue {
    waiting: VecDeque<Transmit>,
    bytes: usize,
    room: Arc<Room>,
}

impl Queue {
    pub fn new(room: Arc<Room>) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, room }
    }

    /// All of it; nothing is left.
    pub fn take(&mut self) -> Self {
        let empty = Self::new(Arc::clone(&self.room));
        std::mem::replace(self, empty)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// One more. False: there is no room.
    pub fn push(&mut self, transmit: Transmit) -> bool {
        let bytes = self.bytes + transmit.bytes.len();
        let no_room = || bytes > OWN && self.room.0.load(Ordering::Relaxed) > TOGETHER;
        if !self.is_empty() && (bytes > BYTES || self.waiting.len() >= MESSAGES || no_room()) {
            return false;
        }
        self.room.0.fetch_add(transmit.bytes.len(), Ordering::Relaxed);
        self.bytes = bytes;
        self.waiting.push_back(transmit);
        true
    }

    /// The oldest has gone.
    pub fn pop(&mut self) -> Option<Transmit> {
        let transmit = self.waiting.pop_front()?;
        self.bytes -= transmit.bytes.len();
        self.room.0.fetch_sub(transmit.bytes.len(), Ordering::Relaxed);
        if self.is_empty() {
            self.waiting = VecDeque::new();
        }
        Some(transmit)
    }

    /// Bytes of the oldest.
    pub fn first_len(&self) -> Option<usize> {
        self.waiting.front().map(|first| first.bytes.len())
    }

    /// All, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Transmit> {
        self.waiting.iter()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Bytes;
    use crate::flow::{Flow, Transport};

    #[test]
    fn so_much_waits_and_no_more() {
        for (length, most) in [(1, MESSAGES), (65_000, BYTES / 65_000), (2 * BYTES, 1)] {
            let room = Arc::new(Room::default());
            let mut queue = Queue::new(Arc::clone(&room));
            let bytes: Bytes = vec![0; length].into();
            let transmit = |id| Transmit {
                id,
                bytes: Bytes::clone(&bytes),
                flow: Flow::new(Transport::Tcp, None, None),
                host: None,
            };
            assert_eq!((0..9_999).filter(|id| queue.push(transmit(*id))).count(), most);
            assert_eq!(queue.iter().count(), most);
            let ids: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|transmit| transmit.id).collect();
            assert_eq!(ids, (0..most as u64).collect::<Vec<_>>());
            assert!(queue.is_empty() && queue.bytes == 0 && room.0.load(Ordering::Relaxed) == 0);
        }
    }

    /// However many links there are that take nothing.
    #[test]
    fn so_much_waits_for_all_together() {
        let room = Arc::new(Room::default());
        let bytes: Bytes = vec![0; 8_000].into();
        let transmit =
            || Transmit { id: 0, bytes: Bytes::clone(&bytes), flow: Flow::new(Transport::Tcp, None, None), host: None };
        let mut queues: Vec<Queue> = (0..1_000).map(|_| Queue::new(Arc::clone(&room))).collect();
        for queue in &mut queues {
            while queue.push(transmit()) {}
        }
        assert!(room.0.load(Ordering::Relaxed) <= TOGETHER + 1_000 * OWN);
        assert!(queues.iter().all(|queue| queue.waiting.len() >= 2), "each has its own");
        drop(queues.first_mut().map(Queue::take));
        drop(queues);
        assert_eq!(room.0.load(Ordering::Relaxed), 0);
    }
}
