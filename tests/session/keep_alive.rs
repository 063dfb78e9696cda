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
