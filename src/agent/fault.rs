//! What the library drops, refuses or passes over by itself. One function counts it and says so at WARN, so that nothing
//! is counted without a line and no line stands for what is not counted.

use crate::agent::wire::outbox::printable;
use crate::agent::{Agent, Stats};
use crate::config::LogLevel;
use crate::flow::Flow;
use crate::message::Message;
use crate::time::Time;
use std::time::Duration;

/// Which counter of [`Stats`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Counter {
    /// Dropped: it is no message, or none that can be answered.
    Unreadable,
    /// Dropped beyond a limit.
    Beyond,
    /// Answered 503, 513 or 500 beyond a limit.
    Limit,
    /// Answered 503: the bound in bytes.
    Memory,
    /// Answered 400 or 505.
    Malformed,
    /// 405, 501.
    Method,
    /// 416.
    Scheme,
    /// 420, 421, 422.
    Extension,
    /// 415, 469.
    Content,
    /// 482.
    Merged,
    /// 481.
    Unknown,
    /// 500: the CSeq number.
    Order,
    /// 486, 488, 491, 500, 603: what is under way forbids it.
    State,
    /// The host has not answered, so the default refused.
    Default,
    /// A response that is dropped.
    Response,
    /// An ACK that is dropped.
    Ack,
    /// A stream that is not read on.
    Stream,
    /// A challenge that is passed over.
    Challenge,
    /// A `maddr` that is not followed.
    Maddr,
}

const KINDS: usize = Counter::Maddr as usize + 1;

/// A broken rule: which header, "" for none, and the rule with its section.
#[derive(Clone, Copy, Debug)]
pub(in crate::agent) struct Fault {
    counter: Counter,
    header: &'static str,
    rule: &'static str,
}

impl Fault {
    pub const fn new(counter: Counter, header: &'static str, rule: &'static str) -> Self {
        Self { counter, header, rule }
    }

    /// The same of what cannot be answered.
    pub fn dropped(self) -> Self {
        Self { counter: Counter::Beyond, ..self }
    }

    /// In the words of a reason phrase, from its colon on.
    pub fn said(counter: Counter, header: &'static str, reason: &'static str) -> Self {
        Self { counter, header, rule: reason.split_once(": ").map_or(reason, |(_, rule)| rule) }
    }
}

/// What was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Done {
    Answered(u16),
    Dropped,
    /// The message was taken without it.
    PassedOver,
}

/// So many lines of one kind may come at once, and so many a second from then on.
const LINES: u32 = 10;
const EACH: Duration = Duration::from_millis(100);
/// Bytes of a peer's text in a line.
const LONGEST: usize = 128;

/// The counters, and how many lines may be written.
#[derive(Clone, Debug, Default)]
pub(in crate::agent) struct Faults {
    counts: [u64; KINDS],
    rations: [Ration; KINDS],
}

/// The lines of one kind: a flood of another does not silence them.
#[derive(Clone, Copy, Debug, Default)]
struct Ration {
    /// When the lines so far are paid for.
    paid: Time,
    left_out: u64,
}

impl Faults {
    /// Puts the counters where they are read.
    pub fn tell(&self, stats: &mut Stats) {
        let count = |counter: Counter| self.counts.get(counter as usize).copied().unwrap_or_default();
        stats.dropped_malformed = count(Counter::Unreadable);
        stats.dropped_limit = count(Counter::Beyond);
        stats.answered_limit = count(Counter::Limit) + count(Counter::Memory);
        stats.maddr_ignored = count(Counter::Maddr);
        stats.refused_malformed = count(Counter::Malformed);
        stats.refused_method = count(Counter::Method);
        stats.refused_scheme = count(Counter::Scheme);
        stats.refused_extension = count(Counter::Extension);
        stats.refused_content = count(Counter::Content);
        stats.refused_merged = count(Counter::Merged);
        stats.refused_unknown = count(Counter::Unknown);
        stats.refused_order = count(Counter::Order);
        stats.refused_state = count(Counter::State);
        stats.refused_memory = count(Counter::Memory);
        stats.refused_default = count(Counter::Default);
        stats.dropped_response = count(Counter::Response);
        stats.dropped_ack = count(Counter::Ack);
        stats.dropped_stream = count(Counter::Stream);
        stats.ignored_challenges = count(Counter::Challenge);
    }
}

impl Ration {
    /// Whether a line may be written now; it counts as written then.
    fn may_write(&mut self, now: Time) -> bool {
        let paid = self.paid.max(now);
        if paid.since(now) > EACH * (LINES - 1) {
            self.left_out += 1;
            return false;
        }
        self.paid = paid.plus(EACH);
        true
    }
}

impl Agent {
    /// Counts a fault of a message, and says so.
    pub(in crate::agent) fn fault(&mut self, fault: Fault, message: &Message, done: Done) {
        self.fault_on(message.flow(), Some(message), fault, done);
    }

    /// The same of bytes, or of a message, that came this way. A flood costs no text: none is made below WARN, nor beyond
    /// the lines of this moment.
    pub(in crate::agent) fn fault_on(
        &mut self,
        flow: Option<&Flow>,
        message: Option<&Message>,
        fault: Fault,
        done: Done,
    ) {
        if let Some(count) = self.faults.counts.get_mut(fault.counter as usize) {
            *count += 1;
        }
        if self.outbox.log_level < LogLevel::Warn {
            return;
        }
        let Some(ration) = self.faults.rations.get_mut(fault.counter as usize) else { return };
        if ration.may_write(self.now.monotonic) {
            let left_out = std::mem::take(&mut ration.left_out);
            self.outbox.log(LogLevel::Warn, "!!", flow, &line(message, fault, done, left_out));
        }
    }
}

/// What, its Call-ID, what was done, header and rule; what a peer wrote is cut and escaped, and no other text of its
/// than method and Call-ID stands there.
#[cold]
fn line(message: Option<&Message>, fault: Fault, done: Done, left_out: u64) -> String {
    let text = |text: &[u8]| printable(text, LONGEST);
    let what = match message {
        None => "bytes".to_owned(),
        Some(request) if request.is_request() => text(request.method_text()),
        Some(response) => format!("{} to {}", response.status(), text(response.method_text())),
    };
    let call_id = message.map(Message::call_id).filter(|call_id| !call_id.is_empty());
    let call_id = call_id.map_or_else(|| "-".to_owned(), text);
    let done = match done {
        Done::Answered(status) => format!("answered {status}"),
        Done::Dropped => "dropped".to_owned(),
        Done::PassedOver => "passed over".to_owned(),
    };
    let colon = if fault.header.is_empty() { "" } else { ": " };
    let rule = fault.rule;
    let left_out = if left_out == 0 { String::new() } else { format!(" | {left_out} more were left out before") };
    format!("{what} | Call-ID {call_id} | {done} | {}{colon}{rule}{left_out}", fault.header)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten at once, then ten a second; time that passed unused saves up no more than ten.
    #[test]
    fn lines_are_rationed() {
        let mut ration = Ration::default();
        let mut lines = |at_ms: u64, asked: usize| {
            let now = Time::from_micros(at_ms * 1_000);
            (0..asked).filter(|_| ration.may_write(now)).count()
        };
        assert_eq!([lines(0, 1_000), lines(99, 10), lines(100, 10), lines(500, 10)], [10, 0, 1, 4]);
        assert_eq!([lines(60_000, 4), lines(60_001, 10), lines(60_600, 10)], [4, 6, 6]);
        assert_eq!(ration.left_out, 990 + 10 + 9 + 6 + 4 + 4);
    }
}
