//! What goes out: in batches by UDP, one after the other by connections. What a socket does not take waits for it, and
//! holds up no other.

use super::Host;
use super::epoll::Interest;
use super::links::Way;
use super::network::Network;
use super::queue::Queue;
use super::udp::{BATCH, Sender, Sent, Socket};
use crate::agent::Transmit;
use crate::time::Time;
use std::collections::VecDeque;
use std::sync::Arc;

/// What is on its way to the links, and how.
#[derive(Default)]
pub(super) struct Outbox {
    sender: Sender,
    waiting: VecDeque<Transmit>,
    /// Sockets of UDP that took no more, and what waits for them.
    full: Vec<(Arc<Socket>, Queue)>,
}

impl Network {
    /// Sends everything that waits. Any thread; the order is that of the agent.
    pub fn flush<H: Host>(&self, host: &'static H) {
        self.send_waiting(host);
        host.log();
    }

    fn send_waiting<H: Host>(&self, host: &'static H) {
        let mut outbox = self.outbox.lock();
        if !outbox.full.is_empty() {
            self.send_held_back(&mut outbox, host);
        }
        let Outbox { sender, waiting, full } = &mut *outbox;
        let mut now = Time::default();
        // Whether the agent may have more than what was taken. What others make from then on they send themselves.
        let mut more = true;
        loop {
            if waiting.is_empty() && more {
                more = false;
                host.with_agent(|agent, at| {
                    now = at.monotonic;
                    while waiting.len() < BATCH
                        && let Some(transmit) = agent.poll_transmit()
                    {
                        waiting.push_back(transmit);
                    }
                    more = agent.has_transmits();
                });
            }
            let Some(first) = waiting.front() else { break };
            let socket = match self.links.way(&first.flow, first.host.as_ref(), now) {
                Some(Way::Datagram(socket)) => socket,
                Some(Way::Connection(connection)) => {
                    more = true;
                    if let Some(transmit) = waiting.pop_front() {
                        self.send_by(host, &connection, transmit);
                    }
                    continue;
                }
                Some(Way::After(silent)) => {
                    more = true;
                    self.close(host, &silent);
                    continue;
                }
                None => {
                    more = true;
                    fail(host, first.id);
                    waiting.pop_front();
                    continue;
                }
            };
            if let Some((_, queue)) = full.iter_mut().find(|(full, _)| Arc::ptr_eq(full, &socket)) {
                if let Some(transmit) = waiting.pop_front() {
                    let id = transmit.id;
                    if !queue.push(transmit) {
                        self.links.count_full();
                        more = true;
                        fail(host, id);
                    }
                }
                continue;
            }
            let same = waiting.iter().take_while(|next| self.links.goes_by(&next.flow, &socket));
            let datagrams = same.filter_map(|transmit| Some((transmit.flow.remote?, &transmit.bytes[..])));
            match sender.send(&socket, datagrams) {
                Sent::Count(count) => drop(waiting.drain(..count.min(waiting.len()))),
                Sent::Lost => drop(waiting.pop_front()),
                Sent::Refused => {
                    more = true;
                    fail_first(host, waiting.pop_front());
                }
                Sent::Full => {
                    self.links.epoll.change(socket.fd(), socket.flow.link, Interest::Both);
                    full.push((socket, self.links.queue()));
                }
            }
        }
    }

    /// Sockets that took no more may do so again.
    fn send_held_back<H: Host>(&self, outbox: &mut Outbox, host: &'static H) {
        let Outbox { sender, full, .. } = outbox;
        full.retain_mut(|(socket, queue)| {
            while !queue.is_empty() {
                let datagrams = queue.iter().filter_map(|transmit| Some((transmit.flow.remote?, &transmit.bytes[..])));
                match sender.send(socket, datagrams) {
                    Sent::Count(count) => (0..count).for_each(|_| drop(queue.pop())),
                    Sent::Lost => drop(queue.pop()),
                    Sent::Refused => fail_first(host, queue.pop()),
                    Sent::Full => return true,
                }
            }
            self.links.epoll.change(socket.fd(), socket.flow.link, Interest::Read);
            false
        });
    }
}

/// It cannot be sent: the agent may know another way.
pub(super) fn fail<H: Host>(host: &'static H, id: u64) {
    host.with_agent(|agent, now| agent.transmit_failed(now, id));
}

fn fail_first<H: Host>(host: &'static H, first: Option<Transmit>) {
    if let Some(first) = first {
        fail(host, first.id);
    }
}
