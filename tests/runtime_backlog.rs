//! An agent that is behind takes from its sockets first what belongs to calls, and loses nothing that they hold.
#![cfg(feature = "runtime")]

use sipdlg::ffi::agent::{sipdlg_agent_free, sipdlg_agent_new, sipdlg_agent_stats};
use sipdlg::ffi::config::{sipdlg_config_free, sipdlg_config_new, sipdlg_config_set_log, sipdlg_config_t};
use sipdlg::ffi::runtime::{sipdlg_agent_listen, sipdlg_agent_local_address, sipdlg_agent_run_once};
use sipdlg::ffi::structs::sipdlg_stats_t;
use std::ffi::{CStr, c_char, c_void};
use std::net::{SocketAddr, UdpSocket};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::{Duration, Instant};

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
    listening_as(null())
}

fn listening_as(config: *const sipdlg_config_t) -> (u64, UdpSocket) {
    let mut agent = 0;
    let (mut buffer, mut needed) = ([0_u8; 64], 0);
    // SAFETY: NULL is allowed; text, buffer and out-parameters are ours.
    unsafe {
        assert_eq!(sipdlg_agent_new(config, &raw mut agent), 0);
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

/// The Call-IDs of the answers to one turn, in their order.
fn turn(agent: u64, peer: &UdpSocket, timeout_ms: i32) -> Vec<usize> {
    peer.set_nonblocking(true).expect("a socket");
    let mut order = Vec::new();
    let mut buffer = [0; 2_048];
    assert_eq!(sipdlg_agent_run_once(agent, timeout_ms), 0);
    while let Ok(len) = peer.recv(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
        assert!(text.starts_with("SIP/2.0 481 "), "{text}");
        let call_id = text.split("\r\nCall-ID: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        order.push(call_id.and_then(|number| number.parse().ok()).expect("a number"));
    }
    order
}

/// The same of so many answers.
fn answered(agent: u64, peer: &UdpSocket, count: usize) -> Vec<usize> {
    let mut order = Vec::new();
    for _ in 0..1_000 {
        order.extend(turn(agent, peer, 0));
        if order.len() >= count {
            break;
        }
    }
    order
}

fn stats(agent: u64) -> sipdlg_stats_t {
    // SAFETY: all zero is a place for them, of this size.
    let mut stats: sipdlg_stats_t = unsafe { std::mem::zeroed() };
    stats.size = size_of::<sipdlg_stats_t>();
    // SAFETY: as above.
    assert_eq!(unsafe { sipdlg_agent_stats(agent, &raw mut stats) }, 0);
    stats
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
    let stats = stats(agent);
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

/// While a backlog is worked off, the sockets are looked at after every few requests of it, and nothing overtakes it but
/// what belongs to calls.
#[test]
fn a_backlog_is_worked_off_in_small_pieces_and_in_its_order() {
    let (agent, peer) = listening();
    let from = peer.local_addr().expect("bound");
    let say = |number: usize, tag: &str| peer.send(bye(number, tag, from).as_bytes()).expect("sent");
    (0..140).for_each(|number| {
        say(number, "");
    });
    let mut order = turn(agent, &peer, 0);
    assert!((1..=64).contains(&order.len()), "{}", order.len());
    let begun = order.len();
    say(140, "");
    say(141, ";tag=b");
    order.extend(answered(agent, &peer, 142 - begun));
    let mut expected: Vec<usize> = (0..=140).collect();
    expected.insert(begun, 141);
    assert_eq!(order, expected);
    // A batch of calls alone, and what is new behind it.
    (0..74).for_each(|number| {
        say(200 + number, if number < 64 || number == 73 { ";tag=b" } else { "" });
    });
    let expected: Vec<usize> = (200..264).chain([273]).chain(264..273).collect();
    assert_eq!(answered(agent, &peer, 74), expected);
    assert_eq!(sipdlg_agent_free(agent), 0);
}

/// Who waits in the library wakes at once for what waits in it.
#[test]
fn nobody_sleeps_on_a_backlog() {
    let (agent, peer) = listening();
    let from = peer.local_addr().expect("bound");
    for number in 0..140 {
        peer.send(bye(number, "", from).as_bytes()).expect("sent");
    }
    let began = Instant::now();
    let mut answers = 0;
    while answers < 140 {
        answers += turn(agent, &peer, 20_000).len();
        assert!(began.elapsed() < Duration::from_secs(15), "{answers}");
    }
    assert_eq!(sipdlg_agent_free(agent), 0);
}

/// Beyond what is kept, new requests are dropped, each counted and said of its sender; those of calls are not.
#[test]
fn what_has_no_room_is_counted() {
    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    unsafe extern "C" fn log(_: *mut c_void, _: i32, line: *const c_char) {
        // SAFETY: the library promises a C string.
        LINES.lock().unwrap().push(unsafe { CStr::from_ptr(line) }.to_string_lossy().into_owned());
    }
    let config = sipdlg_config_new();
    // SAFETY: the configuration is new.
    assert_eq!(unsafe { sipdlg_config_set_log(config, 2, Some(log), null_mut()) }, 0);
    let (agent, peer) = listening_as(config);
    let from = peer.local_addr().expect("bound");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    stranger.connect(peer.peer_addr().expect("connected")).expect("a local address");
    let (mut answers, mut sent, mut of_calls) = (0, 0, 0);
    while stats(agent).dropped_behind < 100 {
        // A batch ends with what belongs to calls.
        for number in 0..192 {
            let (socket, tag) = if number % 64 == 63 { (&peer, ";tag=b") } else { (&stranger, "") };
            socket.send(bye(sent + number, tag, from).as_bytes()).expect("sent");
        }
        sent += 192;
        let order = turn(agent, &peer, 0);
        of_calls += order.iter().filter(|number| *number % 64 == 63).count();
        answers += order.len();
        assert!(sent < 100_000, "nothing is dropped");
    }
    assert_eq!(of_calls, sent / 64);
    for _ in 0..10_000 {
        answers += turn(agent, &peer, 0).len();
        if stats(agent).messages_received + stats(agent).dropped_behind >= sent as u64 {
            break;
        }
    }
    let stats = stats(agent);
    assert_eq!(
        (stats.messages_received + stats.dropped_behind, answers as u64),
        (sent as u64, stats.messages_received)
    );
    let lines = LINES.lock().unwrap();
    let behind: Vec<&String> = lines.iter().filter(|line| line.contains("the agent is behind")).collect();
    let from = stranger.local_addr().expect("bound").to_string();
    assert!(!behind.is_empty() && behind.iter().all(|line| line.contains(&from)), "{from} {behind:#?}");
    assert_eq!(sipdlg_agent_free(agent), 0);
    // SAFETY: nobody else has it.
    unsafe { sipdlg_config_free(config) };
}
