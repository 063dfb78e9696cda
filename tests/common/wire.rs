//! The wire checker: judges what parties put on the wire, by the RFCs alone.
//!
//! A [`Trace`] holds what was sent, when, and what became of it. Each judged party is judged from where it stands: what
//! it had seen when it sent, and what it owes for what it saw. No code of the library is used.

mod dialogs;
mod digest;
mod early_end;
mod form;
mod prack;
mod refer;
mod reliable;
mod session_timer;
mod transactions;
mod view;

use super::sip::Sip;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

pub use digest::Secret;
pub use view::View;

/// T1, T2 of RFC 3261 §17 in µs; everything is judged by them.
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    pub t1: u64,
    pub t2: u64,
}

impl Timers {
    /// 64*T1.
    pub fn patience(&self) -> u64 {
        64 * self.t1
    }
}

/// Time by which a deadline may be missed or come early.
pub const TOLERANCE: u64 = 1_000;

#[derive(Clone, Debug)]
pub struct PartyInfo {
    pub name: String,
    pub address: SocketAddr,
    /// Whether it has to keep the rules.
    pub judged: bool,
}

/// A message that was put on the wire.
#[derive(Clone, Debug)]
pub struct Datagram {
    pub at: u64,
    pub from: usize,
    /// `None`: to an address where no one is.
    pub to: Option<usize>,
    pub target: SocketAddr,
    pub bytes: Arc<[u8]>,
    /// What does not parse is kept as an error.
    pub sip: Result<Arc<Sip>, String>,
    /// No timers A, E, G, K, I, J, D on this transport.
    pub reliable: bool,
    /// The sender was told that it could not be sent.
    pub failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Sent,
    Delivered,
}

/// A line of the trace: a datagram (by index) was sent or delivered.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub at: u64,
    pub what: What,
    pub datagram: usize,
}

#[derive(Clone, Debug)]
pub struct Trace {
    pub timers: Timers,
    pub parties: Vec<PartyInfo>,
    pub datagrams: Vec<Datagram>,
    /// In the order in which it happened.
    pub log: Vec<Entry>,
    /// When the recording ended; what was due later is not missed.
    pub end: u64,
    /// Passwords by which responses to challenges are recomputed.
    pub secrets: Vec<Secret>,
    /// Rules that a test breaks on purpose.
    pub allowed: Vec<&'static str>,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub party: String,
    /// Name of the rule, from the list in [`RULES`].
    pub rule: &'static str,
    pub detail: String,
    /// The offending message.
    pub datagram: Option<usize>,
    pub call_id: String,
}

