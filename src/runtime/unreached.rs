//! What errors of ICMP say of datagrams of ours: read off the error queue of a socket (ip(7), IP_RECVERR), which is looked
//! at only where there is something in it.

use super::Host;
use super::links::Listened;
use super::network::Network;
use super::udp::read_name;
use crate::flow::Flow;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::RawFd;

/// Errors of one turn; the others come in the next.
const ERRORS: usize = 64;
/// Of a datagram, that is repeated: more than systems do (RFC 1812 §4.3.2.3, RFC 4443 §2.4).
const QUOTED: usize = 1_280;
/// Room for what comes with it, which is an error and who sent it.
const CONTROL: usize = 256;

/// Destination unreachable, parameter problem (RFC 792, RFC 4443).
const UNREACHABLE: (u8, u8) = (3, 1);
const PROBLEM: (u8, u8) = (12, 4);
/// Of the first: a longer datagram than goes through; it goes again in pieces.
const TOO_BIG: u8 = 4;

/// One entry of the queue.
enum Entry {
    /// The queue is empty.
    None,
    /// It says nothing of what was sent, or of what will be sent again in another way.
    Other,
    /// So much of a datagram that did not arrive there.
    Unreached(SocketAddr, usize),
}

impl Network {
    /// A socket of UDP has something in its error queue.
    #[cold]
    pub(super) fn unreached<H: Host>(&self, host: &'static H, link: u64) {
        let Some(Listened::Datagrams(socket)) = self.links.listened(link) else { return };
        let mut quoted = [0; QUOTED];
        for _ in 0..ERRORS {
            match next(socket.fd(), &mut quoted) {
                Entry::None => break,
                Entry::Other => {}
                Entry::Unreached(remote, length) => {
                    let quoted = quoted.get(..length).unwrap_or_default();
                    let flow = Flow { remote: Some(remote), ..socket.flow };
                    host.with_agent(|agent, now| agent.unreachable(now, &flow, quoted));
                }
            }
        }
    }
}

fn next(fd: RawFd, quoted: &mut [u8]) -> Entry {
    // SAFETY: all zero is a valid value of both.
    let (mut name, mut header): (libc::sockaddr_storage, libc::msghdr) = unsafe { (mem::zeroed(), mem::zeroed()) };
    // As aligned as what lies in it.
    let mut control = [0_u64; CONTROL / 8];
    let mut vector = libc::iovec { iov_base: quoted.as_mut_ptr().cast(), iov_len: quoted.len() };
    header.msg_name = (&raw mut name).cast();
    header.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = CONTROL as _;
    // SAFETY: the header points to a name, a buffer and room of the lengths it says.
    let read = unsafe { libc::recvmsg(fd, &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
    let Ok(length) = usize::try_from(read) else { return Entry::None };
    // SAFETY: the kernel has filled the room, and says how far.
    match (unsafe { is_unreached(&header) }, read_name(&name)) {
        (true, Some(remote)) => Entry::Unreached(remote, length),
        _ => Entry::Other,
    }
}

/// Whether an error says that what was sent cannot arrive (RFC 3261 §18.4). What took too long on its way is lost, and
/// no more.
///
/// # Safety
/// The header is as recvmsg(2) has filled it.
unsafe fn is_unreached(header: &libc::msghdr) -> bool {
    // SAFETY: promised by the caller; the macros of cmsg(3) keep within the room.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(header);
        while !at.is_null() {
            let kind = ((*at).cmsg_level, (*at).cmsg_type);
            if kind == (libc::IPPROTO_IP, libc::IP_RECVERR) || kind == (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) {
                let error = libc::CMSG_DATA(at).cast::<libc::sock_extended_err>().read_unaligned();
                let (kind, code) = (error.ee_type, error.ee_code);
                return match error.ee_origin {
                    libc::SO_EE_ORIGIN_ICMP => kind == PROBLEM.0 || kind == UNREACHABLE.0 && code != TOO_BIG,
                    libc::SO_EE_ORIGIN_ICMP6 => kind == PROBLEM.1 || kind == UNREACHABLE.1,
                    _ => false,
                };
            }
            at = libc::CMSG_NXTHDR(header, at);
        }
    }
    false
}
