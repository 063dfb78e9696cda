//! What WebSockets cost on which nothing is under way. Alone in its process, whose memory it measures.
#![cfg(all(feature = "runtime", feature = "websocket", target_os = "linux"))]

use sipdlg::ffi::agent::{sipdlg_agent_free, sipdlg_agent_new};
use sipdlg::ffi::runtime::{sipdlg_agent_listen, sipdlg_agent_local_address, sipdlg_agent_start};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ptr::{null, null_mut};

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

/// Resident memory, in bytes.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("proc");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4_096
}

fn open(address: SocketAddr) -> TcpStream {
    let mut peer = TcpStream::connect(address).expect("connected");
    peer.write_all(UPGRADE.as_bytes()).expect("written");
    let count = peer.read(&mut [0; 1_024]).expect("an answer");
    assert!(count > 100);
    peer
}

/// Neither the upgrade nor a long message leaves a buffer behind.
#[test]
fn a_thousand_that_wait() {
    let mut agent = 0;
    let mut text = [0_u8; 64];
    // SAFETY: NULL is allowed; texts and out-parameters are ours.
    unsafe {
        assert_eq!(sipdlg_agent_new(null(), &raw mut agent), 0);
        assert_eq!(sipdlg_agent_listen(agent, c"ws:127.0.0.1:0".as_ptr()), 0);
        assert_eq!(sipdlg_agent_local_address(agent, 0, text.as_mut_ptr().cast(), 64, null_mut()), 0);
    }
    assert_eq!(sipdlg_agent_start(agent, 1, 1), 0);
    let text = std::ffi::CStr::from_bytes_until_nul(&text).expect("a text").to_str().expect("UTF-8");
    let address = text.strip_prefix("ws:").expect("ws").parse().expect("an address");
    let mut peers: Vec<TcpStream> = (0..50).map(|_| open(address)).collect();
    let before = resident();
    peers.extend((0..1_000).map(|_| open(address)));
    let opened = resident().saturating_sub(before) / 1_000;
    assert!(opened < 3_000, "{opened} bytes a connection");
    for (number, peer) in peers.iter_mut().enumerate() {
        let body = "x".repeat(20_000);
        let message = format!(
            "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\nFrom: <sip:b@c>;tag={number}\r\n\
             To: <sip:a>\r\nCall-ID: {number}\r\nCSeq: 1 OPTIONS\r\n\r\n{body}"
        );
        let len = u16::try_from(message.len()).expect("short").to_be_bytes();
        // A mask of 0 changes nothing.
        peer.write_all(&[&[0x82, 0xfe], &len[..], &[0; 4], message.as_bytes()].concat()).expect("written");
        assert!(peer.read(&mut [0; 2_048]).expect("an answer") > 100);
    }
    let used = resident().saturating_sub(before) / 1_000;
    assert!(used < 6_000, "{used} bytes a connection");
    drop(peers);
    assert_eq!(sipdlg_agent_free(agent), 0);
}
