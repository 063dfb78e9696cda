//! UDP sockets: opened, read and written in batches.

use super::PAUSE;
use super::pages::Pages;
use crate::config::Sockets;
use crate::error::{Error, Result};
use crate::flow::Flow;
use socket2::SockRef;
use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::thread;

/// Datagrams of one system call.
pub(crate) const BATCH: usize = 64;
/// The largest payload of UDP.
const DATAGRAM: usize = 65_535;
/// Buffers do not all begin at the same place of a page, else they would compete for the same lines of the cache.
const STRIDE: usize = DATAGRAM + 1 + 9 * 64;
/// What is asked for; the kernel gives what its limits allow.
const SOCKET_BUFFER: libc::c_int = 4 << 20;

/// Room for the name of a sender.
const NAME: libc::socklen_t = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;

/// A bound socket.
pub(crate) struct Socket {
    socket: UdpSocket,
    /// As bound.
    pub(crate) bound: SocketAddr,
    /// As the peers are told: never a wildcard.
    pub(crate) flow: Flow,
}

impl Socket {
    /// Binds to `address`; peers are told `flow`, but for its port.
    pub(crate) fn bind(address: SocketAddr, flow: Flow, options: &Sockets) -> Result<Self> {
        let socket = open(address, options)?;
        let bound = socket.local_addr().map_err(system)?;
        let local = flow.local.map(|local| SocketAddr::new(local.ip(), bound.port()));
        Ok(Self { socket, bound, flow: Flow { local, ..flow } })
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

fn system(error: io::Error) -> Error {
    Error::system(&error)
}

/// A socket of the address's family; IPv6 is IPv6 only, so that one port may be bound for both.
fn open(address: SocketAddr, options: &Sockets) -> Result<UdpSocket> {
    use std::os::fd::FromRawFd;
    let family = if address.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    // SAFETY: no pointers.
    let fd = unsafe { libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0) };
    if fd < 0 {
        return Err(system(io::Error::last_os_error()));
    }
    // SAFETY: the descriptor is new and nobody else's.
    let socket = unsafe { UdpSocket::from_raw_fd(fd) };
    if address.is_ipv6() {
        set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1);
    }
    let (level, option) =
        if address.is_ipv6() { (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) } else { (libc::IPPROTO_IP, libc::IP_RECVERR) };
    set_option(fd, level, option, 1);
    set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, SOCKET_BUFFER);
    set_option(fd, libc::SOL_SOCKET, libc::SO_SNDBUF, SOCKET_BUFFER);
    super::options::set(&SockRef::from(&socket), address.is_ipv6(), options)?;
    let name = Name::of(address);
    // SAFETY: the name is valid for its length.
    if unsafe { libc::bind(fd, name.pointer(), name.len) } != 0 {
        return Err(system(io::Error::last_os_error()));
    }
    Ok(socket)
}

/// Wishes: what the kernel does not grant is done without.
fn set_option(fd: RawFd, level: libc::c_int, option: libc::c_int, value: libc::c_int) {
    let len = mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the pointer is to an int and the length says so.
    unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), len) };
}

/// The address that a packet to the world would carry: that of the interface of the default route, else loopback.
/// Connecting a UDP socket sends nothing.
pub(super) fn primary_address(v6: bool, options: &Sockets) -> IpAddr {
    let (any, world): (IpAddr, IpAddr) = if v6 {
        (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into())
    } else {
        (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(198, 51, 100, 1).into())
    };
    let found = UdpSocket::bind((any, 0)).and_then(|socket| {
        if options.interface.is_some() {
            SockRef::from(&socket).bind_device(options.interface.as_deref())?;
        }
        socket.connect((world, 5060))?;
        socket.local_addr()
    });
    match found {
        Ok(local) if !local.ip().is_unspecified() => local.ip(),
        _ if v6 => Ipv6Addr::LOCALHOST.into(),
        _ => Ipv4Addr::LOCALHOST.into(),
    }
}

/// A socket address as the kernel wants it.
struct Name {
    storage: libc::sockaddr_storage,
    len: libc::socklen_t,
}

impl Name {
    fn of(address: SocketAddr) -> Self {
        // SAFETY: all zero is a valid sockaddr_storage.
        let mut storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
        let len = write_name(address, &mut storage);
        Self { storage, len }
    }

    fn pointer(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }
}

