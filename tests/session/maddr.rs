//! `maddr` in the top Via (RFC 3261 §18.2.2): only to where the request came from, or to a multicast address of ours,
//! unless the host wants it followed everywhere (the quirk MADDR_ELSEWHERE).

use crate::common::party::{answer_sdp, config};
use crate::common::{ANSWER, OFFER};
use sipdlg::agent::{Agent, EventKind, ResponseOptions, Stats};
use sipdlg::config::quirk;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};
use std::net::SocketAddr;

const SOURCE: &str = "192.0.2.9:4444";
const SOURCE6: &str = "[2001:db8::9]:4444";

fn now(seconds: u64) -> Now {
    Now { monotonic: Time::from_micros(seconds * 1_000_000), unix_us: 0 }
}

struct Stand {
    agent: Agent,
    flow: Flow,
}

impl Stand {
    fn new(elsewhere: bool, transport: Transport, locals: &[&str], source: &str) -> Self {
        let mut config = config("alice");
        let usual = quirk::ALL & !quirk::OFF;
        config.set_tolerance(if elsewhere { usual | quirk::MADDR_ELSEWHERE } else { usual }).unwrap();
        let mut agent = Agent::new(config, [7; 32], now(1));
        for (link, local) in (1..).zip(locals) {
            let flow = Flow { transport, link, local: local.parse().ok(), remote: None };
            agent.add_transport(&flow, None).unwrap();
        }
        let flow = Flow { transport, link: 1, local: locals[0].parse().ok(), remote: source.parse().ok() };
        Self { agent, flow }
    }

    fn receive(&mut self, method: &str, via: &str, more: &str, body: &str) {
        let text = format!(
            "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: {via};branch=z9hG4bK-{method}\r\nMax-Forwards: 70\r\n\
             From: <sip:bob@example.com>;tag=b\r\nTo: <sip:alice@example.com>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:bob@192.0.2.9:4444>\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.agent.receive(now(1), &self.flow, text.as_bytes()).unwrap();
    }

    /// Where all that waits goes.
    fn sent(&mut self) -> Vec<SocketAddr> {
        std::iter::from_fn(|| self.agent.poll_transmit()).filter_map(|transmit| transmit.flow.remote).collect()
    }

    /// Where an OPTIONS that the host is asked about is answered, and what was counted.
    fn options(&mut self, via: &str) -> (String, Stats) {
        self.receive("OPTIONS", via, "", "");
        while let Some(event) = self.agent.poll_event() {
            self.agent.event_default(now(1), &event).unwrap();
        }
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "{via}");
        (sent[0].to_string(), self.agent.stats())
    }
}

#[test]
fn maddr_is_followed_to_the_source_alone() {
    let udp4 = "SIP/2.0/UDP h.example:5080";
    // Source, Via, where to by default and with the quirk, whether it is counted.
    for (source, via, usual, elsewhere, counted) in [
        (SOURCE, format!("{udp4};maddr=192.0.2.9"), "192.0.2.9:5080", "192.0.2.9:5080", false),
        (SOURCE, format!("{udp4};rport;maddr=192.0.2.9"), "192.0.2.9:5080", "192.0.2.9:5080", false),
        (SOURCE, format!("{udp4};maddr=198.51.100.7"), "192.0.2.9:5080", "198.51.100.7:5080", true),
        (SOURCE, format!("{udp4};rport;maddr=198.51.100.7"), "192.0.2.9:4444", "198.51.100.7:5080", true),
        (SOURCE, format!("{udp4};received=198.51.100.7"), "192.0.2.9:5080", "192.0.2.9:5080", false),
        (
            SOURCE,
            "SIP/2.0/UDP 198.51.100.7;received=198.51.100.7;maddr=198.51.100.7".into(),
            "192.0.2.9:5060",
            "198.51.100.7:5060",
            true,
        ),
        (SOURCE, "SIP/2.0/UDP h.example;maddr=224.0.1.75".into(), "192.0.2.9:5060", "224.0.1.75:5060", true),
        (SOURCE, format!("{udp4};maddr=192.0.2.255"), "192.0.2.9:5080", "192.0.2.255:5080", true),
        (SOURCE, format!("{udp4};maddr=127.0.0.1"), "192.0.2.9:5080", "127.0.0.1:5080", true),
        (
            SOURCE6,
            "SIP/2.0/UDP [2001:db8::9];maddr=[2001:DB8:0::9]".into(),
            "[2001:db8::9]:5060",
            "[2001:db8::9]:5060",
            false,
        ),
        (SOURCE6, format!("{udp4};maddr=[2001:db8::7]"), "[2001:db8::9]:5080", "[2001:db8::7]:5080", true),
        (SOURCE6, format!("{udp4};rport;maddr=[2001:db8::7]"), "[2001:db8::9]:4444", "[2001:db8::7]:5080", true),
    ] {
        let local = if source == SOURCE { "192.0.2.1:5060" } else { "[2001:db8::1]:5060" };
        for (quirk, to) in [(false, usual), (true, elsewhere)] {
            let (sent, stats) = Stand::new(quirk, Transport::Udp, &[local], source).options(&via);
            assert_eq!(sent, to, "{via} {quirk}");
            let counts = (stats.maddr_ignored, stats.quirks[8]);
            assert_eq!(counts, (u64::from(counted && !quirk), u64::from(counted && quirk)), "{via} {quirk}");
        }
    }
}

