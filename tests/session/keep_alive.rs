//! Keep-alives between messages (RFC 5626 §3.5.1, §4.4.1; RFC 7118 §6): a ping gets its pong wherever there is a connection.

use crate::common::pair::{ALICE, BOB};
use crate::common::party::config;
use sipdlg::agent::Agent;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};

const NOW: Now = Now { monotonic: Time::from_micros(0), unix_us: 0 };

fn agent(transport: Transport) -> (Agent, Flow) {
    let address = |text: &str| Some(text.parse().expect("an address"));
    let mut agent = Agent::new(config("alice"), [1; 32], NOW);
    agent.add_transport(&Flow { link: 5, ..Flow::new(transport, address(ALICE), None) }, None).expect("a transport");
    (agent, Flow { link: 7, ..Flow::new(transport, address(ALICE), address(BOB)) })
}

#[test]
fn a_ping_gets_its_pong_on_its_connection() {
    // What comes, how many pongs go.
    let rows: [(&[u8], usize); 5] = [(b"\r\n\r\n", 1), (b"\r\n", 0), (b"", 0), (b"\r\n\r\n\r\n", 1), (b"\n\n", 0)];
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
        for (bytes, pongs) in rows {
            // A stream has no blank lines of another kind, and its next message may begin with them.
            if transport.is_stream() && bytes.starts_with(b"\n") {
                continue;
            }
            let (mut agent, flow) = agent(transport);
            agent.receive(NOW, &flow, bytes).expect("taken");
            let sent: Vec<_> =
                std::iter::from_fn(|| agent.poll_transmit()).map(|out| (out.bytes.to_vec(), out.flow)).collect();
            let expected = if transport == Transport::Udp { 0 } else { pongs };
            assert_eq!(sent, vec![(b"\r\n".to_vec(), flow); expected], "{transport:?} {bytes:?}");
            assert_eq!(agent.stats().dropped_malformed, 0, "{transport:?} {bytes:?}");
        }
    }
}

/// RFC 3261 §7.5: blank lines before a message are skipped, in one WebSocket message too.
#[test]
fn a_message_behind_a_ping_is_read() {
    let message = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS c.invalid;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
                   From: <sip:c@d>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    for (before, pongs) in [("", 0), ("\r\n", 0), ("\r\n\r\n", 1)] {
        let (mut agent, flow) = agent(Transport::Ws);
        agent.receive(NOW, &flow, [before, message].concat().as_bytes()).expect("taken");
        assert!(agent.poll_event().is_some(), "{before:?}");
        assert_eq!(std::iter::from_fn(|| agent.poll_transmit()).count(), pongs, "{before:?}");
    }
}

/// At so many seconds.
fn at(seconds: u64) -> Now {
    Now { monotonic: Time::from_micros(seconds * 1_000_000), unix_us: 0 }
}

/// What goes out up to some second: when, and what.
fn sent_until(agent: &mut Agent, end: u64) -> Vec<(u64, Vec<u8>, Flow)> {
    std::iter::from_fn(|| next_sent(agent, end)).collect()
}

/// The next of these.
fn next_sent(agent: &mut Agent, end: u64) -> Option<(u64, Vec<u8>, Flow)> {
    while let Some(due) = agent.next_timeout().filter(|due| *due <= at(end).monotonic) {
        agent.handle_timeout(Now { monotonic: due, unix_us: 0 });
        if let Some(out) = agent.poll_transmit() {
            return Some((due.as_micros() / 1_000_000, out.bytes.to_vec(), out.flow));
        }
    }
    None
}

const CONNECTIONS: [Transport; 4] = [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

/// RFC 5626 §4.4: a little sooner than asked for, never twice in the same time.
#[test]
fn a_flow_is_kept_alive() {
    for transport in CONNECTIONS.into_iter().chain([Transport::Udp]) {
        let (mut agent, flow) = agent(transport);
        agent.keep_alive(NOW, &flow, 100).expect("kept");
        let (mut last, mut waits) = (0, Vec::new());
        for _ in 0..20 {
            let (when, bytes, by) = next_sent(&mut agent, last + 101).expect("a ping");
            assert_eq!((&bytes[..], by), (&b"\r\n\r\n"[..], flow));
            assert!((79..=101).contains(&(when - last)), "{}", when - last);
            waits.push(when - last);
            last = when;
            agent.receive(at(last), &flow, b"\r\n").expect("taken");
        }
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 5, "{waits:?}");
        agent.keep_alive(at(last), &flow, 0).expect("no more");
        assert_eq!((agent.next_timeout(), agent.stats().timers), (None, 0));
    }
}

