//! Alice, bob, the network between them, and who pretends to be either.

use super::host::{self, Policy};
use super::verdict::Law;
use super::{acts, lies, verdict};
use crate::choices::Choices;
use crate::common::pair::{ALICE, BOB, Pair};
use crate::common::party::{Out, Party, config};
use crate::common::wire::Trace;
use sipdlg::agent::{OutgoingId, RequestOptions, Stats};
use sipdlg::config::{self, Config, Refresher, SessionTimer, quirk};
use sipdlg::flow::{Flow, Transport};
use sipdlg::slots::INDEX_BITS;
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// Where nobody of the call is.
pub const MALLORY: &str = "192.0.2.9:5060";

/// No more is begun beyond so many messages: two agents that answer each other make a long run slow.
const MESSAGES: usize = 500;

pub struct World {
    pub choices: Choices,
    pub pair: Pair,
    pub law: Law,
    /// Parties of the trace that pretend: alice, bob, and one of nowhere.
    liars: [usize; 3],
    /// The next connection of a liar.
    link: u64,
    transport: Transport,
    /// All is to end: hosts want nothing more.
    pub ending: Rc<Cell<bool>>,
    /// Messages fail to be sent.
    failing: Rc<Cell<u8>>,
    fresh: [u64; 2],
    /// What hosts and network did, and when.
    pub notes: Vec<(u64, String)>,
}

fn configured(name: &str, choices: &Choices) -> Config {
    let mut config = config(name);
    let policies = [config::Policy::Off, config::Policy::Supported, config::Policy::Required];
    config.reliable =
        [config::Policy::Supported, config::Policy::Supported, policies[0], policies[2]][choices.below(4)];
    if choices.yes() {
        let refresher = choices.of(&[Refresher::Any, Refresher::Local, Refresher::Remote]);
        let terms = SessionTimer::new(choices.of(&policies), choices.of(&[90, 120, 1_800]), 90, refresher);
        config.session_timer = terms.expect("good numbers");
    }
    if choices.yes() {
        config.add_credentials(None, b"user", b"secret", false, None).expect("credentials");
    }
    let more = choices.byte();
    config.manual_prack = more & 3 == 3;
    config.resync = more & 4 != 0;
    config.connected_identity = more & 8 != 0;
    config.glare_retry = more & 16 == 0;
    let quirks = if more & 32 == 0 { quirk::ALL & !quirk::OFF } else { quirk::ALL };
    config.set_tolerance(quirks).expect("known quirks");
    if more & 64 != 0 {
        config.set_info_packages(Some(b"keys, other")).expect("packages");
    }
    if more & 128 != 0 {
        config.set_answer_timeouts(20_000, 5_000).expect("times");
    }
    config.set_memory(16 << 20, 0).expect("good numbers");
    config
}

impl World {
    pub fn new(data: &[u8]) -> Self {
        let choices = Choices::new(data);
        let mode = choices.byte();
        let transport = if mode & 3 == 3 { Transport::Tcp } else { Transport::Udp };
        let (alice, bob) = (configured("alice", &choices), configured("bob", &choices));
        let mut pair = Pair::over(transport, alice, bob, u64::from(choices.byte()));
        let ending = Rc::new(Cell::new(false));
        let failing = Rc::new(Cell::new(0_u8));
        let policies = [Policy::AcceptAll, Policy::RefuseOrLate, Policy::Odd];
        let law = [Law::Repeats, Law::Lies, Law::Lies, Law::None][usize::from(mode >> 2 & 3)];
        for (party, which) in [(&mut pair.alice, mode >> 4 & 3), (&mut pair.bob, mode >> 6)] {
            let policy = policies[usize::from(which) % 3];
            host::takes_part(party, policy, law, &choices, &ending);
        }
        let fails = failing.clone();
        pair.wire.fail = Some(Box::new(move |_, _| {
            let left = fails.get();
            fails.set(left.saturating_sub(1));
            left > 0
        }));
        let liars = [("alice?", ALICE), ("bob?", BOB), ("mallory", MALLORY)]
            .map(|(name, address)| pair.wire.trace.party(name, address.parse().expect("an address"), false));
        let fresh = [&pair.alice, &pair.bob].map(|party| party.agent.stats().bytes);
        verdict::tolerate(&mut pair.wire.trace, law);
        Self { choices, pair, law, liars, link: 100, transport, ending, failing, fresh, notes: Vec::new() }
    }