/// Rules by name, with where they are written.
pub const RULES: &[(&str, &str)] = &[
    ("parses", "RFC 3261 §7"),
    ("mandatory-headers", "RFC 3261 §8.1.1, §8.2.6.2"),
    ("content-length", "RFC 3261 §20.14"),
    ("content-type", "RFC 3261 §20.15"),
    ("max-forwards", "RFC 3261 §8.1.1.6"),
    ("from-tag", "RFC 3261 §8.1.1.3"),
    ("cseq-method", "RFC 3261 §8.1.1.5"),
    ("cseq-range", "RFC 3261 §8.1.1.5"),
    ("branch-cookie", "RFC 3261 §8.1.1.7"),
    ("contact", "RFC 3261 §8.1.1.8, §12.1"),
    ("allow-405", "RFC 3261 §20.5, §21.4.6"),
    ("unsupported-420", "RFC 3261 §8.2.2.3"),
    ("accept-415", "RFC 3261 §8.2.3"),
    ("retransmission-identical", "RFC 3261 §17.1.1.2, §17.1.2.2, §8.1.1.7"),
    ("timer-a", "RFC 3261 §17.1.1.2"),
    ("timer-e", "RFC 3261 §17.1.2.2"),
    ("timer-g", "RFC 3261 §17.2.1"),
    ("cancel-after-1xx", "RFC 3261 §9.1"),
    ("cancel-after-final", "RFC 3261 §9.1"),
    ("cancel-form", "RFC 3261 §9.1"),
    ("cancel-answer", "RFC 3261 §9.2"),
    ("cancel-tag", "RFC 3261 §9.2"),
    ("ack-owed", "RFC 3261 §13.2.2.4, §17.1.1.3"),
    ("ack-unprovoked", "RFC 3261 §13.2.2.4, §17.1.1.3"),
    ("ack-form", "RFC 3261 §17.1.1.3, §13.2.2.4"),
    ("response-to-nothing", "RFC 3261 §17.2.3"),
    ("response-to-ack", "RFC 3261 §17"),
    ("response-vias", "RFC 3261 §8.2.6.2, §18.2.1, RFC 3581 §4"),
    ("response-copies", "RFC 3261 §8.2.6.2"),
    ("response-to-tag", "RFC 3261 §8.2.6.2"),
    ("response-address", "RFC 3261 §18.2.2, RFC 3581 §4"),
    ("one-final", "RFC 3261 §17.2"),
    ("final-owed", "RFC 3261 §8.2, §17.2.2"),
    ("final-repeated", "RFC 3261 §17.2.1, §17.2.2"),
    ("provisional-repeated", "RFC 3261 §17.2.1"),
    ("2xx-schedule", "RFC 3261 §13.3.1.4"),
    ("100-within-200ms", "RFC 3261 §17.2.1"),
    ("1xx-every-minute", "RFC 3261 §13.3.1.1"),
    ("non-invite-1xx", "RFC 4320 §4.1"),
    ("non-invite-100", "RFC 4320 §4.1"),
    ("non-invite-408", "RFC 4320 §4.2"),
    ("merged-482", "RFC 3261 §8.2.2.2"),
    ("dialog-exists", "RFC 3261 §12.2.1"),
    ("dialog-cseq", "RFC 3261 §12.2.1.1"),
    ("dialog-uris", "RFC 3261 §12.2.1.1"),
    ("dialog-target", "RFC 3261 §12.2.1.1, RFC 6141 §4"),
    ("dialog-routes", "RFC 3261 §12.2.1.1"),
    ("next-hop", "RFC 3261 §8.1.2"),
    ("record-route-copied", "RFC 3261 §12.1.1"),
    ("remote-cseq", "RFC 3261 §12.2.2"),
    ("bye-forbidden", "RFC 3261 §15"),
    ("mortal", "RFC 5407 §2"),
    ("mortal-answer", "RFC 3261 §15.1.2, RFC 5407 §3.2"),
    ("bye-answer", "RFC 3261 §15.1.2"),
    ("no-dialog-481", "RFC 3261 §12.2.2"),
    ("reinvite-forbidden", "RFC 3261 §14.1"),
    ("glare-491", "RFC 3261 §14.2"),
    ("glare-wait", "RFC 3261 §14.1"),
    ("overlap-500", "RFC 3261 §14.2"),
    ("one-offer", "RFC 3264 §4, RFC 6337 §2"),
    ("answer-missing", "RFC 3261 §13.3.1.4, §13.2.2.4"),
    ("offer-missing", "RFC 3261 §13.2.1"),
    ("answer-unasked", "RFC 3264 §4, RFC 6337 §2"),
    ("preview-equals-answer", "RFC 3261 §13.2.1"),
    ("prack-rack", "RFC 3262 §7.2"),
    ("prack-order", "RFC 3262 §4"),
    ("prack-once", "RFC 3262 §4"),
    ("prack-owed", "RFC 3262 §4"),
    ("prack-answer", "RFC 3262 §5"),
    ("refer-to", "RFC 3515 §2.4.2"),
    ("refer-contact", "RFC 3515 §2.2, RFC 6665 §3"),
    ("refer-202", "RFC 7647 §5"),
    ("refer-sub", "RFC 4488 §4"),
    ("notify-at-once", "RFC 3515 §2.4.4"),
    ("notify-form", "RFC 3515 §2.4.5, RFC 6665 §4.2.2"),
    ("notify-subscription", "RFC 3515 §2.4.4, §2.4.6"),
    ("notify-unasked", "RFC 6665 §4.1.3"),
    ("reliable-form", "RFC 3262 §3, §7.1"),
    ("rseq-order", "RFC 3262 §3"),
    ("reliable-queue", "RFC 3262 §3"),
    ("reliable-final", "RFC 3262 §3"),
    ("reliable-schedule", "RFC 3262 §3"),
    ("reliable-timeout", "RFC 3262 §3"),
    ("2xx-held", "RFC 3262 §3"),
    ("prack-481", "RFC 3262 §3"),
    ("prack-2xx", "RFC 3262 §3"),
    ("update-contact", "RFC 3311 §5.1, §5.2"),
    ("update-overlap", "RFC 3311 §5.2"),
    ("update-allow", "RFC 3311 §5.1"),
    ("update-offer", "RFC 3311 §5.1, RFC 6337 §3.1"),
    ("update-491", "RFC 3311 §5.2, RFC 6337 §4.3"),
    ("update-500", "RFC 3311 §5.2, RFC 6337 §4.3"),
    ("session-expires", "RFC 4028 §4, §9"),
    ("min-se", "RFC 4028 §5"),
    ("timer-supported", "RFC 4028 §7.1"),
    ("422-form", "RFC 4028 §6, §9"),
    ("session-expires-2xx", "RFC 4028 §9"),
    ("session-refresher", "RFC 4028 §9"),
    ("timer-required", "RFC 4028 §9"),
    ("min-se-kept", "RFC 4028 §7.1, §7.4"),
    ("refresh-owed", "RFC 4028 §10"),
    ("expiry-bye", "RFC 4028 §10"),
    ("199-form", "RFC 6228 §5"),
    ("199-supported", "RFC 6228 §5"),
    ("199-order", "RFC 6228 §5"),
    ("digest-form", "RFC 7616 §3.4, RFC 3261 §22.4"),
    ("digest-answer", "RFC 7616 §3.4, RFC 8760 §2.4"),
    ("digest-response", "RFC 7616 §3.4.1"),
    ("digest-nc", "RFC 7616 §3.4"),
    ("digest-resubmission", "RFC 3261 §8.1.3.5, §22.2"),
    ("digest-again", "RFC 3261 §22.2, RFC 7616 §3.3"),
    ("digest-elsewhere", "RFC 7616 §3.4, RFC 3261 §22.3"),
    ("digest-ack", "RFC 3261 §22.1"),
    ("digest-cancel", "RFC 3261 §22.1"),
];

