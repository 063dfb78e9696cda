//! When two states are the same: what makes them so is the whole dump of both agents, brought into one form.
//!
//! The dump is `Debug`, derived, so that a field that is new comes in by itself. What is changed in it, and nothing else:
//! times become spans from now; ids of objects, timers and transactions are numbered by where they first appear; entries
//! of hash tables are sorted; what [`LEFT_OUT`] names is left out. Tags, branches and Call-IDs stand as they are: what
//! is drawn depends on nothing but the step (see `world::Side::before`).

use siphasher::sip128::{Hasher128, SipHasher13};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::fmt::Write;
use std::hash::Hasher;

/// Type, field; why nothing that a peer, a host or a timer shows depends on it.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    ("Agent", "config", "it never changes"),
    ("Agent", "face", "it never changes"),
    ("Agent", "now", "all times are told from now"),
    ("Agent", "counters", "only counted"),
    ("Agent", "faults", "only counted, and lines of the log, which is off"),
    ("Agent", "scratch", "written before it is read"),
    ("Agent", "reckoned_at", "memory, far from its bound"),
    ("Agent", "unreckoned", "memory, far from its bound"),
    ("Table", "limit", "it never changes"),
    ("Table", "timers", "it never changes"),
    ("Table", "ledger", "memory, far from its bound"),
    ("Table", "held_by_clients", "memory, far from its bound"),
    ("Table", "counters", "only counted"),
    ("Objects", "limit", "it never changes"),
    ("Remains", "held", "memory, far from its bound"),
    ("Outbox", "taken_back", "only counted; the events themselves are told"),
    ("Outbox", "messages", "memory, far from its bound"),
    ("Outbox", "senders", "read when a transmit fails, which here none does later than in the step that made it"),
    ("Outbox", "next_id", "names of what was polled; a host compares them with each other only"),
    ("Outbox", "unix_us", "for the log, which is off"),
    ("Outbox", "messages_received", "only counted"),
    ("Outbox", "messages_sent", "only counted"),
    ("Outbox", "passed", "only counted"),
    ("Outbox", "retransmissions_sent", "only counted"),
    ("SentAck", "transmit", "as `senders`"),
    ("Ending", "ended_ms", "when it was, as the host is told of the past; nothing is done by it"),
    ("Act", "unix_us", "as `ended_ms`"),
    ("Session", "unseen", "hosts here see every event at once"),
    ("Running", "unseen", "hosts here see every event at once"),
    ("Incoming", "unseen", "hosts here see every event at once"),
    ("Outgoing", "unseen", "hosts here see every event at once"),
];

/// Of what numbers that are ids are: field, the mark of their kind.
const RAW_IDS: &[(&str, &str, u8)] = &[("Client", "owner", b'o'), ("Server", "owner", b'i')];

/// Begins a name in what is written; stands in no message.
const MARK: u8 = 0xff;

/// Reused from state to state: a dump, and what becomes of it.
#[derive(Default)]
pub struct Scribe {
    text: String,
    out: Vec<u8>,
    named: Vec<u8>,
    /// Whether what waits in the agents' wheels counts. Only a demonstration says no.
    without_timers: bool,
}

impl Scribe {
    pub fn new(without_timers: bool) -> Self {
        Self { without_timers, ..Self::default() }
    }

    /// The fingerprint of something whose times are told from `now`.
    pub fn fingerprint(&mut self, now: u64, what: &dyn std::fmt::Debug) -> u128 {
        self.canonical(now, what);
        digest(&self.named)
    }

    /// The one form of it, to be read.
    pub fn canonical(&mut self, now: u64, what: &dyn std::fmt::Debug) -> &[u8] {
        self.text.clear();
        write!(self.text, "{what:?}").expect("a string takes it");
        self.out.clear();
        let mut reader = Reader {
            text: self.text.as_bytes(),
            at: 0,
            now,
            out: std::mem::take(&mut self.out),
            class: b'?',
            without_timers: self.without_timers,
        };
        reader.value();
        assert_eq!(reader.at, reader.text.len(), "the dump is read to its end");
        self.out = reader.out;
        rename(&self.out, &mut self.named);
        &self.named
    }
}

