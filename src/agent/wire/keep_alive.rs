//! Keep-alives of ours (RFC 5626 §4.4): CR LF CR LF now and then. Over a connection the peer answers, or it is dead; over
//! UDP they keep a binding of a NAT open and nothing comes back.

use crate::agent::Agent;
use crate::agent::timeout::Timeout;
use crate::config::keep_alive_s;
use crate::error::{Error, Result};
use crate::flow::{Flow, Transport};
use crate::held;
use crate::shrink::Shrink;
use crate::time::{Now, Time};
use crate::timer::TimerId;
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

/// §4.4.1: so long a pong may take.
const PONG: Duration = Duration::from_secs(10);
/// §4.4: each wait is drawn anew, from so many parts of the interval up to all hundred, so that those who lost their
/// connections together do not come together for ever.
const LEAST: u64 = 80;

/// Of one flow.
#[derive(Clone, Debug)]
struct KeepAlive {
    flow: Flow,
    interval: Duration,
    /// When the next goes.
    next: Time,
    /// When the first went that nothing has come after.
    unanswered: Option<Time>,
    timer: TimerId,
}

/// A connection by its link; over UDP a socket by its link, and a peer.
type Place = (u64, Option<SocketAddr>);

fn place(flow: &Flow) -> Place {
    (flow.link, flow.remote.filter(|_| flow.transport == Transport::Udp))
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(in crate::agent) struct KeepAlives {
    numbers: HashMap<Place, u64>,
    flows: HashMap<u64, KeepAlive>,
    last: u64,
    /// Connections by which a registrar has our Contact.
    bound: BTreeSet<u64>,
}

impl KeepAlives {
    /// Whether there are none, which costs nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// Something has come by a connection. Whether a pong was waited for there.
    pub fn hear(&mut self, link: u64) -> bool {
        let number = self.numbers.get(&(link, None));
        let known = number.and_then(|number| self.flows.get_mut(number));
        known.is_some_and(|known| known.unanswered.take().is_some())
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        held::table(&self.numbers) + held::table(&self.flows) + self.bound.len() * size_of::<u64>() * 3 / 2
    }

    fn remove(&mut self, place: &Place) -> Option<TimerId> {
        let number = self.numbers.remove(place)?;
        let known = self.flows.remove(&number)?;
        self.numbers.ease();
        self.flows.ease();
        Some(known.timer)
    }
}

impl Agent {
    /// From now on a flow is kept alive every so many seconds or a little sooner; 0: no more. Errors: argument.
    pub fn keep_alive(&mut self, now: Now, flow: &Flow, every_s: u32) -> Result<()> {
        self.at(now);
        if flow.remote.is_none() {
            return Err(Error::argument("flow: it has no remote address"));
        }
        if flow.link == 0 && flow.transport != Transport::Udp {
            return Err(Error::argument("flow: a connection has a link, which is not 0"));
        }
        self.set_keep_alive(flow, keep_alive_s(every_s)?);
        Ok(())
    }

    /// The same of a flow that is one.
    pub(in crate::agent) fn set_keep_alive(&mut self, flow: &Flow, every_s: u32) {
        let timer = self.keep_alives.remove(&place(flow));
        self.stop(timer);
        if every_s == 0 {
            return;
        }
        let interval = Duration::from_secs(every_s.into());
        self.keep_alives.last += 1;
        let number = self.keep_alives.last;
        let (next, timer) = self.next_keep_alive(interval, number, None);
        self.keep_alives.numbers.insert(place(flow), number);
        self.keep_alives.flows.insert(number, KeepAlive { flow: *flow, interval, next, unanswered: None, timer });
    }

    /// A connection is the host's or the library's own making: it is kept alive where the settings say so.
    pub fn connection_is_ours(&mut self, now: Now, flow: &Flow) {
        self.at(now);
        if self.config.keep_alive_s > 0 && !self.keep_alives.numbers.contains_key(&place(flow)) {
            self.set_keep_alive(flow, self.config.keep_alive_s);
        }
    }

    /// A registrar has our Contact by this connection, or no more.
    pub(in crate::agent) fn set_bound(&mut self, link: u64, bound: bool) {
        if bound {
            self.keep_alives.bound.insert(link);
        } else {
            self.keep_alives.bound.remove(&link);
        }
    }

    /// Whether a registrar has our Contact by this connection.
    pub(in crate::agent) fn is_bound_by(&self, link: u64) -> bool {
        self.keep_alives.bound.contains(&link)
    }

    /// Nothing is kept alive by a link that is gone. Whether a registrar had our Contact by it, which the host is told.
    pub(in crate::agent) fn flow_gone(&mut self, link: u64) -> bool {
        let bound = self.keep_alives.bound.remove(&link);
        if bound {
            self.tell_binding_lost(link);
        }
        if self.keep_alives.is_empty() {
            return bound;
        }
        let places: Vec<Place> = self.keep_alives.numbers.keys().filter(|place| place.0 == link).copied().collect();
        for place in places {
            let timer = self.keep_alives.remove(&place);
            self.stop(timer);
        }
        bound
    }

    /// The time of one has come.
    pub(in crate::agent) fn keep_alive_due(&mut self, number: u64) {
        let now = self.now.monotonic;
        let Some(mut known) = self.keep_alives.flows.get(&number).cloned() else { return };
        if known.unanswered.is_some_and(|since| since.plus(PONG) <= now) {
            self.keep_alives.remove(&place(&known.flow));
            self.outbox.close(&known.flow);
            return;
        }
        if known.next <= now {
            self.outbox.ping(&known.flow);
            if known.flow.transport != Transport::Udp {
                known.unanswered.get_or_insert(now);
            }
            (known.next, known.timer) = self.next_keep_alive(known.interval, number, known.unanswered);
        } else {
            known.timer = self.arm(known.next.since(now), Timeout::KeepAlive(number));
        }
        self.keep_alives.flows.insert(number, known);
    }

    /// When one goes next, and what wakes us then or when the pong is late.
    fn next_keep_alive(&mut self, interval: Duration, number: u64, unanswered: Option<Time>) -> (Time, TimerId) {
        let now = self.now.monotonic;
        let whole = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        let least = whole / 100 * LEAST;
        let next = now.plus(Duration::from_micros(least + self.random.below(whole - least + 1)));
        let late = unanswered.map_or(next, |since| since.plus(PONG));
        (next, self.arm(late.min(next).since(now), Timeout::KeepAlive(number)))
    }
}