fn write_name(address: SocketAddr, storage: &mut libc::sockaddr_storage) -> libc::socklen_t {
    match address {
        SocketAddr::V4(v4) => {
            let name = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            // SAFETY: a sockaddr_storage has room and alignment for each kind of name.
            unsafe { (&raw mut *storage).cast::<libc::sockaddr_in>().write(name) };
            mem::size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(v6) => {
            let name = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            };
            // SAFETY: as above.
            unsafe { (&raw mut *storage).cast::<libc::sockaddr_in6>().write(name) };
            mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

pub(super) fn read_name(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match libc::c_int::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that it is one, and a sockaddr_storage is large enough.
            let name = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(name.sin_addr.s_addr.to_ne_bytes());
            Some(SocketAddrV4::new(ip, u16::from_be(name.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let name = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(name.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(name.sin6_port), 0, name.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// Zeroed places for one batch of either direction. Their pointers are set anew before each system call.
struct Batch {
    headers: Vec<libc::mmsghdr>,
    vectors: Vec<libc::iovec>,
    names: Vec<libc::sockaddr_storage>,
}

// SAFETY: the pointers inside are only used during a call that has set them.
unsafe impl Send for Batch {}

impl Batch {
    fn new() -> Self {
        // SAFETY: all zero is a valid value of each of the three.
        let (header, vector, name) = unsafe { (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
        Self { headers: vec![header; BATCH], vectors: vec![vector; BATCH], names: vec![name; BATCH] }
    }

    /// Points header `at` to its name and vector.
    fn point(&mut self, at: usize, data: *mut libc::c_void, len: usize, name_len: libc::socklen_t) {
        let (Some(header), Some(vector), Some(name)) =
            (self.headers.get_mut(at), self.vectors.get_mut(at), self.names.get_mut(at))
        else {
            return;
        };
        *vector = libc::iovec { iov_base: data, iov_len: len };
        header.msg_hdr.msg_name = (&raw mut *name).cast();
        header.msg_hdr.msg_namelen = name_len;
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
    }
}

/// Reads datagrams.
pub(crate) struct Receiver {
    batch: Batch,
    /// Zero pages until a datagram touches them.
    buffer: Pages,
    filled: usize,
}

impl Receiver {
    /// Errors: system.
    pub(crate) fn new() -> Result<Self> {
        let mut receiver = Self { batch: Batch::new(), buffer: Pages::new(BATCH * STRIDE)?, filled: 0 };
        // Nothing here ever grows or shrinks, so the pointers stay good.
        for (at, place) in receiver.buffer.chunks_exact_mut(STRIDE).enumerate() {
            receiver.batch.point(at, place.as_mut_ptr().cast(), DATAGRAM, NAME);
        }
        Ok(receiver)
    }

    /// Reads what `socket` has, at most a batch; how many there were.
    pub(crate) fn fill(&mut self, socket: &Socket) -> usize {
        // The kernel has written the lengths of the names of those that it used.
        for header in self.batch.headers.iter_mut().take(self.filled) {
            header.msg_hdr.msg_namelen = NAME;
        }
        // SAFETY: each of the BATCH headers points to a name and a buffer of the lengths it says; all outlive the call.
        let count = unsafe {
            libc::recvmmsg(
                socket.fd(),
                self.batch.headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        if count < 0 && !is_momentary(&io::Error::last_os_error()) {
            // The socket stays readable, so that who waits for it would not wait.
            thread::sleep(PAUSE);
        }
        self.filled = usize::try_from(count).unwrap_or(0);
        self.filled
    }

    /// The datagrams of the last fill with their senders.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        let places = self.buffer.chunks_exact(STRIDE).zip(&self.batch.headers).zip(&self.batch.names);
        places.take(self.filled).filter_map(|((place, header), name)| {
            let data = place.get(..header.msg_len as usize)?;
            Some((read_name(name)?, data))
        })
    }
}

/// Nothing is here now, or an error that an earlier send left behind (ICMP) and that is gone with this.
fn is_momentary(error: &io::Error) -> bool {
    let momentary = [
        libc::EAGAIN,
        libc::EINTR,
        libc::ECONNREFUSED,
        libc::EHOSTUNREACH,
        libc::ENETUNREACH,
        libc::EHOSTDOWN,
        libc::ENONET,
        libc::ENOPROTOOPT,
        libc::EOPNOTSUPP,
        libc::EMSGSIZE,
        libc::EPROTO,
        libc::EACCES,
    ];
    error.raw_os_error().is_some_and(|number| momentary.contains(&number))
}

/// Writes datagrams.
pub(crate) struct Sender {
    batch: Batch,
}

/// An error that a datagram before has left behind (ICMP) is told once, in place of sending; meanwhile another may come.
const TRIES: usize = 16;

/// What became of the first datagrams of a batch.
pub(crate) enum Sent {
    /// So many are gone.
    Count(usize),
    /// The socket takes no more for now.
    Full,
    /// The first one cannot be sent there.
    Refused,
    /// The first one is lost; nobody need know.
    Lost,
}

impl Default for Sender {
    fn default() -> Self {
        Self { batch: Batch::new() }
    }
}

impl Sender {
    /// Sends at most a batch from `socket`.
    pub(crate) fn send<'a>(
        &mut self,
        socket: &Socket,
        datagrams: impl Iterator<Item = (SocketAddr, &'a [u8])>,
    ) -> Sent {
        let mut count = 0;
        for (to, data) in datagrams.take(BATCH) {
            let Some(name) = self.batch.names.get_mut(count) else { break };
            let name_len = write_name(to, name);
            self.batch.point(count, data.as_ptr().cast_mut().cast(), data.len(), name_len);
            count += 1;
        }
        if count == 0 {
            return Sent::Count(0);
        }
        for again in (0..TRIES).rev() {
            let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
            let headers = self.batch.headers.as_mut_ptr();
            // SAFETY: `count` headers point to names and to data that the kernel only reads; all outlive the call.
            let sent = unsafe { libc::sendmmsg(socket.fd(), headers, count as libc::c_uint, flags as _) };
            if let Ok(sent) = usize::try_from(sent) {
                return Sent::Count(sent);
            }
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => return Sent::Count(0),
                Some(libc::EAGAIN) => return Sent::Full,
                // No room in the kernel: as good as lost on the way.
                Some(libc::ENOBUFS | libc::ENOMEM) => return Sent::Lost,
                // Left behind by a datagram before, or this one's own: then it is there again.
                _ if again > 0 => {}
                Some(libc::ECONNREFUSED) => return Sent::Lost,
                _ => break,
            }
        }
        Sent::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Transport;

    fn bound(address: SocketAddr, link: u64) -> Result<Socket> {
        let mut told = address;
        if address.ip().is_unspecified() {
            told.set_ip(primary_address(address.is_ipv6(), &Sockets::default()));
        }
        Socket::bind(address, Flow { link, ..Flow::new(Transport::Udp, Some(told), None) }, &Sockets::default())
    }

    #[test]
    fn a_batch_goes_and_comes_with_its_addresses() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let address = any.parse().expect("an address");
            let (Ok(alice), Ok(bob)) = (bound(address, 1), bound(address, 2)) else {
                assert!(address.is_ipv6(), "no IPv4 loopback");
                continue;
            };
            let payloads: Vec<Vec<u8>> = (0..100_u8).map(|n| vec![n; usize::from(n) * 300]).collect();
            let (mut sender, mut receiver) = (Sender::default(), Receiver::new().expect("room"));
            let mut seen = 0;
            let mut left = payloads.as_slice();
            while !left.is_empty() {
                let chunk = left.iter().map(|data| (bob.bound, data.as_slice()));
                let Sent::Count(count) = sender.send(&alice, chunk) else { panic!("not sent") };
                assert!(count > 0 && count <= BATCH);
                left = &left[count..];
                while receiver.fill(&bob) > 0 {
                    for (from, data) in receiver.datagrams() {
                        assert_eq!(from, alice.bound);
                        assert_eq!(data, payloads[seen]);
                        seen += 1;
                    }
                }
            }
            assert_eq!(seen, payloads.len());
        }
    }

    #[test]
    fn a_wildcard_is_told_to_peers_as_an_address() {
        let socket = bound("0.0.0.0:0".parse().expect("an address"), 1).expect("bound");
        let local = socket.flow.local.expect("local");
        assert!(socket.bound.ip().is_unspecified() && !local.ip().is_unspecified());
        assert_eq!(local.port(), socket.bound.port());
    }

    #[test]
    fn too_long_is_refused_and_not_lost() {
        let address = "127.0.0.1:0".parse().expect("an address");
        let socket = bound(address, 1).expect("bound");
        let data = vec![0; 70_000];
        let sent = Sender::default().send(&socket, [(socket.bound, data.as_slice())].into_iter());
        assert!(matches!(sent, Sent::Refused));
    }
}
