//! RFC 3263 over what is known: where a name leads, or what must be looked up first.

use super::order::{ordered, shuffle};
use super::record::{Answer, Key, Kind, Pointer, Service};
use crate::flow::{Flow, Reach, Transport};
use crate::random::Random;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The number of the RESOLVE event.
    pub query: u64,
    /// The name.
    pub host: String,
    /// Of the URI, else 0.
    pub port: u16,
    /// Of the URI, or chosen by the host.
    pub transport: Option<Transport>,
    /// A sips URI.
    pub secure: bool,
    /// What else a name has is no target.
    pub reach: Reach,
}

/// Aliases that are followed one after the other.
const ALIASES: usize = 8;
/// Names of one question whose addresses are looked up: as many targets as anyone tries.
const HOSTS: usize = 16;

/// Where a name leads, as far as is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// The best first.
    pub flows: Vec<Flow>,
    /// What is not known yet; none: this is all.
    pub wanted: Vec<Key>,
    /// The best is among them, whatever else is looked up.
    pub headed: bool,
}

/// What has been looked up already; addresses of names that nobody need look up.
pub trait Known {
    fn answer(&self, key: &Key) -> Option<Arc<Answer>>;
    fn addresses(&self, name: &str) -> Option<Vec<IpAddr>>;
}

/// Where the question leads. `names`: the full names that its host may stand for, in their order. The same seed gives the
/// same order, however much is known.
pub fn targets(question: &Question, names: &[Arc<str>], known: &impl Known, seed: u64) -> Targets {
    let mut walk = Walk { question, known, seed, hosts: 0, found: Targets::default() };
    for name in names {
        if walk.name(name) != Outcome::Empty {
            break;
        }
    }
    walk.found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Something must be looked up.
    Open,
    /// There is nothing of this kind.
    Empty,
    /// This is what it says; nothing else counts.
    Settled,
}

struct Walk<'a, K> {
    question: &'a Question,
    known: &'a K,
    seed: u64,
    hosts: usize,
    found: Targets,
}