/// §4.4.1: without a pong for ten seconds a connection is dead. Whatever comes is a sign of life.
#[test]
fn a_connection_that_says_nothing_is_dead() {
    for transport in CONNECTIONS {
        for (interval, answers) in [(30, 0), (30, 1), (30, 3), (2, 0), (2, 1)] {
            let (mut agent, flow) = agent(transport);
            agent.keep_alive(NOW, &flow, interval).expect("kept");
            let mut last = 0;
            for _ in 0..answers {
                last = next_sent(&mut agent, last + u64::from(interval) + 2).expect("a ping").0;
                agent.receive(at(last + 1), &flow, b"\r\n").expect("taken");
            }
            let sent = sent_until(&mut agent, last + 1_000);
            let (first, end) = (sent.first().expect("a ping"), sent.last().expect("an end"));
            assert!(sent[..sent.len() - 1].iter().all(|(_, bytes, _)| bytes == b"\r\n\r\n"));
            assert_eq!((&end.1[..], end.2), (&b""[..], flow), "{transport:?}");
            assert_eq!(end.0 - first.0, 10, "{transport:?} {interval} {answers}");
            assert_eq!(agent.stats().timers, 0, "once");
        }
    }
}

#[test]
fn nothing_is_waited_for_over_udp() {
    let (mut agent, flow) = agent(Transport::Udp);
    agent.keep_alive(NOW, &flow, 25).expect("kept");
    let other = Flow { remote: Some("192.0.2.77:5060".parse().expect("an address")), ..flow };
    agent.keep_alive(NOW, &other, 50).expect("kept");
    let sent = sent_until(&mut agent, 1_000);
    let to = |flow: Flow| sent.iter().filter(|(_, bytes, by)| bytes == b"\r\n\r\n" && *by == flow).count();
    assert!((40..=50).contains(&to(flow)) && (20..=25).contains(&to(other)), "{} {}", to(flow), to(other));
    assert_eq!(to(flow) + to(other), sent.len());
    assert!(agent.link_closed(at(1_000), flow.link) || agent.stats().timers == 0);
    assert_eq!(agent.stats().timers, 0, "both went by that socket");
}

#[test]
fn a_connection_that_is_closed_is_not_kept_alive() {
    let (mut agent, flow) = agent(Transport::Tcp);
    agent.keep_alive(NOW, &flow, 30).expect("kept");
    agent.keep_alive(NOW, &flow, 60).expect("another interval");
    assert_eq!(agent.stats().timers, 1);
    agent.link_closed(at(1), flow.link);
    assert_eq!((agent.stats().timers, sent_until(&mut agent, 1_000).len()), (0, 0));
}

/// Two pongs are no ping, and the ping of a peer is one, pongs beside it or not.
#[test]
fn a_pong_is_no_half_of_a_ping() {
    let (mut agent, flow) = agent(Transport::Tcp);
    agent.keep_alive(NOW, &flow, 20).expect("kept");
    let mut last = 0;
    for (comes, pongs) in [("\r\n", 0), ("\r\n", 0), ("\r\n\r\n\r\n", 1), ("\r\n\r\n", 1), ("\r\n", 0)] {
        last = next_sent(&mut agent, last + 21).expect("a ping").0;
        agent.receive(at(last), &flow, comes.as_bytes()).expect("taken");
        let sent = std::iter::from_fn(|| agent.poll_transmit()).map(|out| out.bytes.to_vec()).collect::<Vec<_>>();
        assert_eq!(sent, vec![b"\r\n".to_vec(); pongs], "{comes:?}");
    }
}

#[test]
fn what_cannot_be_kept_alive() {
    let (mut agent, flow) = agent(Transport::Tcp);
    for (flow, interval) in [(Flow { remote: None, ..flow }, 30), (Flow { link: 0, ..flow }, 30), (flow, 86_401)] {
        assert!(agent.keep_alive(NOW, &flow, interval).is_err(), "{flow:?} {interval}");
    }
    assert_eq!(agent.stats().timers, 0);
}
