//! What comes by UDP: in batches, and while the agent is behind what belongs to calls first.

use super::Host;
use super::backlog::Backlog;
use super::network::Network;
use super::turn::due;
use super::udp::{BATCH, Receiver};
use crate::flow::Flow;
use crate::message::glance::comes_first;
use std::sync::atomic::Ordering;

/// Batches of one socket that are read at once where there is more than one: more than what its buffer holds.
const BATCHES: usize = 16;
/// New requests that are taken before the sockets are looked at again: few, for while they are worked off a socket may
/// overflow.
const SLICE: usize = 16;

/// What was read off the sockets.
pub(super) struct Inbox {
    pub receiver: Receiver,
    pub backlog: Backlog,
}

impl Network {
    /// Gives the agent what its sockets have: one batch of each. Where that is not all, what belongs to calls is picked
    /// out of a few batches, and of the new requests some are taken each time. Whether there may be more; how many objects
    /// live, where it was asked.
    pub(super) fn receive<H: Host>(&self, host: &'static H) -> (bool, Option<usize>) {
        let mut inbox = self.inbox.lock();
        let Inbox { receiver, backlog } = &mut *inbox;
        let (mut more, mut live) = (false, None);
        let mut index = 0;
        loop {
            let socket = self.links.socket(index);
            let Some(socket) = socket else { break };
            index += 1;
            let mut batches = 0;
            while batches < BATCHES {
                let count = receiver.fill(&socket);
                let full = count == BATCH;
                if count > 0 {
                    let behind = full || batches > 0 || !backlog.is_empty();
                    live = take(host, receiver, &socket.flow, behind.then_some(&mut *backlog)).or(live);
                }
                batches += 1;
                if !full {
                    break;
                }
                more |= batches == BATCHES;
            }
        }
        if !backlog.is_empty() {
            host.with_agent(|agent, now| {
                for (flow, data) in
                    std::iter::from_fn(|| if host.has_memory() { backlog.pop() } else { None }).take(SLICE)
                {
                    // Only streams can be refused.
                    let _ = agent.receive(now, &flow, &data);
                }
            });
        }
        self.behind.store(!backlog.is_empty(), Ordering::Relaxed);
        (more || !backlog.is_empty(), live)
    }
}

/// Gives the agent a batch, and what is due; new requests go into the backlog, where there is one, without the agent.
/// How many objects live then, where it was asked.
fn take<H: Host>(host: &'static H, receiver: &Receiver, flow: &Flow, backlog: Option<&mut Backlog>) -> Option<usize> {
    let mut flow = *flow;
    // A bit for each datagram.
    let (mut first, mut dropped) = (u64::MAX, 0_u64);
    if let Some(backlog) = backlog {
        first = 0;
        for (at, (from, data)) in receiver.datagrams().enumerate() {
            flow.remote = Some(from);
            if comes_first(data) {
                first |= 1 << at;
            } else if !host.has_memory() || !backlog.push(&flow, data) {
                dropped |= 1 << at;
            }
        }
    }
    if first == 0 && dropped == 0 {
        return None;
    }
    host.with_agent(|agent, now| {
        for (at, (from, data)) in receiver.datagrams().enumerate() {
            flow.remote = Some(from);
            if dropped >> at & 1 == 1 {
                agent.too_far_behind(&flow);
            } else if first >> at & 1 == 1 && host.has_memory() {
                // Without memory it is lost, as when a socket is full. Only streams can be refused.
                let _ = agent.receive(now, &flow, data);
            }
        }
        due(agent, now)
    })
}
