//! An agent whose host and peers do anything says what it holds, whenever it is asked, and holds nothing at the end:
//! against an allocator that counts.

#![allow(missing_docs)]

#[path = "common/counting.rs"]
mod counting;

use counting::{Counting, held};
use sipdlg::agent::options::{request_flag, response_flag};
use sipdlg::agent::{Agent, Body, Event, EventKind, OutgoingId, RequestOptions, ResponseOptions};
use sipdlg::config::Config;
use sipdlg::flow::{Flow, Transport};
use sipdlg::time::{Now, Time};
use std::collections::VecDeque;
use std::net::SocketAddr;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
const LOCAL: &str = "192.0.2.1:5060";

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).expect("31 bits") % sides
    }
}

/// A dialog as a peer knows it.
#[derive(Clone)]
struct Known {
    call: String,
    theirs: String,
    ours: String,
    cseq: u32,
}

struct World {
    agent: Agent,
    micros: u64,
    dice: Dice,
    number: usize,
    known: Vec<Known>,
    /// What the peers said and heard last.
    said: VecDeque<(Flow, String)>,
    heard: VecDeque<String>,
    events: VecDeque<Event>,
    /// Our INVITEs, which only their host ends when they ring for ever.
    placed: Vec<OutgoingId>,
}

fn flow(transport: Transport, link: u64, from: usize) -> Flow {
    let remote =
        if from % 2 == 0 { format!("203.0.113.{}:5060", from + 1) } else { format!("[2001:db8:{from}::9]:5060") };
    let remote: SocketAddr = remote.parse().expect("an address");
    Flow { link, ..Flow::new(transport, LOCAL.parse().ok(), Some(remote)) }
}

fn header<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

fn tag(value: &str) -> &str {
    value.split_once(";tag=").map_or("", |(_, tag)| tag)
}