/// 128 bits of anything.
pub fn digest(bytes: &[u8]) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(1, 2);
    hasher.write(bytes);
    hasher.finish128().as_u128()
}

/// Names become numbers by where they first appear.
fn rename(out: &[u8], named: &mut Vec<u8>) {
    named.clear();
    let mut numbers: HashMap<&[u8], u32> = HashMap::new();
    let mut rest = out;
    while let Some(at) = rest.iter().position(|byte| *byte == MARK) {
        named.extend_from_slice(&rest[..at]);
        let name = &rest[at + 1..];
        let end = name.iter().position(|byte| *byte == MARK).expect("a name ends");
        let next = u32::try_from(numbers.len()).expect("few names");
        let number = *numbers.entry(&name[..end]).or_insert(next);
        named.extend_from_slice(&[MARK, name[0]]);
        named.extend_from_slice(&number.to_le_bytes());
        rest = &name[end + 1..];
    }
    named.extend_from_slice(rest);
}

/// Reads what `{:?}` writes.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    now: u64,
    out: Vec<u8>,
    /// What `#3.7` is the name of.
    class: u8,
    without_timers: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), b' ' | b',') {
            self.at += 1;
        }
    }

    fn word(&mut self) -> &'a [u8] {
        let start = self.at;
        loop {
            match self.peek() {
                0 | b' ' | b',' | b'(' | b')' | b'[' | b']' | b'{' | b'}' => break,
                b':' if matches!(self.text.get(self.at + 1), Some(b' ')) => break,
                _ => self.at += 1,
            }
        }
        &self.text[start..self.at]
    }

    fn value(&mut self) {
        self.blank();
        match self.peek() {
            b'"' | b'\'' => self.quoted(),
            b'[' => self.list(),
            b'{' => self.table(),
            b'(' => self.tuple(),
            _ => self.named_value(),
        }
    }

    fn quoted(&mut self) {
        let start = self.at;
        self.quoted_end();
        self.out.extend_from_slice(&self.text[start..self.at]);
    }

    fn quoted_end(&mut self) {
        let quote = self.peek();
        self.at += 1;
        while self.peek() != quote {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }

    /// Bytes are written as bytes.
    fn list(&mut self) {
        self.at += 1;
        self.out.push(b'[');
        let mut bytes = 0u32;
        loop {
            self.blank();
            match self.peek() {
                b']' => break,
                b'0'..=b'9' => {
                    let word = self.word();
                    let digits = word.len() <= 3 && word.iter().all(u8::is_ascii_digit);
                    let number = word.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')));
                    if digits && number < 0x80 {
                        self.out.push(number as u8);
                        bytes += 1;
                    } else {
                        self.atom(word);
                    }
                }
                _ => {
                    self.value();
                    self.out.push(b',');
                }
            }
        }
        self.at += 1;
        self.out.push(b']');
        self.out.extend_from_slice(&bytes.to_le_bytes().map(|byte| byte & 0x7f));
    }

    fn tuple(&mut self) {
        self.at += 1;
        self.out.push(b'(');
        loop {
            self.blank();
            if self.peek() == b')' {
                break;
            }
            self.value();
            self.out.push(b',');
        }
        self.at += 1;
        self.out.push(b')');
    }

    /// Entries of hash tables come in no order.
    fn table(&mut self) {
        self.at += 1;
        let outer = std::mem::take(&mut self.out);
        let mut entries = Vec::new();
        loop {
            self.blank();
            if self.peek() == b'}' {
                break;
            }
            self.value();
            if self.peek() == b':' {
                self.at += 1;
                self.out.push(b':');
                self.value();
            }
            entries.push(std::mem::take(&mut self.out));
        }
        self.at += 1;
        self.out = outer;
        entries.sort();
        self.out.push(b'{');
        for entry in entries {
            self.out.extend_from_slice(&entry);
            self.out.push(b',');
        }
        self.out.push(b'}');
    }

    fn named_value(&mut self) {
        let word = self.word();
        match self.peek() {
            b'(' if word == b"Time" => {
                self.at += 1;
                let micros = self.word();
                let micros: u64 = std::str::from_utf8(micros).ok().and_then(|text| text.parse().ok()).expect("a time");
                assert_eq!(self.peek(), b')');
                self.at += 1;
                self.out.push(b't');
                self.out.extend_from_slice(&micros.wrapping_sub(self.now).to_be_bytes().map(|byte| byte & 0x0f | 0x40));
                self.out.extend_from_slice(&micros.wrapping_sub(self.now).to_be_bytes().map(|byte| byte >> 4 | 0x40));
            }
            b'(' => {
                self.out.extend_from_slice(word);
                let outer = self.class;
                self.class = match word {
                    b"TimerId" => b'T',
                    b"ClientId" => b'C',
                    b"ServerId" => b'S',
                    _ => outer,
                };
                self.tuple();
                self.class = outer;
            }
            b' ' if self.text.get(self.at + 1) == Some(&b'{') => {
                self.at += 1;
                self.structure(std::str::from_utf8(word).expect("a name"));
            }
            _ => self.atom(word),
        }
    }

    fn structure(&mut self, name: &str) {
        let left_out: SmallVec<[&str; 12]> =
            LEFT_OUT.iter().filter(|(of, ..)| *of == name).map(|(_, field, _)| *field).collect();
        self.at += 1;
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'{');
        loop {
            self.blank();
            if self.peek() == b'}' {
                break;
            }
            let field = self.word();
            if field == b".." {
                continue;
            }
            let field = std::str::from_utf8(field).expect("a name");
            assert_eq!(self.peek(), b':', "{name} {field}");
            self.at += 1;
            if left_out.contains(&field) || self.without_timers && field == "wheel" {
                self.skip();
                continue;
            }
            let outer = self.class;
            self.class = match field {
                "clients" => b'C',
                "servers" => b'S',
                _ => outer,
            };
            match RAW_IDS.iter().find(|(of, raw, _)| (*of, *raw) == (name, field)) {
                Some((.., mark)) => self.raw_id(*mark),
                None => self.value(),
            }
            self.class = outer;
            self.out.push(b';');
        }
        self.at += 1;
        self.out.push(b'}');
    }

    /// Passes over a value.
    fn skip(&mut self) {
        let mut depth = 0u32;
        loop {
            match self.peek() {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' if depth == 0 => break,
                b')' | b']' | b'}' => depth -= 1,
                b',' if depth == 0 => break,
                b'"' => {
                    self.quoted_end();
                    continue;
                }
                0 => break,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn raw_id(&mut self, mark: u8) {
        self.blank();
        let raw = self.word();
        let raw: u64 = std::str::from_utf8(raw).ok().and_then(|raw| raw.parse().ok()).expect("an id");
        if raw == 0 {
            return self.out.push(b'-');
        }
        let index_bits = sipdlg::slots::INDEX_BITS;
        let name = format!("{}{}.{}", char::from(mark), raw & ((1 << index_bits) - 1), raw >> index_bits);
        self.name(name.as_bytes());
    }

    fn name(&mut self, name: &[u8]) {
        self.out.push(MARK);
        self.out.extend_from_slice(name);
        self.out.push(MARK);
    }

    /// A number, a word, or the name of something: `s0.1`, `#3.7`.
    fn atom(&mut self, word: &[u8]) {
        let numbers = |rest: &[u8]| rest.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
        match word {
            [b'#', rest @ ..] if numbers(rest) => {
                let mut name = vec![self.class];
                name.extend_from_slice(rest);
                self.name(&name);
            }
            [b's' | b'i' | b'o', rest @ ..] if rest.contains(&b'.') && numbers(rest) => self.name(word),
            _ => {
                self.out.extend_from_slice(word);
                // Between a number and the next.
                self.out.push(b'|');
            }
        }
    }
}