    pub fn is_over(&self) -> bool {
        self.choices.is_over() || self.pair.wire.trace.datagrams.len() > MESSAGES
    }

    pub fn note(&mut self, text: String) {
        self.notes.push((self.pair.wire.now, text));
    }

    pub fn step(&mut self) {
        let choices = self.choices.clone();
        let what = choices.below(16);
        self.note(format!("turn {what}"));
        match what {
            0..=5 => acts::act(self),
            6..=10 => lies::lie(self),
            11 => {
                let wire = &mut self.pair.wire;
                wire.loss = choices.of(&[0, 100, 300, 1_000]);
                wire.duplication = choices.of(&[0, 100, 1_000]);
                wire.delay = choices.of(&[(1_000, 1_000), (1_000, 300_000), (400_000, 900_000)]);
                // A connection keeps the order, and what it loses it loses with itself.
                if self.transport.is_reliable() {
                    (wire.loss, wire.duplication, wire.delay.0) = (0, 0, wire.delay.1);
                }
            }
            // The judge of all rules does not know what a sender is told by its sockets.
            12..=14 if self.law == Law::Repeats => {}
            12 => self.failing.set(choices.byte() % 4),
            13 => {
                let addresses = [ALICE, BOB].map(|text| text.parse::<SocketAddr>().expect("an address"));
                self.pair.wire.unreachable = match choices.below(4) {
                    0 | 1 => Vec::new(),
                    2 => vec![addresses[0]],
                    _ => vec![addresses[1]],
                };
            }
            14 => {
                let (link, bob) = (choices.of(&[1, 100, 101, 102]), choices.yes());
                let now = self.pair.alice.now();
                self.party(bob).agent.link_closed(now, link);
                if choices.yes() {
                    self.open_again();
                }
            }
            _ => {
                let ms = choices.of(&[1, 100, 500, 1_500, 4_000, 33_000, 50_000, 200_000, 2_000_000]);
                self.pair.advance(Duration::from_millis(ms));
                return;
            }
        }
        let ms = choices.of(&[0, 0, 1, 1, 3, 20, 400, 1_000]);
        self.pair.advance(Duration::from_millis(ms));
    }

    pub fn party(&mut self, second: bool) -> &mut Party {
        if second { &mut self.pair.bob } else { &mut self.pair.alice }
    }

    pub fn trace(&self) -> &Trace {
        &self.pair.wire.trace
    }

    /// A socket that was closed is there again.
    fn open_again(&mut self) {
        for party in [&mut self.pair.alice, &mut self.pair.bob] {
            let flow = Flow { link: 1, ..Flow::new(self.transport, Some(party.address), None) };
            // Err: it never went.
            drop(party.agent.add_transport(&flow, None));
        }
    }

    /// Bytes that reach alice or bob from where a liar says to be.
    pub fn tell(&mut self, to_bob: bool, liar: usize, bytes: &[u8]) {
        let (transport, now) = (self.transport, self.pair.wire.now);
        let address: SocketAddr = if to_bob { BOB } else { ALICE }.parse().expect("an address");
        let from = self.liars[liar];
        let trace = &mut self.pair.wire.trace;
        let number = trace.sent(now, from, address, bytes.into(), transport.is_reliable());
        trace.delivered(now, number);
        let source = trace.parties[from].address;
        let link = if transport.is_stream() { self.link } else { 1 };
        self.link += 1;
        let flow = Flow { link, ..Flow::new(transport, Some(address), Some(source)) };
        let party = self.party(to_bob);
        let now = party.now();
        // Err: a stream that is to be closed.
        if party.agent.receive(now, &flow, bytes).is_err() {
            party.agent.link_closed(now, link);
        }
    }

    /// What can never be, whatever happens.
    pub fn check_counters(&self) {
        for party in [&self.pair.alice, &self.pair.bob] {
            let Stats { sessions, incoming, outgoing, transactions, timers, bytes, .. } = party.agent.stats();
            let (mut living, mut at) = (0, None);
            while let Some(session) = party.agent.next_session(at) {
                (living, at) = (living + 1, Some(session));
            }
            assert_eq!(living, sessions, "{}: sessions are those that can be found", party.name);
            let objects = sessions + incoming + outgoing + transactions;
            assert!(objects < 5_000 && timers < 10_000, "{}: {:?}", party.name, party.agent.stats());
            assert!(bytes < 16 << 20, "{}: {bytes} bytes are held", party.name);
            let due = party.agent.next_timeout();
            assert_eq!(due.is_some(), timers > 0, "{}: a timer runs when one is counted", party.name);
        }
    }

