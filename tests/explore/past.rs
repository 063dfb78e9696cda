//! What was on the wire until now: a list whose beginning many worlds share.

use crate::acts::NAMES;
use crate::common::sip::Sip;
use crate::common::wire::{Datagram, Entry, PartyInfo, Timers, Trace, What};
use crate::side::address;
use crate::state::digest;
use sipdlg::transaction::Bytes;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A message, read by the second opinion.
#[derive(Clone)]
pub struct Message {
    pub bytes: Bytes,
    pub digest: u128,
    pub sip: Result<Arc<Sip>, String>,
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Message {}

impl Hash for Message {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// Its start line.
impl fmt::Debug for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        out.write_str(&String::from_utf8_lossy(line))
    }
}

#[derive(Clone, Default)]
pub struct Past {
    last: Option<Arc<Line>>,
    /// Messages so far.
    messages: u32,
    /// What each side has sent and got, and when.
    views: [u128; 2],
}

struct Line {
    before: Option<Arc<Line>>,
    at: u64,
    record: Record,
}

enum Record {
    Sent(u8, Message),
    Delivered(u32),
}

impl Past {
    fn push(&mut self, at: u64, record: Record) {
        let before = self.last.take();
        self.last = Some(Arc::new(Line { before, at, record }));
    }

    fn see(&mut self, side: u8, at: u64, what: What, message: &Message) {
        let view = &mut self.views[usize::from(side)];
        let mut text = [0; 41];
        text[..16].copy_from_slice(&view.to_le_bytes());
        text[16..32].copy_from_slice(&message.digest.to_le_bytes());
        text[32..40].copy_from_slice(&at.to_le_bytes());
        text[40] = u8::from(what == What::Sent);
        *view = digest(&text);
    }

    /// What a side has sent and got until now, in 128 bits.
    pub fn view(&self, side: u8) -> u128 {
        self.views[usize::from(side)]
    }

    /// A message is put on the wire; gives its number.
    pub fn sent(&mut self, at: u64, from: u8, message: &Message) -> u32 {
        let number = self.messages;
        self.messages += 1;
        self.see(from, at, What::Sent, message);
        self.push(at, Record::Sent(from, message.clone()));
        number
    }

    pub fn delivered(&mut self, at: u64, to: u8, number: u32, message: &Message) {
        self.see(to, at, What::Delivered, message);
        self.push(at, Record::Delivered(number));
    }

    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// As the wire checker reads it.
    pub fn trace(&self, now: u64) -> Trace {
        let mut lines = Vec::new();
        let mut at = self.last.as_ref();
        while let Some(line) = at {
            lines.push(line);
            at = line.before.as_ref();
        }
        let mut trace = Trace::new(Timers { t1: 500_000, t2: 4_000_000 });
        trace.parties = (0..2u8)
            .map(|side| PartyInfo { name: NAMES[usize::from(side)].to_owned(), address: address(side), judged: true })
            .collect();
        for line in lines.into_iter().rev() {
            let (what, datagram) = match &line.record {
                Record::Sent(from, message) => {
                    trace.datagrams.push(Datagram {
                        at: line.at,
                        from: usize::from(*from),
                        to: Some(usize::from(1 - from)),
                        target: address(1 - from),
                        bytes: Bytes::clone(&message.bytes),
                        sip: message.sip.clone(),
                        reliable: false,
                        failed: false,
                    });
                    (What::Sent, trace.datagrams.len() - 1)
                }
                Record::Delivered(number) => (What::Delivered, *number as usize),
            };
            trace.log.push(Entry { at: line.at, what, datagram });
        }
        trace.end = now;
        trace
    }
}

impl Drop for Past {
    /// A long list is not dropped by recursion.
    fn drop(&mut self) {
        let mut at = self.last.take();
        while let Some(line) = at {
            at = Arc::into_inner(line).and_then(|mut line| line.before.take());
        }
    }
}