impl Trace {
    pub fn new(timers: Timers) -> Self {
        let (parties, datagrams, log, secrets, allowed) = Default::default();
        Self { timers, parties, datagrams, log, end: 0, secrets, allowed }
    }

    pub fn party(&mut self, name: &str, address: SocketAddr, judged: bool) -> usize {
        self.parties.push(PartyInfo { name: name.to_owned(), address, judged });
        self.parties.len() - 1
    }

    /// Records a message put on the wire; gives its number.
    pub fn sent(&mut self, at: u64, from: usize, target: SocketAddr, bytes: Arc<[u8]>, reliable: bool) -> usize {
        let to = self.parties.iter().position(|party| party.address == target);
        let datagram = self.datagrams.len();
        let sip = Sip::parse(&bytes).map(Arc::new);
        self.datagrams.push(Datagram { at, from, to, target, bytes, sip, reliable, failed: false });
        self.log.push(Entry { at, what: What::Sent, datagram });
        self.end = self.end.max(at);
        datagram
    }

    /// Records that a message reached its receiver; more than once for a duplicate, never for a lost one.
    pub fn delivered(&mut self, at: u64, datagram: usize) {
        self.log.push(Entry { at, what: What::Delivered, datagram });
        self.end = self.end.max(at);
    }

    /// Every broken rule of every judged party.
    pub fn violations(&self) -> Vec<Violation> {
        self.violations_of(&|party| self.parties[party].judged)
    }

    /// Those of the parties that are `wanted`.
    pub fn violations_of(&self, wanted: &dyn Fn(usize) -> bool) -> Vec<Violation> {
        let mut found = Vec::new();
        // No rule reaches over the border of a Call-ID.
        let mut calls = BTreeMap::<&str, Vec<Entry>>::new();
        for entry in &self.log {
            let call_id = self.datagrams[entry.datagram].sip.as_ref().map_or("", |sip| sip.call_id());
            calls.entry(call_id).or_default().push(*entry);
        }
        for entries in calls.values() {
            for party in (0..self.parties.len()).filter(|party| wanted(*party)) {
                let mut view = View::new(self, party, entries);
                form::judge(&mut view);
                transactions::judge(&mut view);
                dialogs::judge(&mut view);
                prack::judge(&mut view);
                refer::judge(&mut view);
                reliable::judge(&mut view);
                digest::judge(&mut view);
                session_timer::judge(&mut view);
                early_end::judge(&mut view);
                found.append(&mut view.found);
            }
        }
        found.retain(|violation| !self.allowed.contains(&violation.rule));
        found
    }

