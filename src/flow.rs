//! The way of a message: transport, the host's number for the socket, both addresses, the name at its end; and who goes
//! by which link.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

/// Transports of SIP. The numbers are those of `enum sipdlg_transport_e`, where 0 means any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Transport {
    /// RFC 3261 §18.
    Udp = 1,
    /// RFC 3261 §18.
    Tcp = 2,
    /// RFC 3261 §26.2.
    Tls = 3,
    /// RFC 7118.
    Ws = 4,
    /// RFC 7118.
    Wss = 5,
}

impl Transport {
    /// From the number of `enum sipdlg_transport_e`; `None` for 0 and unknown ones.
    pub fn from_number(number: i32) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss].into_iter().find(|transport| *transport as i32 == number)
    }

    /// What a URI with this `transport` parameter asks for (RFC 3261 §19.1.1, RFC 7118 §5.4); `secure`: it is a sips
    /// URI. `None`: there is no such one, or none that is secure.
    pub fn named(name: &[u8], secure: bool) -> Option<Self> {
        let all = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];
        let named = all.into_iter().find(|transport| name.eq_ignore_ascii_case(transport.parameter().as_bytes()))?;
        match named {
            Self::Udp if secure => None,
            Self::Tcp if secure => Some(Self::Tls),
            Self::Ws if secure => Some(Self::Wss),
            named => Some(named),
        }
    }

    /// As it stands in Via.
    pub fn via_name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// As it stands in a URI's `transport` parameter.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Whether the transport repeats lost bytes itself (RFC 3261 §17: no timers A, E, G).
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }

    /// Whether it is a byte stream in which messages must be found (RFC 3261 §18.3).
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }

    /// Whether it is a WebSocket: one message of its own carries one of ours (RFC 7118 §5.2).
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// Whether it is encrypted.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// In which order they are taken where nothing else says which (RFC 3263 §4.1): TLS for sips, else UDP first.
    pub fn by_preference(secure: bool) -> &'static [Self] {
        if secure { &[Self::Tls, Self::Wss] } else { &[Self::Udp, Self::Tcp, Self::Ws, Self::Tls, Self::Wss] }
    }

    /// The port meant by a URI or Via without one (RFC 3261 §19.1.2, RFC 7118 §4.2).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

/// Where sockets of ours lead: transports, each with the address families that it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    v4: u8,
    v6: u8,
}

impl Reach {
    /// One more; without `local` of either family.
    pub fn add(&mut self, transport: Transport, local: Option<SocketAddr>) {
        let bit = 1 << transport as u8;
        self.v4 |= if local.is_none_or(|local| local.is_ipv4()) { bit } else { 0 };
        self.v6 |= if local.is_none_or(|local| local.is_ipv6()) { bit } else { 0 };
    }

    /// Whether IPv4 and whether IPv6 is reached by this transport.
    pub fn families(self, transport: Transport) -> (bool, bool) {
        let bit = 1 << transport as u8;
        (self.v4 & bit != 0, self.v6 & bit != 0)
    }

    /// Whether anything is.
    pub fn has(self, transport: Transport) -> bool {
        self.families(transport) != (false, false)
    }

    /// What a request goes by that nothing else decides (RFC 3263 §4.1): the first of its preference that is there.
    pub fn usual(self, secure: bool) -> Transport {
        let order = Transport::by_preference(secure);
        let there = order.iter().copied().find(|transport| self.has(*transport));
        there.or(order.first().copied()).unwrap_or(Transport::Udp)
    }
}

/// The way a message came or must go. `link` is the host's own number for a socket or connection, 0 for any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The transport.
    pub transport: Transport,
    /// Compared and repeated, never understood.
    pub link: u64,
    /// Our address.
    pub local: Option<SocketAddr>,
    /// The peer's address.
    pub remote: Option<SocketAddr>,
}

impl Flow {
    /// A flow of `transport` between two addresses, on any socket.
    pub fn new(transport: Transport, local: Option<SocketAddr>, remote: Option<SocketAddr>) -> Self {
        Self { transport, link: 0, local, remote }
    }

    /// Whether both end at one place: an address and port, or one connection of an unknown peer.
    pub fn ends_with(&self, other: &Self) -> bool {
        match (self.remote, other.remote) {
            (Some(remote), Some(of_other)) => remote == of_other,
            (None, None) => self.transport == other.transport && self.link == other.link,
            _ => false,
        }
    }
}

/// What was counted of links that are the library's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Connections that there are.
    pub connections: u64,
    /// Those of peers that were not taken.
    pub refused: u64,
    /// Messages that a full one did not take.
    pub full: u64,
}

/// A flow, and the name of who is at its end where the URI has one (RFC 5922 §7).
#[derive(Clone, Debug)]
pub struct Hop {
    /// The way.
    pub flow: Flow,
    /// `None`: the URI has an address.
    pub host: Option<Arc<[u8]>>,
}

/// Who goes by which link, so that nobody walks through all when one is lost. Link 0 is none.
#[derive(Clone, Debug)]
pub struct ByLink<T> {
    links: BTreeMap<u64, BTreeSet<T>>,
    len: usize,
}

impl<T> Default for ByLink<T> {
    fn default() -> Self {
        Self { links: BTreeMap::new(), len: 0 }
    }
}

impl<T: Copy + Ord> ByLink<T> {
    /// One more goes by a link.
    pub fn insert(&mut self, link: u64, who: T) {
        if link != 0 {
            self.len += usize::from(self.links.entry(link).or_default().insert(who));
        }
    }

    /// It does not any more.
    pub fn remove(&mut self, link: u64, who: T) {
        let Some(all) = self.links.get_mut(&link) else { return };
        self.len -= usize::from(all.remove(&who));
        if all.is_empty() {
            self.links.remove(&link);
        }
    }

    /// All that go by a link.
    pub fn on(&self, link: u64) -> impl Iterator<Item = T> + '_ {
        self.links.get(&link).into_iter().flatten().copied()
    }

    /// Bytes held, about: a node for each link, entries of nodes that are two thirds full.
    pub fn bytes(&self) -> usize {
        let node = 11 * size_of::<T>() + 2 * size_of::<usize>();
        self.links.len() * (node + size_of::<BTreeSet<T>>() * 3 / 2) + self.len * size_of::<T>() * 3 / 2
    }

    /// Whether nobody goes by any.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_by_a_link() {
        let mut known = ByLink::default();
        for (link, who) in [(7, 2), (7, 1), (8, 3), (0, 4)] {
            known.insert(link, who);
        }
        assert_eq!(known.on(7).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(known.on(0).count() + known.on(9).count(), 0);
        for (link, who) in [(7, 1), (7, 2), (8, 3), (9, 1)] {
            known.remove(link, who);
        }
        assert!(known.is_empty(), "nothing is kept for links that nobody uses");
    }
}