impl World {
    fn new(seed: u64, shares: bool) -> Self {
        let mut config = Config::default();
        config.set_aor(b"sip:alice@example.com").expect("an AOR");
        config.set_memory(16 << 20, if shares { 1 << 20 } else { 0 }).expect("good numbers");
        let now = Now { monotonic: Time::from_micros(0), unix_us: 0 };
        let mut agent = Agent::new(config, [1; 32], now);
        for (link, transport) in [(1, Transport::Udp), (2, Transport::Tcp)] {
            agent
                .add_transport(&Flow { link, ..Flow::new(transport, LOCAL.parse().ok(), None) }, None)
                .expect("a transport");
        }
        let (said, heard, events) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self {
            agent,
            micros: 0,
            dice: Dice(seed),
            number: 0,
            known: Vec::new(),
            said,
            heard,
            events,
            placed: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        Now { monotonic: Time::from_micros(self.micros), unix_us: self.micros }
    }

    fn says(&mut self, flow: Flow, text: String) {
        let now = self.now();
        let _ = self.agent.receive(now, &flow, text.as_bytes());
        self.said.push_back((flow, text));
        if self.said.len() > 20 {
            self.said.pop_front();
        }
    }

    fn way(&mut self) -> Flow {
        let from = self.dice.roll(6);
        match self.dice.roll(4) {
            0 => flow(Transport::Tcp, 100 + from as u64, from),
            _ => flow(Transport::Udp, 1, from),
        }
    }

    fn request(&mut self, method: &str, known: &Known, more: &str, body: &str) -> String {
        self.number += 1;
        let to = if known.ours.is_empty() { String::new() } else { format!(";tag={}", known.ours) };
        let long = if self.dice.roll(8) == 0 { "l".repeat(self.dice.roll(20_000)) } else { String::new() };
        let via = if self.dice.roll(10) == 0 {
            ", SIP/2.0/UDP h;branch=z9hG4bKx".repeat(self.dice.roll(60))
        } else {
            String::new()
        };
        format!(
            "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bK{}{via}\r\nMax-Forwards: 70\r\n\
             From: <sip:x@example.org>;tag={}\r\nTo: <sip:alice@example.com>{to}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\n\
             Contact: <sip:x@203.0.113.1>\r\nX: {long}\r\n{more}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            self.number,
            known.theirs,
            known.call,
            known.cseq,
            body.len()
        )
    }

    /// A peer's request or response, a repeat, a piece of one, the end of a connection.
    fn peer_acts(&mut self) {
        let way = self.way();
        let body = ["", SDP][self.dice.roll(2)];
        match self.dice.roll(16) {
            0..=2 => {
                self.number += 1;
                let known = Known {
                    call: format!("c{}", self.number),
                    theirs: format!("t{}", self.number),
                    ours: String::new(),
                    cseq: 1,
                };
                let routes = self.dice.roll(20);
                let more: String =
                    (0..routes).map(|at| format!("Record-Route: <sip:p{at}.example.org;lr>\r\n")).collect();
                let more =
                    more + ["", "Supported: 100rel\r\n", "Require: 100rel\r\n", "Expires: 20\r\n"][self.dice.roll(4)];
                let method = ["INVITE", "INVITE", "INVITE", "MESSAGE", "OPTIONS", "REFER", "SUBSCRIBE", "FOO"]
                    [self.dice.roll(8)];
                let more = if method == "REFER" { more + "Refer-To: <sip:carol@example.com>\r\n" } else { more };
                let text = self.request(method, &known, &more, body);
                if method == "INVITE" || method == "REFER" {
                    self.known.push(known);
                }
                self.says(way, text);
            }
            3..=8 if !self.known.is_empty() => {
                let at = self.dice.roll(self.known.len());
                self.known[at].cseq += 1;
                let known = self.known[at].clone();
                let rows = [
                    ("INFO", ""),
                    ("BYE", ""),
                    ("INVITE", ""),
                    ("ACK", ""),
                    ("PRACK", "RAck: 1 1 INVITE\r\n"),
                    ("UPDATE", ""),
                    ("MESSAGE", ""),
                    ("NOTIFY", "Event: refer\r\nSubscription-State: active\r\n"),
                    ("SUBSCRIBE", "Event: refer\r\nExpires: 30\r\n"),
                    ("REFER", "Refer-To: <sip:carol@example.com>\r\n"),
                    ("OPTIONS", ""),
                    ("CANCEL", ""),
                    ("REFER", "Refer-To: <sip:c@d>\r\n"),
                ];
                let (method, more) = rows[self.dice.roll(rows.len())];
                let mut text = self.request(method, &known, more, body);
                if method == "ACK" {
                    // That of the INVITE.
                    text = text.replace(&format!("CSeq: {} ACK", known.cseq), "CSeq: 1 ACK");
                }
                self.says(way, text);
            }
            9..=12 if !self.heard.is_empty() => {
                let at = self.dice.roll(self.heard.len());
                let text = self.heard[at].clone();
                if text.starts_with("SIP/2.0") {
                    // An ACK or PRACK of what we answered.
                    let reliable = header(&text, "RSeq");
                    let (from, to, call) =
                        (tag(header(&text, "From")), tag(header(&text, "To")), header(&text, "Call-ID"));
                    let known = Known {
                        call: call.to_owned(),
                        theirs: from.to_owned(),
                        ours: to.to_owned(),
                        cseq: if reliable.is_empty() { 1 } else { 40 },
                    };
                    let rack = format!("RAck: {reliable} 1 INVITE\r\n");
                    let text = if reliable.is_empty() {
                        self.request("ACK", &known, "", body)
                    } else {
                        self.request("PRACK", &known, &rack, body)
                    };
                    return self.says(way, text);
                }
                let status = [100, 180, 183, 200, 200, 202, 302, 401, 404, 408, 481, 486, 491, 503][self.dice.roll(14)];
                let fork = self.dice.roll(4);
                let challenges = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n".repeat(self.dice.roll(3));
                let routes: String =
                    (0..self.dice.roll(30)).map(|at| format!("Record-Route: <sip:p{at}.example.org;lr>\r\n")).collect();
                let more = if self.dice.roll(3) == 0 {
                    format!("Require: 100rel\r\nRSeq: {}\r\n", 1 + self.dice.roll(4))
                } else {
                    String::new()
                };
                let target =
                    ["sip:b@203.0.113.1", "sip:b@gw.example.org", "sip:b@203.0.113.1;transport=tcp"][self.dice.roll(3)];
                let to = header(&text, "To");
                let to = if to.contains(";tag=") { to.to_owned() } else { format!("{to};tag=f{fork}") };
                let answer = format!(
                    "SIP/2.0 {status} {}\r\nVia: {}\r\nFrom: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <{target}>\r\n{routes}{challenges}{more}\
                     Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
                    "phrase ".repeat(self.dice.roll(30)),
                    header(&text, "Via"),
                    header(&text, "From"),
                    header(&text, "Call-ID"),
                    header(&text, "CSeq"),
                    body.len()
                );
                self.says(way, answer);
            }
            13 if !self.said.is_empty() => {
                let at = self.dice.roll(self.said.len());
                let (flow, text) = self.said[at].clone();
                let text = if self.dice.roll(2) == 0 {
                    text
                } else {
                    text.replacen("INVITE ", "CANCEL ", 1).replace(" INVITE\r\n", " CANCEL\r\n")
                };
                self.says(flow, text);
            }
            14 => {
                let link = 100 + self.dice.roll(6) as u64;
                let half =
                    "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\n".repeat(self.dice.roll(100));
                let now = self.now();
                let from = usize::try_from(link - 100).expect("small");
                let _ = self.agent.receive(now, &flow(Transport::Tcp, link, from), half.as_bytes());
                if self.dice.roll(2) == 0 {
                    self.agent.link_closed(now, link);
                }
            }
            _ => {
                self.micros += [1_000, 600_000, 5_000_000, 40_000_000][self.dice.roll(4)];
                let now = self.now();
                self.agent.handle_timeout(now);
            }
        }
    }

    fn host_acts(&mut self) {
        let now = self.now();
        let pick = |dice: &mut Dice, len: usize| dice.roll(len.max(1));
        let incoming: Vec<_> = self.events.iter().filter_map(|event| event.incoming).collect();
        let outgoing: Vec<_> = self.events.iter().filter_map(|event| event.outgoing).collect();
        let (mut sessions, mut at) = (Vec::new(), None);
        while let Some(session) = self.agent.next_session(at) {
            sessions.push(session);
            at = Some(session);
        }
        let incoming = incoming.get(pick(&mut self.dice, incoming.len())).copied();
        let outgoing = outgoing.get(pick(&mut self.dice, outgoing.len())).copied();
        let session = sessions.get(pick(&mut self.dice, sessions.len())).copied();
        let content = SDP.repeat(1 + self.dice.roll(4));
        let body = (self.dice.roll(3) > 0).then_some(Body {
            content: content.as_bytes(),
            content_type: None,
            disposition: None,
        });
        let request = RequestOptions {
            body,
            flags: [0, 0, request_flag::MANUAL_ACK, request_flag::MANUAL_PRACK][self.dice.roll(4)],
            ..RequestOptions::default()
        };
        let flags = if self.dice.roll(2) == 0 { response_flag::RELIABLE } else { 0 };
        let response = ResponseOptions { body, flags, ..ResponseOptions::default() };
        let plain = RequestOptions::default();
        let agent = &mut self.agent;
        match (self.dice.roll(24), session, incoming, outgoing) {
            (0 | 1, ..) => {
                let target = ["sip:bob@203.0.113.1", "sip:bob@gw.example.org", "sip:bob@203.0.113.1;transport=tcp"]
                    [self.dice.roll(3)];
                self.placed.extend(agent.invite(now, Some(target.as_bytes()), request));
            }
            (2..=5, _, Some(id), _) => drop(agent.accept(now, id, 200, &response)),
            (6 | 7, _, Some(id), _) => drop(agent.progress(now, id, 183, &response)),
            (8, _, Some(id), _) => drop(agent.reject(now, id, 486, &ResponseOptions::default())),
            (9, _, Some(id), _) => drop(agent.dispose_incoming(now, id)),
            (10, _, Some(id), _) => drop(agent.incoming_notify(now, id, 180, None)),
            (11, _, _, Some(id)) => drop(agent.cancel(now, id, Some(b"SIP;cause=200"), &plain)),
            (12, _, _, Some(id)) => drop(agent.authenticate(now, id, Some(b"u"), b"p")),
            (13, _, _, Some(id)) => drop(agent.dispose_outgoing(now, id)),
            (14, Some(id), ..) => self.placed.extend(agent.reinvite(now, id, request)),
            (15, Some(id), ..) => drop(agent.info(now, id, plain)),
            (16, Some(id), ..) => drop(agent.message(now, id, request)),
            (17, Some(id), ..) => drop(agent.refer(now, id, Some(b"sip:carol@example.com"), None, plain)),
            (18, Some(id), ..) => drop(agent.ack(now, id, &request)),
            (19, Some(id), ..) => drop(agent.prack(now, id, request)),
            (20, Some(id), ..) => drop(agent.hangup(now, id, 0, plain)),
            (21, Some(id), ..) => drop(agent.bye(now, id, plain)),
            (22, Some(id), ..) => drop(agent.dispose_session(now, id)),
            _ => {}
        }
    }

    fn settle(&mut self) {
        loop {
            let mut transmits = Vec::new();
            while let Some(transmit) = self.agent.poll_transmit() {
                transmits.push(transmit.id);
                let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                if let Some(known) = self.known.iter_mut().find(|known| header(&text, "Call-ID") == known.call)
                    && known.ours.is_empty()
                {
                    tag(header(&text, "To")).clone_into(&mut known.ours);
                }
                self.heard.push_back(text);
            }
            self.heard.drain(..self.heard.len().saturating_sub(20));
            let now = self.now();
            if let Some(failed) = transmits.first().filter(|_| self.dice.roll(40) == 0) {
                self.agent.transmit_failed(now, *failed);
            }
            let Some(event) = self.agent.poll_event() else { return };
            if event.kind == EventKind::Resolve {
                let targets = [flow(Transport::Udp, 0, 0), flow(Transport::Tcp, 0, 2)];
                match self.dice.roll(4) {
                    0 => {}
                    1 => drop(self.agent.resolved(now, event.query, &[])),
                    _ => drop(self.agent.resolved(now, event.query, &targets)),
                }
            } else if self.dice.roll(3) == 0 {
                let _ = self.agent.event_default(now, &event);
            }
            self.events.push_back(Event { message: None, ..event });
            self.events.drain(..self.events.len().saturating_sub(20));
        }
    }

    fn step(&mut self) {
        if self.dice.roll(3) == 0 {
            self.host_acts()
        } else {
            self.peer_acts()
        }
        // At times the host looks away.
        if self.dice.roll(4) > 0 {
            self.settle();
        }
    }

    /// All is hung up, and time passes.
    fn end(&mut self) {
        for _ in 0..400 {
            let now = self.now();
            let (mut ids, mut at) = (Vec::new(), None);
            while let Some(session) = self.agent.next_session(at) {
                ids.push(session);
                at = Some(session);
            }
            for id in ids {
                let _ = self.agent.hangup(now, id, 0, RequestOptions::default());
            }
            for id in &self.placed {
                let _ = self.agent.cancel(now, *id, None, &RequestOptions::default());
            }
            for link in 100..106 {
                self.agent.link_closed(now, link);
            }
            loop {
                while self.agent.poll_transmit().is_some() {}
                let Some(event) = self.agent.poll_event() else { break };
                let _ = self.agent.event_default(now, &event);
            }
            let Some(due) = self.agent.next_timeout() else { return };
            self.micros = self.micros.max(due.as_micros()) + 1_000_000;
            let now = self.now();
            self.agent.handle_timeout(now);
        }
    }
}

/// What goes with an agent, and what it says.
fn freed(agent: Agent) -> (isize, isize) {
    let (said, before) = (agent.stats().bytes, held());
    drop(agent);
    (before - held(), isize::try_from(said).expect("a number"))
}

#[test]
fn what_is_said_is_held_whatever_happens_and_nothing_is_left() {
    let runs = std::env::var("SIPDLG_HELD_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(200);
    let mut wrong = Vec::new();
    for seed in 0..runs {
        let shares = seed % 2 == 0;
        let (nothing, said_of_nothing) = freed(World::new(seed, shares).agent);
        let mut world = World::new(seed, shares);
        for _ in 0..world.dice.roll(600) {
            world.step();
        }
        let half = world.agent.stats();
        let mut ended = world.dice.roll(2) == 0;
        if ended {
            world.settle();
            world.end();
            world.agent.trim();
        }
        // What waits to be sent is the host's to take.
        while world.agent.poll_transmit().is_some() {}
        let stats = world.agent.stats();
        let left = (stats.sessions, stats.incoming, stats.outgoing, stats.transactions, stats.timers);
        let World { agent, events, said, heard, known, .. } = world;
        drop((events, said, heard, known));
        let (real, said) = freed(agent);
        let (real, said) = (real - nothing, said - said_of_nothing);
        println!("{seed}: {real} held, {said} said, {left:?}; before {}", half.bytes);
        // Trees, and what removals leave in tables, are reckoned more or less.
        ended &= (left != (0, 0, 0, 0, 0)) || said > 32_768;
        if ended || (real - said).abs() > real / 50 + 1_024 {
            wrong.push((seed, real, said, left));
        }
    }
    assert!(wrong.is_empty(), "seed, held, said, objects: {wrong:?}");
}
