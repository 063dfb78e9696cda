//! What a link has not taken yet, in its order, and bounded.

use crate::agent::Transmit;
use std::collections::VecDeque;

/// So many bytes wait for one link, in so many messages; a longer message waits alone.
const BYTES: usize = 1 << 20;
const MESSAGES: usize = 4_096;

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Transmit>,
    bytes: usize,
}

impl Queue {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// One more. False: there is no room.
    pub fn push(&mut self, transmit: Transmit) -> bool {
        let bytes = self.bytes + transmit.bytes.len();
        if !self.is_empty() && (bytes > BYTES || self.waiting.len() >= MESSAGES) {
            return false;
        }
        self.bytes = bytes;
        self.waiting.push_back(transmit);
        true
    }

    /// The oldest has gone.
    pub fn pop(&mut self) -> Option<Transmit> {
        let transmit = self.waiting.pop_front()?;
        self.bytes -= transmit.bytes.len();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Bytes;
    use crate::flow::{Flow, Transport};

    #[test]
    fn so_much_waits_and_no_more() {
        for (length, most) in [(1, MESSAGES), (65_000, BYTES / 65_000), (2 * BYTES, 1)] {
            let mut queue = Queue::default();
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
            assert!(queue.is_empty() && queue.bytes == 0);
        }
    }
}
