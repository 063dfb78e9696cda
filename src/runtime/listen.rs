//! Addresses that are listened on, as a host writes them, and sockets for connections.

use super::options;
use crate::config::Sockets;
use crate::error::{Error, ErrorKind, Result};
use crate::flow::{Flow, Transport};
use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// Connections that the system holds until they are taken.
const WAITING: i32 = 1_024;
/// After so long without an answer of the peer's system to what we sent, a connection is broken: 64*T1.
const UNACKNOWLEDGED: Duration = Duration::from_secs(32);
/// So long nothing is heard before the peer's system is asked whether it is there, and how often.
const SILENCE: Duration = Duration::from_secs(60);
const ASKED_EVERY: Duration = Duration::from_secs(15);

/// What is listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub transport: Transport,
    pub ip: IpAddr,
    /// `None`: connections are opened from there, none is taken.
    pub port: Option<u16>,
}

impl Address {
    /// "udp:127.0.0.1:5070", "tcp:[::]:0", "tcp:192.0.2.1", "tcp:[::1]". Errors: syntax, unsupported.
    pub fn parse(text: &str) -> Result<Self> {
        let (transport, rest) = text.split_once(':').ok_or_else(|| Error::syntax("address: transport:ip:port"))?;
        let transport = match transport {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            "tls" if cfg!(feature = "tls") => Transport::Tls,
            "ws" if cfg!(feature = "websocket") => Transport::Ws,
            "wss" if cfg!(all(feature = "websocket", feature = "tls")) => Transport::Wss,
            "tls" | "ws" | "wss" => {
                return Err(Error::new(ErrorKind::Unsupported, "address: this build does not have this transport"));
            }
            _ => return Err(Error::syntax("address: transport is udp, tcp, tls, ws or wss")),
        };
        if let Ok(address) = rest.parse::<SocketAddr>() {
            return Ok(Self { transport, ip: address.ip(), port: Some(address.port()) });
        }
        let bare = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(rest);
        match bare.parse::<IpAddr>() {
            Ok(ip) if transport != Transport::Udp && ip.is_ipv6() == (bare != rest) => {
                Ok(Self { transport, ip, port: None })
            }
            _ => Err(Error::syntax("address: 192.0.2.1:5060 or [2001:db8::1]:5060 after the transport")),
        }
    }

    pub fn socket_address(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port.unwrap_or(0))
    }
}

/// Takes connections, or is only where they begin.
pub(super) struct Listener {
    socket: Option<Socket>,
    /// As bound.
    pub bound: SocketAddr,
    /// As the peers are told: never a wildcard.
    pub flow: Flow,
    /// Of what it takes; the others it inherits.
    priority: u8,
}

impl Listener {
    /// Errors: system.
    pub fn open(address: &Address, flow: Flow, settings: &Sockets) -> Result<Self> {
        let wanted = address.socket_address();
        if address.port.is_none() {
            return Ok(Self { socket: None, bound: wanted, flow, priority: 0 });
        }
        let system = |error: io::Error| Error::system(&error);
        let socket = stream_socket(wanted).map_err(system)?;
        options::set(&socket, wanted.is_ipv6(), settings)?;
        let open = || {
            socket.set_reuse_address(true)?;
            socket.bind(&wanted.into())?;
            socket.listen(WAITING)?;
            local(&socket)
        };
        let bound = open().map_err(system)?;
        let flow = Flow { local: flow.local.map(|local| SocketAddr::new(local.ip(), bound.port())), ..flow };
        Ok(Self { socket: Some(socket), bound, flow, priority: settings.priority })
    }

    pub fn fd(&self) -> Option<RawFd> {
        self.socket.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// "tcp:127.0.0.1:5060", without the port where none is listened on.
    pub fn text(&self) -> String {
        let transport = self.flow.transport.parameter();
        match (&self.socket, self.bound.ip()) {
            (Some(_), _) => format!("{transport}:{}", self.bound),
            (None, IpAddr::V4(ip)) => format!("{transport}:{ip}"),
            (None, IpAddr::V6(ip)) => format!("{transport}:[{ip}]"),
        }
    }

    /// The next that waits, with both its ends. Errors: none waits, or the system has no descriptor.
    pub fn accept(&self) -> io::Result<(Socket, SocketAddr, SocketAddr)> {
        let listener = self.socket.as_ref().ok_or(io::ErrorKind::WouldBlock)?;
        let (socket, remote) = listener.accept()?;
        socket.set_nonblocking(true)?;
        let remote = remote.as_socket().ok_or(io::ErrorKind::InvalidData)?;
        let local = local(&socket)?;
        tune(&socket);
        if self.priority > 0 {
            let _ = socket.set_priority(self.priority.into());
        }
        Ok((socket, local, remote))
    }

    /// Begins a connection from here to there, with its own end. Errors: system.
    pub fn connect(&self, remote: SocketAddr, settings: &Sockets) -> io::Result<(Socket, SocketAddr)> {
        let socket = stream_socket(remote)?;
        options::set(&socket, remote.is_ipv6(), settings).map_err(io::Error::other)?;
        if !self.bound.ip().is_unspecified() {
            socket.bind(&SockAddr::from(SocketAddr::new(self.bound.ip(), 0)))?;
        }
        tune(&socket);
        match socket.connect(&remote.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
            _ => {
                let local = local(&socket)?;
                Ok((socket, local))
            }
        }
    }
}

/// A socket of the address's family that does not block; IPv6 is IPv6 only, so that one port may be bound for both.
fn stream_socket(address: SocketAddr) -> io::Result<Socket> {
    let kind = Type::STREAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

fn local(socket: &Socket) -> io::Result<SocketAddr> {
    Ok(socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidData)?)
}

/// Wishes: what the system does not grant is done without.
fn tune(socket: &Socket) {
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(SILENCE).with_interval(ASKED_EVERY));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses() {
        for (text, ip, port) in [
            ("udp:127.0.0.1:5070", "127.0.0.1", Some(5070)),
            ("udp:[::]:0", "::", Some(0)),
            ("tcp:127.0.0.1:5070", "127.0.0.1", Some(5070)),
            ("tcp:192.0.2.1", "192.0.2.1", None),
            ("tcp:[2001:db8::1]", "2001:db8::1", None),
            #[cfg(feature = "websocket")]
            ("ws:[::]:0", "::", Some(0)),
            #[cfg(all(feature = "websocket", feature = "tls"))]
            ("wss:192.0.2.1", "192.0.2.1", None),
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!((address.ip, address.port), (ip.parse().expect("an ip"), port), "{text}");
            assert_eq!(Some(address.transport.parameter()), text.split(':').next());
        }
        for (text, kind) in [
            #[cfg(not(feature = "websocket"))]
            ("wss:127.0.0.1:5070", ErrorKind::Unsupported),
            ("sctp:127.0.0.1:5070", ErrorKind::Syntax),
            ("udp:localhost:5070", ErrorKind::Syntax),
            ("udp:127.0.0.1", ErrorKind::Syntax),
            ("tcp:::1", ErrorKind::Syntax),
            ("tcp:[192.0.2.1]", ErrorKind::Syntax),
            ("tcp:", ErrorKind::Syntax),
            ("", ErrorKind::Syntax),
        ] {
            assert_eq!(Address::parse(text).map_err(|error| error.kind), Err(kind), "{text}");
        }
    }
}