/// A name is not looked up, whoever asks for it: the answer goes to the source, where none went before.
#[test]
fn a_name_in_maddr_is_never_followed() {
    for quirk in [false, true] {
        for (rport, to) in [("", "192.0.2.9:5080"), (";rport", "192.0.2.9:4444")] {
            let via = format!("SIP/2.0/UDP h.example:5080{rport};maddr=victim.example");
            let (sent, stats) = Stand::new(quirk, Transport::Udp, &["192.0.2.1:5060"], SOURCE).options(&via);
            assert_eq!((sent.as_str(), stats.maddr_ignored, stats.quirks[8]), (to, 1, 0), "{quirk}");
        }
    }
}

#[test]
fn maddr_is_followed_to_a_multicast_address_of_ours() {
    let via = "SIP/2.0/UDP h.example:5080;maddr=224.0.1.75";
    for locals in [&["192.0.2.1:5060", "224.0.1.75:5060"][..], &["224.0.1.75:5060"]] {
        let (sent, stats) = Stand::new(false, Transport::Udp, locals, SOURCE).options(via);
        assert_eq!((sent.as_str(), stats.maddr_ignored, stats.quirks[8]), ("224.0.1.75:5080", 0, 0), "{locals:?}");
    }
    // An address of ours that is no multicast one: nobody answers himself.
    let via = "SIP/2.0/UDP h.example:5080;maddr=192.0.2.1";
    let (sent, stats) = Stand::new(false, Transport::Udp, &["192.0.2.1:5060"], SOURCE).options(via);
    assert_eq!((sent.as_str(), stats.maddr_ignored), ("192.0.2.9:5080", 1));
}

/// On a connection the answer goes back by that.
#[test]
fn maddr_means_nothing_on_a_connection() {
    for quirk in [false, true] {
        for transport in [Transport::Tcp, Transport::Tls, Transport::Ws] {
            let via = format!("SIP/2.0/{} h.example;maddr=198.51.100.7", transport.via_name());
            let (sent, stats) = Stand::new(quirk, transport, &["192.0.2.1:5060"], SOURCE).options(&via);
            assert_eq!((sent.as_str(), stats.maddr_ignored, stats.quirks[8]), (SOURCE, 0, 0), "{transport:?}");
        }
    }
}

/// Whoever answers: a rule, the limit of a message, the parser, a CANCEL; and each is counted once.
#[test]
fn every_answer_takes_the_same_way() {
    let via = "SIP/2.0/UDP h.example:5080;maddr=198.51.100.7";
    for (quirk, to) in [(false, "192.0.2.9:5080"), (true, "198.51.100.7:5080")] {
        for (method, more, body) in [
            ("OPTIONS", "Require: nonsense\r\n", String::new()),
            ("INVITE", "Require: nonsense\r\n", String::new()),
            ("OPTIONS", "Max-Forwards: 70\r\n", String::new()),
            ("OPTIONS", "", "x".repeat(70_000)),
            ("CANCEL", "", String::new()),
            ("BYE", "", String::new()),
        ] {
            let mut stand = Stand::new(quirk, Transport::Udp, &["192.0.2.1:5060"], SOURCE);
            stand.receive(method, via, more, &body);
            let sent = stand.sent();
            assert!(!sent.is_empty() && sent.iter().all(|at| at.to_string() == to), "{method} {more} {sent:?}");
            let stats = stand.agent.stats();
            assert_eq!((stats.maddr_ignored, stats.quirks[8]), if quirk { (0, 1) } else { (1, 0) }, "{method} {more}");
        }
    }
}

/// An INVITE: its 100, 180, 200 and all repeats.
#[test]
fn every_answer_to_an_invite_takes_the_same_way() {
    let via = "SIP/2.0/UDP h.example:5080;maddr=198.51.100.7";
    for (quirk, to) in [(false, "192.0.2.9:5080"), (true, "198.51.100.7:5080")] {
        let mut stand = Stand::new(quirk, Transport::Udp, &["192.0.2.1:5060"], SOURCE);
        stand.receive("INVITE", via, "Content-Type: application/sdp\r\n", OFFER);
        let event = std::iter::from_fn(|| stand.agent.poll_event()).find(|event| event.kind == EventKind::Invite);
        let incoming = event.unwrap().incoming.unwrap();
        stand.agent.progress(now(1), incoming, 180, &ResponseOptions::default()).unwrap();
        stand.agent.accept(now(1), incoming, 200, &answer_sdp(ANSWER)).unwrap();
        for second in 2..8 {
            stand.agent.handle_timeout(now(second));
        }
        let sent = stand.sent();
        assert!(sent.len() >= 5 && sent.iter().all(|at| at.to_string() == to), "{sent:?}");
        let stats = stand.agent.stats();
        assert_eq!((stats.maddr_ignored, stats.quirks[8]), if quirk { (0, 1) } else { (1, 0) });
    }
}
