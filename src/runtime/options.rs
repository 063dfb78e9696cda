//! What a host wants of the packets of its sockets.

use crate::config::Sockets;
use crate::error::{Error, ErrorKind, Result};
use socket2::Socket;

/// Before the socket is bound. Errors: system, with the name of what it does not grant.
pub(super) fn set(socket: &Socket, v6: bool, settings: &Sockets) -> Result<()> {
    let granted = |name, done: std::io::Result<()>| {
        // The text ends with the number, as that of `Error::system`.
        done.map_err(|error| Error::new(ErrorKind::System, format!("{name}: {error}")))
    };
    if settings.interface.is_some() {
        granted("interface", socket.bind_device(settings.interface.as_deref()))?;
    }
    if settings.dscp > 0 {
        // The two bits below are those of ECN (RFC 3168).
        let class = u32::from(settings.dscp) << 2;
        granted("dscp", if v6 { socket.set_tclass_v6(class) } else { socket.set_tos_v4(class) })?;
    }
    if settings.priority > 0 {
        // Behind it: the system draws one from the other.
        granted("priority", socket.set_priority(settings.priority.into()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Flow, Transport};
    use crate::runtime::listen::{Address, Listener};
    use crate::runtime::udp;
    use socket2::SockRef;
    use std::os::fd::{BorrowedFd, RawFd};

    fn wanted() -> Sockets {
        Sockets { interface: Some(Box::from(&b"lo"[..])), dscp: 40, priority: 5 }
    }

    #[track_caller]
    fn has_all(socket: &Socket, v6: bool) {
        let class = if v6 { socket.tclass_v6() } else { socket.tos_v4() };
        assert_eq!(class.expect("a class"), 160);
        assert_eq!(socket.priority().expect("a priority"), 5);
        assert_eq!(socket.device().expect("a device"), Some(b"lo".to_vec()));
    }

    fn socket_of(fd: RawFd) -> Socket {
        // SAFETY: its owner lives as long as this is looked at.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        SockRef::from(&fd).try_clone().expect("a copy")
    }

    /// Of both families and all kinds: sockets of UDP, listeners, what they take, what is opened from there.
    #[test]
    fn each_socket_has_what_is_wanted() {
        for ip in ["127.0.0.1", "[::1]"] {
            let v6 = ip != "127.0.0.1";
            let address = |text: String| Address::parse(&text).expect("an address");
            let flow = |address: &Address| Flow::new(address.transport, Some(address.socket_address()), None);
            let datagrams = address(format!("udp:{ip}:0"));
            let Ok(bound) = udp::Socket::bind(datagrams.socket_address(), flow(&datagrams), &wanted()) else {
                assert!(v6, "no IPv4 loopback");
                continue;
            };
            has_all(&socket_of(bound.fd()), v6);
            let streams = address(format!("tcp:{ip}:0"));
            let listener = Listener::open(&streams, flow(&streams), &wanted()).expect("a listener");
            has_all(&socket_of(listener.fd().expect("a socket")), v6);
            let (ours, _) = listener.connect(listener.bound, &wanted()).expect("connected");
            has_all(&ours, v6);
            let theirs = std::iter::repeat_with(|| listener.accept()).find_map(Result::ok).expect("one comes");
            has_all(&theirs.0, v6);
        }
    }

    #[test]
    fn what_is_not_granted_is_named() {
        let settings = Sockets { interface: Some(Box::from(&b"none0"[..])), ..Sockets::default() };
        let address = Address::parse("udp:127.0.0.1:0").expect("an address");
        let flow = Flow::new(Transport::Udp, Some(address.socket_address()), None);
        let refused = udp::Socket::bind(address.socket_address(), flow, &settings).err().expect("refused");
        assert_eq!(refused.kind, ErrorKind::System);
        assert!(refused.detail.starts_with("interface: "), "{}", refused.detail);
        assert!(refused.detail.ends_with(&format!("(os error {})", libc::ENODEV)), "{}", refused.detail);
    }
}
