//! HEP3, the protocol of Homer: <https://github.com/sipcapture/HEP>. One datagram for each message.

use super::Shot;
use super::packet::{ends, protocol};
use crate::error::{Error, Result};
use crate::message::Message;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};

/// What one datagram takes.
const MOST: usize = 65_507;
/// The longest password.
const PASSWORD: usize = 255;
/// What a chunk has before its content: vendor, type, length.
const CHUNK: usize = 6;
/// SIP, as the type of what is captured.
const SIP: u8 = 1;

/// Types of chunks.
mod chunk {
    pub const FAMILY: u16 = 1;
    pub const PROTOCOL: u16 = 2;
    pub const FROM_V4: u16 = 3;
    pub const TO_V4: u16 = 4;
    pub const FROM_V6: u16 = 5;
    pub const TO_V6: u16 = 6;
    pub const FROM_PORT: u16 = 7;
    pub const TO_PORT: u16 = 8;
    pub const SECONDS: u16 = 9;
    pub const MICROSECONDS: u16 = 10;
    pub const PAYLOAD_TYPE: u16 = 11;
    pub const CAPTURE_ID: u16 = 12;
    pub const PASSWORD: u16 = 14;
    pub const PAYLOAD: u16 = 15;
    pub const CORRELATION: u16 = 17;
}

/// A way to a collector.
#[derive(Debug)]
pub struct Hep {
    socket: UdpSocket,
    capture_id: u32,
    password: Vec<u8>,
    packet: Vec<u8>,
}

impl Hep {
    /// `address`: "host:port", looked up here. Errors: syntax, system, argument.
    pub fn open(address: &str, capture_id: u32, password: &[u8]) -> Result<Self> {
        if password.len() > PASSWORD {
            return Err(Error::argument(format!("password has more than {PASSWORD} bytes")));
        }
        let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(1..))) {
            return Err(Error::syntax("address: host:port"));
        }
        let system = |error: std::io::Error| Error::system(&error);
        let to = address.to_socket_addrs().map_err(system)?.next();
        let to = to.ok_or_else(|| Error::syntax("address: nothing is there"))?;
        let from: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind(SocketAddr::new(from, 0)).map_err(system)?;
        socket.connect(to).map_err(system)?;
        socket.set_nonblocking(true).map_err(system)?;
        Ok(Self { socket, capture_id, password: password.to_vec(), packet: Vec::new() })
    }

    /// Whether it went out.
    pub(super) fn send(&mut self, shot: &Shot<'_>) -> bool {
        self.write(shot);
        self.socket.send(&self.packet).is_ok()
    }

    fn write(&mut self, shot: &Shot<'_>) {
        let (from, to) = ends(shot.flow, shot.direction);
        self.packet.clear();
        self.packet.extend(b"HEP3\0\0");
        match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                self.chunk(chunk::FAMILY, &[2]);
                self.chunk(chunk::FROM_V4, &from.octets());
                self.chunk(chunk::TO_V4, &to.octets());
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                self.chunk(chunk::FAMILY, &[10]);
                self.chunk(chunk::FROM_V6, &from.octets());
                self.chunk(chunk::TO_V6, &to.octets());
            }
            // `ends` makes them one family.
            _ => {}
        }
        self.chunk(chunk::PROTOCOL, &[protocol(shot.flow.transport, shot.bytes.len())]);
        self.chunk(chunk::FROM_PORT, &from.port().to_be_bytes());
        self.chunk(chunk::TO_PORT, &to.port().to_be_bytes());
        self.chunk(chunk::SECONDS, &((shot.unix_us / 1_000_000) as u32).to_be_bytes());
        self.chunk(chunk::MICROSECONDS, &((shot.unix_us % 1_000_000) as u32).to_be_bytes());
        self.chunk(chunk::PAYLOAD_TYPE, &[SIP]);
        self.chunk(chunk::CAPTURE_ID, &self.capture_id.to_be_bytes());
        if !self.password.is_empty() {
            let password = std::mem::take(&mut self.password);
            self.chunk(chunk::PASSWORD, &password);
            self.password = password;
        }
        if let Ok(message) = Message::parse(shot.bytes, None)
            && message.call_id().len() <= usize::from(u8::MAX)
        {
            self.chunk(chunk::CORRELATION, message.call_id());
        }
        let room = MOST.saturating_sub(self.packet.len() + CHUNK);
        self.chunk(chunk::PAYLOAD, shot.bytes.get(..room).unwrap_or(shot.bytes));
        let len = self.packet.len() as u16;
        if let Some(place) = self.packet.get_mut(4..6) {
            place.copy_from_slice(&len.to_be_bytes());
        }
    }

    /// Of the vendor 0, who has all that are in use.
    fn chunk(&mut self, kind: u16, content: &[u8]) {
        self.packet.extend([0, 0]);
        self.packet.extend(kind.to_be_bytes());
        self.packet.extend(((CHUNK + content.len()) as u16).to_be_bytes());
        self.packet.extend(content);
    }
}
