//! An agent that is behind takes from its sockets first what belongs to calls, and loses nothing that they hold.
#![cfg(feature = "runtime")]

use sipdlg::ffi::agent::{sipdlg_agent_free, sipdlg_agent_new, sipdlg_agent_stats};
use sipdlg::ffi::runtime::{sipdlg_agent_listen, sipdlg_agent_local_address, sipdlg_agent_run_once};
use sipdlg::ffi::structs::sipdlg_stats_t;
use std::net::{SocketAddr, UdpSocket};
use std::ptr::null;
use std::time::Duration;

/// Of no call that is here, so the library answers it at once.
fn bye(number: usize, to_tag: &str, from: SocketAddr) -> String {
    format!(
        "BYE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:alice@127.0.0.1>;tag=a{number}\r\nTo: <sip:bob@127.0.0.1>{to_tag}\r\nCall-ID: {number}\r\n\
         CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
    )
}

/// An agent that listens, and a socket of a peer.
fn listening() -> (u64, UdpSocket) {
    let mut agent = 0;
    let (mut buffer, mut needed) = ([0_u8; 64], 0);
    // SAFETY: NULL is allowed; text, buffer and out-parameters are ours.
    unsafe {
        assert_eq!(sipdlg_agent_new(null(), &raw mut agent), 0);
        assert_eq!(sipdlg_agent_listen(agent, c"udp:127.0.0.1:0".as_ptr()), 0);
        let status = sipdlg_agent_local_address(agent, 0, buffer.as_mut_ptr().cast(), buffer.len(), &raw mut needed);
        assert_eq!(status, 0);
    }
    let address = std::str::from_utf8(&buffer[..needed]).expect("text").strip_prefix("udp:").expect("udp");
    let peer = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    peer.connect(address).expect("a local address");
    peer.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    (agent, peer)
}

/// The Call-IDs of so many answers, in their order.
fn answered(agent: u64, peer: &UdpSocket, count: usize) -> Vec<usize> {
    peer.set_nonblocking(true).expect("a socket");
    let mut order = Vec::new();
    let mut buffer = [0; 2_048];
    for _ in 0..1_000 {
        assert_eq!(sipdlg_agent_run_once(agent, 0), 0);
        while let Ok(len) = peer.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            assert!(text.starts_with("SIP/2.0 481 "), "{text}");
            let call_id = text.split("\r\nCall-ID: ").nth(1).and_then(|rest| rest.split("\r\n").next());
            order.push(call_id.and_then(|number| number.parse().ok()).expect("a number"));
        }
        if order.len() >= count {
            break;
        }
    }
    order
}

#[test]
fn what_belongs_to_calls_comes_first() {
    let (agent, peer) = listening();
    let from = peer.local_addr().expect("bound");
    // Fewer than the smallest buffer holds, and two full batches.
    for number in 0..140 {
        let tag = if number == 139 { ";tag=b" } else { "" };
        peer.send(bye(number, tag, from).as_bytes()).expect("sent");
    }
    let order = answered(agent, &peer, 140);
    let expected: Vec<usize> = std::iter::once(139).chain(0..139).collect();
    assert_eq!(order, expected);
    // What is no flood comes in its order, whatever it is.
    for number in 200..260 {
        let tag = if number % 2 == 1 { ";tag=b" } else { "" };
        peer.send(bye(number, tag, from).as_bytes()).expect("sent");
    }
    assert_eq!(answered(agent, &peer, 60), (200..260).collect::<Vec<_>>());
    // SAFETY: all zero is a place for them, of this size.
    let mut stats: sipdlg_stats_t = unsafe { std::mem::zeroed() };
    stats.size = size_of::<sipdlg_stats_t>();
    // SAFETY: as above.
    assert_eq!(unsafe { sipdlg_agent_stats(agent, &raw mut stats) }, 0);
    assert_eq!((stats.messages_received, stats.dropped_behind), (200, 0));
    assert_eq!(sipdlg_agent_free(agent), 0);
}

/// Nothing of a backlog waits for the next datagram, and an agent may end with one.
#[test]
fn what_waits_is_taken_without_more_coming() {
    let (agent, peer) = listening();
    let from = peer.local_addr().expect("bound");
    for number in 0..140 {
        peer.send(bye(number, "", from).as_bytes()).expect("sent");
    }
    // One turn reads all and takes a part of it; the next ones need no datagram.
    assert_eq!(answered(agent, &peer, 140), (0..140).collect::<Vec<_>>());
    for number in 0..140 {
        peer.send(bye(1_000 + number, "", from).as_bytes()).expect("sent");
    }
    assert_eq!(sipdlg_agent_free(agent), 0);
}
