//! The packets that may have carried a message: IPv4 or IPv6 with UDP or TCP. A stream is one without handshake, whose
//! numbers go on from message to message, so that who reads it finds them again.

use super::Shot;
use crate::agent::Direction;
use crate::flow::{Flow, Transport};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The numbers of IP.
pub(super) const UDP: u8 = 17;
pub(super) const TCP: u8 = 6;
/// What an IPv4 packet takes of UDP's data.
const DATAGRAM: usize = 65_507;
/// What one segment takes.
const SEGMENT: usize = 65_000;
/// Streams whose numbers are known.
const STREAMS: usize = 65_536;

/// From whom to whom, in one family. What the host did not say is the unspecified address, and the transport's port.
pub(super) fn ends(flow: &Flow, direction: Direction) -> (SocketAddr, SocketAddr) {
    let known = flow.local.or(flow.remote);
    let nobody = match known {
        Some(SocketAddr::V6(_)) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    let nobody = SocketAddr::new(nobody, flow.transport.default_port());
    let (mut local, mut remote) = (flow.local.unwrap_or(nobody), flow.remote.unwrap_or(nobody));
    if local.is_ipv6() != remote.is_ipv6() {
        (local, remote) = (mapped(local), mapped(remote));
    }
    match direction {
        Direction::In => (remote, local),
        Direction::Out => (local, remote),
    }
}

fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(IpAddr::V6(ip.to_ipv6_mapped()), address.port()),
        IpAddr::V6(_) => address,
    }
}

/// As what a message is shown. A WebSocket's messages stand alone as datagrams do; on its ports a stream would be taken for
/// HTTP.
pub(super) fn protocol(transport: Transport, len: usize) -> u8 {
    match transport {
        Transport::Udp => UDP,
        Transport::Ws | Transport::Wss if len <= DATAGRAM => UDP,
        Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => TCP,
    }
}

/// The next numbers of the streams: of what we send, of what we receive.
#[derive(Debug, Default)]
pub(super) struct Streams {
    next: BTreeMap<(SocketAddr, SocketAddr), (u32, u32)>,
    first: u32,
}

impl Streams {
    /// Takes the numbers of a segment: its own, and that of the answer that it expects.
    fn take(&mut self, from: SocketAddr, to: SocketAddr, direction: Direction, len: usize) -> (u32, u32) {
        let ends = match direction {
            Direction::Out => (from, to),
            Direction::In => (to, from),
        };
        if self.next.len() >= STREAMS && !self.next.contains_key(&ends) {
            // Those that live go on elsewhere in their stream.
            self.next.clear();
            self.first = self.first.wrapping_add(1 << 28);
        }
        let first = self.first.wrapping_add(1);
        let (out, received) = self.next.entry(ends).or_insert((first, first));
        let (own, other) = match direction {
            Direction::Out => (out, received),
            Direction::In => (received, out),
        };
        let numbers = (*own, *other);
        *own = own.wrapping_add(u32::try_from(len).unwrap_or_default());
        numbers
    }
}

/// Gives the packets of a message to `take`, each with the bytes that it lacks.
pub(super) fn packets(shot: &Shot<'_>, streams: &mut Streams, mut take: impl FnMut(&[u8], usize)) {
    let (from, to) = ends(shot.flow, shot.direction);
    if protocol(shot.flow.transport, shot.bytes.len()) == UDP {
        let data = shot.bytes.get(..DATAGRAM).unwrap_or(shot.bytes);
        let mut head = Vec::with_capacity(8);
        ports(&mut head, from, to);
        head.extend((8 + data.len() as u16).to_be_bytes());
        head.extend([0, 0]);
        return take(&packet(UDP, from.ip(), to.ip(), head, 6, data), shot.bytes.len() - data.len());
    }
    for data in shot.bytes.chunks(SEGMENT) {
        let (own, other) = streams.take(from, to, shot.direction, data.len());
        let mut head = Vec::with_capacity(20);
        ports(&mut head, from, to);
        head.extend(own.to_be_bytes());
        head.extend(other.to_be_bytes());
        // Five words of header; PSH, ACK; window, checksum, urgent.
        head.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        take(&packet(TCP, from.ip(), to.ip(), head, 16, data), 0);
    }
}

fn ports(head: &mut Vec<u8>, from: SocketAddr, to: SocketAddr) {
    head.extend(from.port().to_be_bytes());
    head.extend(to.port().to_be_bytes());
}

/// An IP packet. `checksum`: where that of the header of UDP or TCP stands.
fn packet(protocol: u8, from: IpAddr, to: IpAddr, mut head: Vec<u8>, checksum: usize, data: &[u8]) -> Vec<u8> {
    let len = head.len() + data.len();
    let mut packet = Vec::with_capacity(40 + len);
    let mut sum = Sum::default();
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            packet.extend([0x45, 0]);
            packet.extend((20 + len as u16).to_be_bytes());
            packet.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            let own = Sum::default().and(&packet).end();
            set(&mut packet, 10, own);
            sum = sum.and(&from.octets()).and(&to.octets());
        }
        _ => {
            let [from, to] = [from, to].map(|ip| match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            });
            packet.extend([0x60, 0, 0, 0]);
            packet.extend((len as u16).to_be_bytes());
            packet.extend([protocol, 64]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            sum = sum.and(&from.octets()).and(&to.octets());
        }
    }
    let sum = sum.and(&[0, protocol]).and(&(len as u16).to_be_bytes()).and(&head).and(data).end();
    // None is what 0 means in UDP (RFC 768).
    set(&mut head, checksum, if sum == 0 && protocol == UDP { 0xffff } else { sum });
    packet.extend(head);
    packet.extend(data);
    packet
}

fn set(bytes: &mut [u8], at: usize, number: u16) {
    if let Some(place) = bytes.get_mut(at..at + 2) {
        place.copy_from_slice(&number.to_be_bytes());
    }
}

/// RFC 1071; only the last piece may have an odd length.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn and(self, bytes: &[u8]) -> Self {
        let words = bytes.chunks(2).map(|word| match word {
            [high, low] => u64::from(u16::from_be_bytes([*high, *low])),
            [high] => u64::from(*high) << 8,
            _ => 0,
        });
        Self(self.0 + words.sum::<u64>())
    }

    fn end(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }
}
