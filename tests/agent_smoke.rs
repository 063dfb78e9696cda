//! The thinnest path: two agents, one call, no network but a loop.

use sipdlg::agent::{Agent, Body, EventKind, RequestOptions, ResponseOptions};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};
use std::net::SocketAddr;

fn now(ms: u64) -> Now {
    Now { monotonic: Time::from_micros(ms * 1_000), unix_us: ms * 1_000 }
}

struct Party {
    agent: Agent,
    local: SocketAddr,
    trace: Vec<String>,
}

impl Party {
    fn new(port: u16) -> Self {
        let local = SocketAddr::from(([127, 0, 0, 1], port));
        let mut agent = Agent::new(Config::default(), [port as u8; 32], now(0));
        agent.add_transport(&Flow::new(Transport::Udp, Some(local), None), None).expect("transport");
        Self { agent, local, trace: Vec::new() }
    }
}

fn exchange(at: Now, one: &mut Party, two: &mut Party) {
    loop {
        let mut moved = false;
        for (from, to) in [(0, 1), (1, 0)] {
            let (from, to) = if (from, to) == (0, 1) { (&mut *one, &mut *two) } else { (&mut *two, &mut *one) };
            while let Some(out) = from.agent.poll_transmit() {
                moved = true;
                let text = String::from_utf8_lossy(&out.bytes).into_owned();
                from.trace.push(text.lines().next().unwrap_or_default().to_owned());
                let flow = Flow::new(Transport::Udp, Some(to.local), Some(from.local));
                to.agent.receive(at, &flow, &out.bytes).expect("received");
            }
        }
        if !moved {
            return;
        }
    }
}

#[test]
fn a_call() {
    let (mut alice, mut bob) = (Party::new(5061), Party::new(5060));
    let sdp = Body { content: b"v=0\r\n", content_type: None, disposition: None };
    let options = RequestOptions { body: Some(sdp), ..RequestOptions::default() };
    alice.agent.invite(now(1), Some(b"sip:bob@127.0.0.1:5060"), options).expect("invite");
    exchange(now(1), &mut alice, &mut bob);
    let event = bob.agent.poll_event().expect("INVITE");
    assert_eq!(event.kind, EventKind::Invite);
    let incoming = event.incoming.expect("token");
    bob.agent.progress(now(2), incoming, 0, &ResponseOptions::default()).expect("180");
    let answer = ResponseOptions { body: Some(sdp), ..ResponseOptions::default() };
    bob.agent.accept(now(3), incoming, 0, &answer).expect("200");
    exchange(now(4), &mut alice, &mut bob);
    let mut session = None;
    while let Some(event) = alice.agent.poll_event() {
        if event.kind == EventKind::Accept {
            session = event.session;
        }
    }
    while bob.agent.poll_event().is_some() {}
    let session = session.expect("confirmed");
    alice.agent.hangup(now(5), session, 0, RequestOptions::default()).expect("hang up");
    exchange(now(6), &mut alice, &mut bob);
    for last_party in [true, false] {
        let party = if last_party { &mut bob } else { &mut alice };
        let mut last = None;
        while let Some(event) = party.agent.poll_event() {
            last = Some(event.kind);
            party.agent.event_default(now(7), &event).expect("default");
        }
        assert_eq!(last, Some(EventKind::Terminated));
        exchange(now(8), &mut alice, &mut bob);
    }
    assert_eq!(
        alice.trace,
        [
            "INVITE sip:bob@127.0.0.1:5060 SIP/2.0",
            "ACK sip:anonymous@127.0.0.1:5060 SIP/2.0",
            "BYE sip:anonymous@127.0.0.1:5060 SIP/2.0"
        ]
    );
    assert_eq!(bob.trace, ["SIP/2.0 180 Ringing", "SIP/2.0 200 OK", "SIP/2.0 200 OK"]);
    for party in [&mut alice, &mut bob] {
        while let Some(at) = party.agent.next_timeout() {
            party.agent.handle_timeout(Now { monotonic: at, unix_us: 0 });
            assert!(party.agent.poll_transmit().is_none());
        }
        while party.agent.poll_event().is_some() {}
        let stats = party.agent.stats();
        assert_eq!((stats.sessions, stats.incoming, stats.outgoing, stats.transactions, stats.timers), (0, 0, 0, 0, 0));
    }
}
