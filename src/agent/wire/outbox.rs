//! What waits to go out: datagrams, events, what was seen. One counter numbers the first two, so that their order can be
//! told.

use crate::agent::event::Event;
use crate::agent::wire::events::Events;
use crate::config::{Config, LogLevel};
use crate::flow::Flow;
use crate::held;
use crate::message::{Message, redact};
use crate::shrink::Shrink;
use crate::slots::{OutgoingId, SessionId};
use crate::transaction::{Bytes, TransactionId};
use std::collections::VecDeque;

/// A message to put on the wire.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// Rises; see [`Event::id`].
    pub id: u64,
    /// The message; empty: the connection is dead and to be closed.
    pub bytes: Bytes,
    /// Where to.
    pub flow: Flow,
    /// Of a request, when a connection may have to be opened: the name in the URI.
    pub host: Option<Bytes>,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It was received.
    In,
    /// It is to be sent.
    Out,
}

/// A message that passed, or a line of the log.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When, in Unix time.
    pub unix_us: u64,
    /// Which of them.
    pub what: What,
}

/// What was seen.
#[derive(Clone, Debug)]
pub enum What {
    /// A line of the log.
    Line(LogLevel, String),
    /// A message as it was on the wire, in a stream or inside TLS by itself.
    Message(Direction, Flow, Bytes),
}

/// Who cares when a transmit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A transaction.
    Transaction(TransactionId),
    /// A 2xx that is repeated.
    Session(SessionId),
    /// An ACK to a 2xx.
    Ack { invite: OutgoingId, session: Option<SessionId> },
    /// Nobody.
    Nobody,
}

/// How many sent messages are remembered for [`crate::agent::Agent::transmit_failed`].
const REMEMBERED: usize = 512;

/// The queues.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    events: Events,
    pub(in crate::agent) transmits: VecDeque<Transmit>,
    seen: VecDeque<Seen>,
    senders: VecDeque<(u64, Sender)>,
    next_id: u64,
    pub(in crate::agent) log_level: LogLevel,
    /// Somebody wants to see the messages.
    watched: bool,
    traced: bool,
    redact: u32,
    pub(in crate::agent) unix_us: u64,
    pub(in crate::agent) messages_received: u64,
    pub(in crate::agent) messages_sent: u64,
    /// Bytes of all of them.
    pub(in crate::agent) passed: u64,
    pub(in crate::agent) retransmissions_sent: u64,
}

impl Outbox {
    /// Empty queues.
    pub fn new(config: &Config, unix_us: u64) -> Self {
        let mut outbox = Self { log_level: config.log_level, redact: config.redact, unix_us, ..Self::default() };
        outbox.set_traced(config.trace);
        outbox
    }

    /// Whether messages are kept for [`Outbox::next_seen`].
    pub fn set_traced(&mut self, traced: bool) {
        self.traced = traced;
        self.watched = traced || self.log_level >= LogLevel::Debug;
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The number of what comes next.
    pub fn next_number(&self) -> u64 {
        self.next_id + 1
    }

    /// Queues an event under the next number.
    pub fn event(&mut self, mut event: Event, number: u64) {
        event.id = number;
        self.next_id = number;
        self.events.push(event);
    }

    /// The next event.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.next()
    }

    /// The oldest message.
    pub fn next_transmit(&mut self) -> Option<Transmit> {
        let transmit = self.transmits.pop_front()?;
        self.transmits.ease();
        Some(transmit)
    }

    /// The oldest message or line.
    pub fn next_seen(&mut self) -> Option<Seen> {
        let seen = self.seen.pop_front()?;
        self.seen.ease();
        Some(seen)
    }

    /// Gives back what nothing needs now.
    pub fn trim(&mut self) {
        self.events.trim();
        self.transmits.fit();
        self.seen.fit();
        self.senders.fit();
    }

    /// Whether events wait.
    pub fn has_events(&self) -> bool {
        self.events.len() > 0
    }

    /// Takes an event back that nobody has seen yet.
    pub fn take_back(&mut self, id: u64) -> Option<Event> {
        self.events.take_back(id)
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let queues = held::queue(&self.transmits) + held::queue(&self.senders) + held::queue(&self.seen);
        queues + self.events.bytes()
    }

    /// Queues a message. `host`: the name of who is there. Gives its number.
    pub fn transmit(&mut self, sender: Sender, bytes: &Bytes, flow: &Flow, host: Option<&Bytes>) -> u64 {
        let id = self.take_id();
        self.witness(Direction::Out, flow, bytes);
        if sender != Sender::Nobody {
            if self.senders.len() >= REMEMBERED {
                self.senders.pop_front();
            }
            self.senders.push_back((id, sender));
        }
        self.transmits.push_back(Transmit { id, bytes: Bytes::clone(bytes), flow: *flow, host: host.cloned() });
        id
    }

    /// The answer to a keep-alive (RFC 5626 §4.4.1).
    pub fn pong(&mut self, flow: &Flow) {
        self.transmit(Sender::Nobody, &Bytes::from(&b"\r\n"[..]), flow, None);
    }

    /// A keep-alive of ours.
    pub fn ping(&mut self, flow: &Flow) {
        self.transmit(Sender::Nobody, &Bytes::from(&b"\r\n\r\n"[..]), flow, None);
    }

    /// A connection is dead: whoever sends is to close it. A transmit without bytes, which is no message.
    pub fn close(&mut self, flow: &Flow) {
        let id = self.take_id();
        self.transmits.push_back(Transmit { id, bytes: Bytes::from(&b""[..]), flow: *flow, host: None });
    }