    /// Everybody hangs up, time passes.
    pub fn end(&mut self) {
        self.ending.set(true);
        self.failing.set(0);
        let wire = &mut self.pair.wire;
        (wire.loss, wire.duplication, wire.delay) = (0, 0, (1_000, 1_000));
        wire.unreachable.clear();
        self.open_again();
        self.pair.flush();
        for link in 100..self.link {
            for party in [&mut self.pair.alice, &mut self.pair.bob] {
                let now = party.now();
                party.agent.link_closed(now, link);
            }
        }
        for _ in 0..4 {
            self.pair.flush();
            for party in [&mut self.pair.alice, &mut self.pair.bob] {
                party.hangup_all();
                cancel_all(party);
            }
            self.pair.advance(Duration::from_secs(200));
            if self.is_empty() {
                break;
            }
        }
        self.pair.end_unjudged();
        for party in [&self.pair.alice, &self.pair.bob] {
            let living = party.living();
            let ladder = if living == [0; 5] { String::new() } else { self.trace().ladder(None) };
            assert_eq!(
                living, [0; 5],
                "{} keeps sessions, incoming, outgoing, transactions, timers\n{ladder}",
                party.name
            );
        }
        for (party, fresh) in [&mut self.pair.alice, &mut self.pair.bob].into_iter().zip(self.fresh) {
            party.agent.trim();
            let left = party.agent.stats().bytes.saturating_sub(fresh);
            assert!(left <= verdict::LEFT, "{} holds {left} bytes more than when it was new", party.name);
        }
    }

    fn is_empty(&self) -> bool {
        [&self.pair.alice, &self.pair.bob].iter().all(|party| party.living() == [0; 5])
    }

    pub fn judge(&self) {
        verdict::judge(self.trace());
    }

    /// FNV-1a of every message and event.
    pub fn digest(&self) -> u64 {
        let mut digest = 0xcbf2_9ce4_8422_2325_u64;
        let mut take = |bytes: &[u8]| {
            for byte in bytes {
                digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for datagram in &self.trace().datagrams {
            take(&datagram.at.to_le_bytes());
            take(&datagram.bytes);
        }
        for party in [&self.pair.alice, &self.pair.bob] {
            for event in &party.events {
                take(&[event.kind as u8, event.session_state as u8, event.signaling_state as u8]);
                take(&event.status_code.to_le_bytes());
                take(&event.id.to_le_bytes());
            }
            take(format!("{:?}", party.agent.stats()).as_bytes());
        }
        digest
    }

    /// What happened so far: messages, events, what the hosts did. Nothing is checked.
    pub fn story(mut self) -> String {
        self.ending.set(true);
        let mut lines: Vec<(u64, u64, String)> = Vec::new();
        for (party, name) in [(&self.pair.alice, "alice"), (&self.pair.bob, "bob")] {
            let mut at = 0;
            for (number, out) in &party.order {
                match out {
                    Out::Event(place) => {
                        let event = &party.events[*place];
                        let about = (event.session, event.incoming, event.outgoing);
                        let text = format!(
                            "{name} is told {:?} {} {about:?} flags {}",
                            event.kind, event.status_code, event.flags
                        );
                        lines.push((at, *number, text));
                    }
                    Out::Message(place) => at = self.trace().datagrams[*place].at,
                }
            }
        }
        lines.extend(self.notes.iter().map(|(at, text)| (*at, u64::MAX, text.clone())));
        let ladder = self.trace().ladder(None);
        let told: String =
            lines.iter().map(|(at, _, text)| format!("     {:>12.1} {text}\n", *at as f64 / 1_000.0)).collect();
        let full: String = self
            .trace()
            .datagrams
            .iter()
            .map(|it| String::from_utf8_lossy(&it.bytes).into_owned() + "\n----\n")
            .collect();
        self.pair.end_unjudged();
        format!("{full}{ladder}{told}")
    }
}

/// A host knows its INVITEs, also those of which it never heard again.
fn cancel_all(party: &mut Party) {
    let now = party.now();
    // A freed place is used again only after 64 others.
    for raw in (0..4_u64).flat_map(|generation| (0..256_u64).map(move |index| generation << INDEX_BITS | index)) {
        let id = OutgoingId::from_raw(raw);
        if party.agent.outgoing(id).is_ok() {
            // Err: no INVITE, or it has ended.
            drop(party.agent.cancel(now, id, None, &RequestOptions::default()));
        }
    }
}