    /// Panics with rule, section, message and ladder when a rule is broken.
    #[track_caller]
    pub fn check(&self) {
        let found = self.violations();
        if let Some(first) = found.first() {
            let mut text = format!("{} broken rule(s) on the wire\n", found.len());
            for violation in found.iter().take(8) {
                let _ = writeln!(text, "  {}", self.explain(violation));
            }
            if let Some(datagram) = first.datagram {
                let _ = writeln!(
                    text,
                    "the first of them in\n{}",
                    String::from_utf8_lossy(&self.datagrams[datagram].bytes)
                );
            }
            panic!("{text}the call\n{}", self.ladder(Some(&first.call_id)));
        }
    }

    fn explain(&self, violation: &Violation) -> String {
        let section = RULES.iter().find(|(rule, _)| *rule == violation.rule).map_or("?", |(_, section)| section);
        let place = match violation.datagram {
            Some(number) => format!(" (message {number} at {} ms)", self.datagrams[number].at as f64 / 1_000.0),
            None => String::new(),
        };
        format!("{} [{section}] {}: {}{place}", violation.rule, violation.party, violation.detail)
    }

    /// The ladder of a Call-ID, or of everything.
    pub fn ladder(&self, call_id: Option<&str>) -> String {
        let mut text = String::new();
        for (number, datagram) in self.datagrams.iter().enumerate() {
            let (line, id) = match &datagram.sip {
                Ok(sip) => {
                    let sdp = if sip.sdp().is_some() { " (SDP)" } else { "" };
                    let tags = (sip.from_tag().unwrap_or_default(), sip.to_tag().unwrap_or_default());
                    let cseq = sip.value("cseq");
                    (
                        format!("{}{sdp}   cseq {cseq}, tags {}/{}, {}", sip.start, tags.0, tags.1, sip.branch()),
                        sip.call_id(),
                    )
                }
                Err(error) => (format!("(unreadable: {error})"), ""),
            };
            if call_id.is_some_and(|wanted| !wanted.is_empty() && wanted != id) {
                continue;
            }
            let arrivals: Vec<_> = (self.log.iter())
                .filter(|entry| entry.what == What::Delivered && entry.datagram == number)
                .map(|entry| format!("{:.1}", entry.at as f64 / 1_000.0))
                .collect();
            let fate = if arrivals.is_empty() { "LOST".to_owned() } else { format!("+{}", arrivals.join(",")) };
            let name = |party: Option<usize>| party.map_or("nobody", |party| self.parties[party].name.as_str());
            let (from, to) = (name(Some(datagram.from)), name(datagram.to));
            let _ = writeln!(text, "{number:4} {:>12.1} {from} -> {to} [{fate}] {line}", datagram.at as f64 / 1_000.0);
        }
        text
    }

    /// What a party sent, in order: `INVITE`, `200 INVITE`, ...
    pub fn sent_by(&self, name: &str) -> Vec<String> {
        self.messages_of(name).map(|(_, sip)| sip.short()).collect()
    }

    /// What was sent, in order: `alice INVITE`, `bob 200 INVITE`, ...
    pub fn lines(&self) -> Vec<String> {
        let parties = &self.parties;
        (self.datagrams.iter())
            .filter_map(|datagram| {
                Some(format!("{} {}", parties[datagram.from].name, datagram.sip.as_ref().ok()?.short()))
            })
            .collect()
    }

    /// Times in ms at which a party sent what [`Sip::short`] calls so.
    pub fn times(&self, name: &str, short: &str) -> Vec<u64> {
        self.messages_of(name).filter(|(_, sip)| sip.short() == short).map(|(at, _)| at / 1_000).collect()
    }

    /// The messages of a party that [`Sip::short`] calls so.
    pub fn messages(&self, name: &str, short: &str) -> Vec<Sip> {
        self.messages_of(name).filter(|(_, sip)| sip.short() == short).map(|(_, sip)| sip.clone()).collect()
    }

    /// All messages of a party.
    pub fn messages_from(&self, name: &str) -> Vec<Sip> {
        self.messages_of(name).map(|(_, sip)| sip.clone()).collect()
    }

    fn messages_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (u64, &'a Sip)> {
        (self.datagrams.iter())
            .filter(move |datagram| self.parties[datagram.from].name == name)
            .filter_map(|datagram| Some((datagram.at, &**datagram.sip.as_ref().ok()?)))
    }
}