    /// Every message, in or out, passes here once: counted, and shown to trace and log.
    #[inline]
    pub fn witness(&mut self, direction: Direction, flow: &Flow, bytes: &[u8]) {
        self.passed += bytes.len() as u64;
        match direction {
            Direction::In => self.messages_received += 1,
            Direction::Out => self.messages_sent += 1,
        }
        self.show(direction, flow, bytes);
    }

    /// Shows a message to trace and log; keep-alives are none.
    #[inline]
    pub fn show(&mut self, direction: Direction, flow: &Flow, bytes: &[u8]) {
        if self.watched {
            self.watch(direction, flow, bytes);
        }
    }

    #[cold]
    fn watch(&mut self, direction: Direction, flow: &Flow, bytes: &[u8]) {
        if self.log_level >= LogLevel::Debug {
            self.log_message(direction, flow, bytes);
        }
        if self.traced && !bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            let what = What::Message(direction, *flow, Bytes::from(bytes));
            self.seen.push_back(Seen { unix_us: self.unix_us, what });
        }
    }

    /// Who waits for the transmit of this number.
    pub fn sender_is(&self, id: u64) -> Option<Sender> {
        let at = self.senders.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.senders.get(at).map(|(_, sender)| *sender)
    }

    /// Who waits for the transmit of this number; forgotten with the question.
    pub fn sender_of(&mut self, id: u64) -> Option<Sender> {
        let at = self.senders.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.senders.remove(at).map(|(_, sender)| sender)
    }

    /// One line a message: time, arrow, flow, start line, CSeq, Call-ID. Ladders come from these.
    fn log_message(&mut self, direction: Direction, flow: &Flow, bytes: &[u8]) {
        let bytes = &*redact::redact(bytes, self.redact & redact::IDENTITIES);
        let text = |bytes: &[u8]| printable(bytes, usize::MAX);
        let start = bytes.split(|byte| *byte == b'\r').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        let (cseq, call_id) = match Message::parse(bytes, None) {
            Ok(message) => {
                let cseq = format!("{} {}", message.cseq_number(), text(message.cseq_method().text));
                (cseq, text(message.call_id()))
            }
            Err(_) => ("-".to_owned(), "-".to_owned()),
        };
        let arrow = match direction {
            Direction::In => "<-",
            Direction::Out => "->",
        };
        let start = without_password(&text(start.trim_ascii()));
        let line = format!("{start} | CSeq {cseq} | Call-ID {call_id}");
        self.log(LogLevel::Debug, arrow, Some(flow), &line);
    }

    /// A line: time, a mark, where it came from or goes to, and this.
    pub fn log(&mut self, level: LogLevel, mark: &str, flow: Option<&Flow>, text: &str) {
        let remote = flow.and_then(|flow| flow.remote).map_or_else(|| "-".to_owned(), |remote| remote.to_string());
        let transport = flow.map_or("-", |flow| flow.transport.parameter());
        let (seconds, micros) = (self.unix_us / 1_000_000, self.unix_us % 1_000_000);
        let what = What::Line(level, format!("{seconds}.{micros:06} {mark} {transport} {remote} {text}"));
        self.seen.push_back(Seen { unix_us: self.unix_us, what });
    }
}

/// What a peer wrote, so that it cannot end a line or move a cursor; at most so many bytes of it.
pub fn printable(text: &[u8], most: usize) -> String {
    let cut = text.get(..most).unwrap_or(text);
    let mut printed = String::with_capacity(cut.len());
    for letter in String::from_utf8_lossy(cut).chars() {
        if letter.is_control() {
            printed.extend(letter.escape_default());
        } else {
            printed.push(letter);
        }
    }
    if cut.len() < text.len() {
        printed.push_str("...");
    }
    printed
}

/// A start line without the password that RFC 3261 §19.1.1 allows in its URI.
fn without_password(start: &str) -> String {
    let password = start.rfind('@').filter(|_| !start.starts_with("SIP/")).and_then(|end| {
        let scheme = start.find(':').filter(|scheme| *scheme < end)? + 1;
        Some((scheme + start.get(scheme..end)?.find(':')? + 1, end))
    });
    let pieces = password.and_then(|(begin, end)| Some((start.get(..begin)?, start.get(end..)?)));
    pieces.map_or_else(|| start.to_owned(), |(before, after)| format!("{before}...{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_logged() {
        for (start, logged) in [
            ("INVITE sip:bob:secret@b.example:5060 SIP/2.0", "INVITE sip:bob:...@b.example:5060 SIP/2.0"),
            ("INVITE sip:bob:@b.example SIP/2.0", "INVITE sip:bob:...@b.example SIP/2.0"),
            ("INVITE sips:b\u{e4}:s:e@c@b.example;x SIP/2.0", "INVITE sips:b\u{e4}:...@b.example;x SIP/2.0"),
            ("INVITE sip:bob@[::1]:5060 SIP/2.0", "INVITE sip:bob@[::1]:5060 SIP/2.0"),
            ("OPTIONS sip:[::1]:5060 SIP/2.0", "OPTIONS sip:[::1]:5060 SIP/2.0"),
            ("SIP/2.0 404 who: bob@b", "SIP/2.0 404 who: bob@b"),
            ("@:", "@:"),
            ("", ""),
        ] {
            assert_eq!(without_password(start), logged);
        }
    }

    #[test]
    fn no_text_of_a_peer_ends_a_line() {
        for (text, most, printed) in [
            (&b"a\nb\rc\x1b[2J\x00\x7f"[..], 128, "a\\nb\\rc\\u{1b}[2J\\u{0}\\u{7f}"),
            ("b\u{e4}\u{9b}".as_bytes(), 128, "b\u{e4}\\u{9b}"),
            (b"\xff", 128, "\u{fffd}"),
            (b"0123456789", 10, "0123456789"),
            (b"0123456789a", 10, "0123456789..."),
        ] {
            assert_eq!(printable(text, most), printed);
        }
    }
}
