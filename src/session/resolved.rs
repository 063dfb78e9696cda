//! Where a name led: the targets of a look-up, kept while they serve (RFC 3263 §4.3).

use crate::flow::{Flow, Hop};
use crate::held;
use crate::message::next_hop;
use std::sync::Arc;

/// Targets of one answer that are kept. A silent one costs 64*T1, so nobody gets to the end of many.
const TARGETS: usize = 16;

/// Where a host name led.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The next hop's URI that was asked for.
    next_hop: Box<[u8]>,
    /// The name in it.
    host: Arc<[u8]>,
    /// The one that serves, then the others in the order in which they are tried.
    targets: Vec<Flow>,
}

impl Resolved {
    /// The answer, best first, each once. `None`: it has no target.
    pub fn new(next_hop: &[u8], host: &Arc<[u8]>, answer: impl Iterator<Item = Flow>) -> Option<Self> {
        let mut targets: Vec<Flow> = Vec::new();
        for target in answer {
            if targets.len() < TARGETS && !targets.contains(&target) {
                targets.push(target);
            }
        }
        (!targets.is_empty()).then(|| Self { next_hop: next_hop.into(), host: Arc::clone(host), targets })
    }

    /// Bytes held. The name counts though others may have it too.
    pub fn held(&self) -> usize {
        size_of::<Self>() + self.next_hop.len() + held::shared(&self.host) + held::list(&self.targets)
    }

    /// The way to the target that serves.
    pub fn hop(&self) -> Option<Hop> {
        self.first().map(|flow| Hop { flow: *flow, host: Some(Arc::clone(&self.host)) })
    }

    /// The target that serves.
    pub fn first(&self) -> Option<&Flow> {
        self.targets.first()
    }

    /// How many targets there are beside it.
    pub fn others(&self) -> usize {
        self.targets.len().saturating_sub(1)
    }

    /// Whether it says where this URI leads.
    pub fn serves(&self, next_hop: &[u8]) -> bool {
        next_hop::is_same(&self.next_hop, next_hop)
    }

    /// This target failed: it is the last to be tried from now on. Nothing where another one serves already.
    pub fn failed(&mut self, target: &Flow) {
        if self.first().is_some_and(|first| is_same(first, target)) {
            self.targets.rotate_left(1);
        }
    }

    /// The target that serves failed: the next one does from now on.
    pub fn move_on(&mut self) -> Option<Hop> {
        if !self.targets.is_empty() {
            self.targets.rotate_left(1);
        }
        self.hop()
    }

    /// The targets but this one.
    pub fn without(&self, target: &Flow) -> Option<Self> {
        let others = self.targets.iter().filter(|known| !is_same(known, target)).copied();
        Self::new(&self.next_hop, &self.host, others)
    }

    /// This target serves, where it is one.
    pub fn prefer(&mut self, target: &Flow) {
        if let Some(at) = self.targets.iter().position(|known| known == target) {
            self.targets.rotate_left(at);
        }
    }
}

/// Whether both lead to the same peer, by whatever socket.
fn is_same(one: &Flow, other: &Flow) -> bool {
    (one.transport, one.remote) == (other.transport, other.remote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Transport;

    fn flow(port: u16) -> Flow {
        Flow::new(Transport::Udp, None, Some(([192, 0, 2, 1], port).into()))
    }

    fn resolved(ports: &[u16]) -> Option<Resolved> {
        Resolved::new(b"sip:gw.example", &Arc::from(&b"gw.example"[..]), ports.iter().map(|port| flow(*port)))
    }

    #[test]
    fn each_target_once_and_the_failed_one_last() {
        assert!(resolved(&[]).is_none());
        let mut known = resolved(&[1, 2, 1, 3]).expect("targets");
        assert_eq!(known.others(), 2);
        known.failed(&flow(2));
        assert_eq!(known.first(), Some(&flow(1)), "another one serves");
        known.failed(&flow(1));
        assert_eq!(known.targets, [flow(2), flow(3), flow(1)]);
        known.prefer(&flow(1));
        assert_eq!(known.targets, [flow(1), flow(2), flow(3)]);
        known.prefer(&flow(9));
        assert_eq!(known.first(), Some(&flow(1)));
        assert_eq!(resolved(&(1..100).collect::<Vec<_>>()).map(|known| known.others()), Some(TARGETS - 1));
    }
}
