//! What the library drops, refuses or passes over by itself. One function counts it and has it told (`agent/explain`), so
//! that nothing is counted without a line at WARN and no line there stands for what is not counted.

use crate::agent::explain::About;
pub(in crate::agent) use crate::agent::explain::{Done, Ration};
use crate::agent::{Agent, Reason, Stats};
use crate::flow::Flow;
use crate::message::Message;
use crate::session::explain::Why;

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
    /// Answered 503: as many sessions as there may be.
    Sessions,
    /// Answered 503: the soft limit of calls.
    Calls,
    /// Answered 503: as many requests as may wait for their final response.
    Unanswered,
    /// Answered 503: the requests of one address in a second.
    Rate,
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
    /// A datagram that is dropped unread.
    Behind,
}

const KINDS: usize = Counter::Behind as usize + 1;
/// The lines of what is no fault.
pub(in crate::agent) const ACTS: usize = KINDS;

/// A broken rule: which header, "" for none, and the rule with its section, a sentence that can do without the header.
#[derive(Clone, Copy, Debug)]
pub(in crate::agent) struct Fault {
    counter: Counter,
    reason: Reason,
    header: &'static str,
    rule: &'static str,
    /// What its session is told instead, where the rule needs the header to be understood.
    instead: Option<&'static str>,
}

impl Fault {
    pub const fn new(counter: Counter, header: &'static str, rule: &'static str) -> Self {
        let reason = if matches!(counter, Counter::Default) { Reason::DefaultAnswer } else { Reason::RefusedByRule };
        Self { counter, reason, header, rule, instead: None }
    }

    /// The same for another reason.
    pub const fn because(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    /// The same, with a sentence that can do without the header.
    pub const fn worded(self, sentence: &'static str) -> Self {
        Self { instead: Some(sentence), ..self }
    }

    /// The same of what cannot be answered.
    pub fn dropped(self) -> Self {
        Self { counter: Counter::Beyond, ..self }
    }

    /// In the words of a reason phrase, from its colon on.
    pub fn said(counter: Counter, header: &'static str, reason: &'static str) -> Self {
        Self::new(counter, header, reason.split_once(": ").map_or(reason, |(_, rule)| rule))
    }
}

/// The counters, and how many lines may be written.
#[derive(Clone, Debug, Default)]
pub(in crate::agent) struct Faults {
    counts: [u64; KINDS],
    pub rations: [Ration; KINDS + 1],
}

impl Faults {
    /// Puts the counters where they are read.
    pub fn tell(&self, stats: &mut Stats) {
        let count = |counter: Counter| self.counts.get(counter as usize).copied().unwrap_or_default();
        stats.dropped_malformed = count(Counter::Unreadable);
        stats.dropped_limit = count(Counter::Beyond);
        let full = [Counter::Memory, Counter::Sessions, Counter::Calls, Counter::Unanswered, Counter::Rate];
        stats.answered_limit = count(Counter::Limit) + full.map(count).iter().sum::<u64>();
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
        stats.refused_sessions = count(Counter::Sessions);
        stats.refused_calls = count(Counter::Calls);
        stats.refused_unanswered = count(Counter::Unanswered);
        stats.refused_rate = count(Counter::Rate);
        stats.refused_default = count(Counter::Default);
        stats.dropped_response = count(Counter::Response);
        stats.dropped_ack = count(Counter::Ack);
        stats.dropped_stream = count(Counter::Stream);
        stats.ignored_challenges = count(Counter::Challenge);
        stats.dropped_behind = count(Counter::Behind);
    }
}

impl Agent {
    /// Counts a fault of a message, and says so, also to its session.
    pub(in crate::agent) fn fault(&mut self, fault: Fault, message: &Message, done: Done) {
        self.fault_on(message.flow(), Some(message), fault, done);
    }

    /// The same of bytes, or of a message, that came this way.
    pub(in crate::agent) fn fault_on(
        &mut self,
        flow: Option<&Flow>,
        message: Option<&Message>,
        fault: Fault,
        done: Done,
    ) {
        let kind = fault.counter as usize;
        if let Some(count) = self.faults.counts.get_mut(kind) {
            *count += 1;
        }
        let session = message.and_then(|message| self.session_of(message));
        let about = About { session, flow, message, header: fault.header, rule: fault.rule };
        self.explain(&about, Why::new(fault.reason, fault.instead.unwrap_or(fault.rule)), done, kind);
    }
}