impl<K: Known> Walk<'_, K> {
    fn name(&mut self, name: &Arc<str>) -> Outcome {
        let Question { port, transport, secure, reach, .. } = *self.question;
        let usual = transport.unwrap_or_else(|| reach.usual(secure));
        // §4.2: a port says that there are no SRV records; nor has a file any.
        if port != 0 || self.known.addresses(name).is_some() {
            return self.host(name, usual, if port == 0 { usual.default_port() } else { port });
        }
        let listed = match transport {
            Some(transport) => self.services(&[(transport, service_name(transport, name))]),
            None => match self.naptr(name) {
                Outcome::Empty => {
                    let all = self.searched().map(|transport| (transport, service_name(transport, name)));
                    self.services(&all.collect::<Vec<_>>())
                }
                other => other,
            },
        };
        // §4.2: without SRV records the addresses of the name itself.
        if listed == Outcome::Empty { self.host(name, usual, usual.default_port()) } else { listed }
    }

    /// §4.1: the transports whose SRV records are asked for, in our preference. WebSockets have theirs by NAPTR or where
    /// they are asked for (RFC 7118 §6).
    fn searched(&self) -> impl Iterator<Item = Transport> + use<K> {
        let (secure, reach) = (self.question.secure, self.question.reach);
        let all = Transport::by_preference(secure).iter().copied();
        all.filter(move |transport| !transport.is_websocket() && reach.has(*transport))
    }

    fn naptr(&mut self, name: &Arc<str>) -> Outcome {
        let Some(answer) = self.look_up(name, Kind::Naptr) else { return Outcome::Open };
        let Answer::Pointers(pointers) = &*answer else { return Outcome::Empty };
        let meant = |pointer: &Pointer| -> Option<Transport> {
            let transport = transport_of(&pointer.service)?;
            let fits = self.question.reach.has(transport) && (transport.is_secure() || !self.question.secure);
            (fits && !pointer.replacement.is_empty()).then_some(transport)
        };
        let mut usable: Vec<(&Pointer, Transport)> =
            pointers.iter().filter_map(|pointer| Some((pointer, meant(pointer)?))).collect();
        usable.sort_by_key(|(pointer, _)| (pointer.order, pointer.preference));
        // RFC 3403 §4.1: of the first order that has something for us, and of no other.
        let order = usable.first().map(|(pointer, _)| pointer.order);
        usable.retain(|(pointer, _)| Some(pointer.order) == order);
        let services = usable.iter().filter(|(pointer, _)| pointer.flags.eq_ignore_ascii_case("s"));
        let services: Vec<_> =
            services.map(|(pointer, transport)| (*transport, Arc::clone(&pointer.replacement))).collect();
        self.services(&services)
    }

    /// The SRV records of several names, those of the first name first.
    fn services(&mut self, names: &[(Transport, Arc<str>)]) -> Outcome {
        let (mut open, mut any) = (false, false);
        for (transport, name) in names {
            match self.look_up(name, Kind::Srv).as_deref() {
                None => open = true,
                Some(Answer::Services(services)) => {
                    any = true;
                    self.servers(services, *transport, self.chance(name));
                }
                Some(_) => {}
            }
        }
        match (open, any) {
            (true, _) => Outcome::Open,
            (false, true) => Outcome::Settled,
            (false, false) => Outcome::Empty,
        }
    }

    fn servers(&mut self, services: &[Service], transport: Transport, mut random: Random) {
        for service in ordered(services, &mut random) {
            // RFC 2782: a target of "." says that there is no such service.
            if !service.target.is_empty() && service.port != 0 {
                self.host(&service.target, transport, service.port);
            }
        }
    }

    /// The addresses of a name (RFC 7984): of both families where we have both, in turns, IPv6 first.
    fn host(&mut self, name: &Arc<str>, transport: Transport, port: u16) -> Outcome {
        if self.hosts == HOSTS {
            return Outcome::Settled;
        }
        self.hosts += 1;
        let (v4, v6) = self.question.reach.families(transport);
        let before = self.found.wanted.len();
        let (mut four, mut six) = match self.known.addresses(name) {
            Some(addresses) => {
                let (four, six): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv4);
                (if v4 { four } else { Vec::new() }, if v6 { six } else { Vec::new() })
            }
            None => (self.addresses(name, v4, Kind::A), self.addresses(name, v6, Kind::Aaaa)),
        };
        let open = self.found.wanted.len() > before;
        if before == 0 && !(four.is_empty() && six.is_empty()) {
            self.found.headed |= self.found.flows.is_empty();
        }
        let (mut four, mut six) = (four.drain(..), six.drain(..));
        loop {
            let pair = [six.next(), four.next()];
            if pair == [None, None] {
                break;
            }
            for ip in pair.into_iter().flatten() {
                let flow = Flow::new(transport, None, Some(SocketAddr::new(ip, port)));
                if !self.found.flows.contains(&flow) {
                    self.found.flows.push(flow);
                }
            }
        }
        match (open, self.found.flows.is_empty()) {
            (true, _) => Outcome::Open,
            (false, true) => Outcome::Empty,
            (false, false) => Outcome::Settled,
        }
    }

    fn addresses(&mut self, name: &Arc<str>, wanted: bool, kind: Kind) -> Vec<IpAddr> {
        if !wanted {
            return Vec::new();
        }
        let Some(answer) = self.look_up(name, kind) else { return Vec::new() };
        let Answer::Addresses(addresses) = &*answer else { return Vec::new() };
        let mut addresses = addresses.clone();
        // Who asks us for a name that has many spreads its calls among them.
        shuffle(&mut addresses, &mut self.chance(name));
        addresses
    }

    /// What is drawn for a name does not depend on what is drawn for others.
    fn chance(&self, name: &str) -> Random {
        let mut hasher = SipHasher13::new_with_keys(self.seed, 0);
        hasher.write(name.as_bytes());
        Random::from_seed(Random::seed_from_number(hasher.finish()))
    }

    /// What a name has, aliases followed. `None`: it must be looked up.
    fn look_up(&mut self, name: &Arc<str>, kind: Kind) -> Option<Arc<Answer>> {
        let mut key = Key { name: Arc::clone(name), kind };
        for _ in 0..=ALIASES {
            // RFC 6761 §6.3, §6.4: no name server is asked for these.
            if key.name.rsplit('.').next().is_some_and(|last| matches!(last, "invalid" | "localhost")) {
                break;
            }
            match self.known.answer(&key) {
                Some(answer) => match &*answer {
                    Answer::Alias(other) => key.name = Arc::clone(other),
                    _ => return Some(answer),
                },
                None => {
                    if !self.found.wanted.contains(&key) {
                        self.found.wanted.push(key);
                    }
                    return None;
                }
            }
        }
        Some(Arc::new(Answer::Nothing))
    }
}

/// §4.1, RFC 7118 §6: what a NAPTR record is for.
fn transport_of(service: &str) -> Option<Transport> {
    let services = [
        ("SIP+D2U", Transport::Udp),
        ("SIP+D2T", Transport::Tcp),
        ("SIPS+D2T", Transport::Tls),
        ("SIP+D2W", Transport::Ws),
        ("SIPS+D2W", Transport::Wss),
    ];
    services.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(service)).map(|(_, transport)| transport)
}

/// §4.2: where the SRV records for a transport are.
fn service_name(transport: Transport, name: &str) -> Arc<str> {
    let prefix = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    };
    format!("{prefix}.{name}").into()
}

#[cfg(test)]
mod tests;
