//! Datagrams that wait because the agent is behind: new requests, read off their sockets so that what belongs to calls
//! gets past them.

use crate::flow::Flow;
use std::collections::VecDeque;

/// So many are kept, and so many bytes: more than the buffer of a socket holds, so that nothing is lost here that would
/// have waited there.
const DATAGRAMS: usize = 16_384;
const BYTES: usize = 16 << 20;

/// In the order in which they came.
#[derive(Default)]
pub(super) struct Backlog {
    waiting: VecDeque<(Flow, Box<[u8]>)>,
    bytes: usize,
}

impl Backlog {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Keeps a datagram. False: there is no room.
    pub fn push(&mut self, flow: &Flow, data: &[u8]) -> bool {
        if self.waiting.len() >= DATAGRAMS || self.bytes + data.len() > BYTES {
            return false;
        }
        self.bytes += data.len();
        self.waiting.push_back((*flow, data.into()));
        true
    }

    /// The oldest.
    pub fn pop(&mut self) -> Option<(Flow, Box<[u8]>)> {
        let (flow, data) = self.waiting.pop_front()?;
        self.bytes -= data.len();
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        Some((flow, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Transport;

    #[test]
    fn so_many_are_kept_and_no_more() {
        let flow = Flow::new(Transport::Udp, None, None);
        for (length, most) in [(1, DATAGRAMS), (65_000, BYTES / 65_000)] {
            let mut backlog = Backlog::default();
            let data = vec![0; length];
            assert_eq!((0..2 * DATAGRAMS).filter(|_| backlog.push(&flow, &data)).count(), most);
            assert_eq!(std::iter::from_fn(|| backlog.pop()).count(), most);
            assert!(backlog.is_empty() && backlog.bytes == 0 && backlog.push(&flow, &data));
        }
    }
}
