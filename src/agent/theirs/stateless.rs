//! Answers without a host: to requests that a rule refuses, with a transaction that absorbs their repeats, or without
//! one.

use crate::agent::Agent;
use crate::agent::fault::{Counter, Done, Fault};
use crate::agent::options::ResponseOptions;
use crate::agent::theirs::admit::Refused;
use crate::agent::wire::outbox::Sender;
use crate::agent::words::response::{Answer, checked_status};
use crate::config::quirk;
use crate::dialog::id::DialogKeys;
use crate::error::{Error, Result};
use crate::flow::{Flow, Transport};
use crate::message::{HeaderId, Maddr, Malformed, Message, Method, write};
use crate::time::Now;
use crate::transaction::ServerId;
use smallvec::SmallVec;
use std::sync::Arc;

/// No dialog of ours is meant.
pub(in crate::agent) const UNKNOWN: Fault =
    Fault::new(Counter::Unknown, "To", "Call-ID and tags name no dialog that is here (RFC 3261 12.2.2)");
/// The dialog is there, and its session over.
pub(in crate::agent) const OVER: Fault = Fault::new(Counter::Unknown, "To", "the session is over (RFC 3261 15)");
/// There are as many as there may be.
pub(in crate::agent) const TRANSACTIONS: Fault =
    Fault::new(Counter::Limit, "", "transactions: the limit is reached (RFC 3261 21.5.4)");
pub(in crate::agent) const SESSIONS: Fault =
    Fault::new(Counter::Sessions, "", "sessions: the limit is reached (RFC 3261 21.5.4)");

/// What the session of a message that cannot be read is told.
const BROKEN: &str = "a message is broken; the log says where (RFC 3261 21.4.1)";

impl Agent {
    /// Refuses a request by a rule: counted, and with a transaction of its own, so that repeats are absorbed. At the
    /// limit: without.
    pub(in crate::agent) fn refuse(&mut self, request: &Arc<Message>, answer: &Answer<'_>, fault: Fault) {
        self.fault(fault, request, Done::Answered(answer.status));
        self.settle(request, answer);
    }

    /// 400, with the reason phrase that says so.
    pub(in crate::agent) fn refuse_malformed(
        &mut self,
        request: &Arc<Message>,
        header: &'static str,
        reason: &'static str,
    ) {
        let refused = Refused::malformed(header, reason);
        self.refuse(request, &refused.answer(), refused.fault);
    }

    /// Answers a request that nobody needs to hear of.
    pub(in crate::agent) fn settle(&mut self, request: &Arc<Message>, answer: &Answer<'_>) {
        let tag = own_tag(self.objects.keys, request);
        self.answer_by_rule(request, answer, &tag);
    }

    /// The same with a To tag.
    pub(in crate::agent) fn answer_by_rule(
        &mut self,
        request: &Arc<Message>,
        answer: &Answer<'_>,
        to_tag: &[u8],
    ) -> Option<ServerId> {
        let flow = self.answer_flow(request)?;
        let bytes = self.write_response(request, answer, Some(to_tag));
        let (table, mut effects) = self.transactions();
        match table.start_server(&mut effects, request, flow, 0) {
            Ok(transaction) => {
                // A fresh server transaction takes any final response.
                let _ = table.respond(&mut effects, transaction, answer.status, bytes);
                Some(transaction)
            }
            Err(_) => {
                self.outbox.transmit(Sender::Nobody, &bytes, &flow, None);
                None
            }
        }
    }

    /// Answers without a transaction (RFC 3261 §8.2.7).
    pub(in crate::agent) fn reply(&mut self, request: &Message, answer: &Answer<'_>) {
        let tag = own_tag(self.objects.keys, request);
        self.reply_tagged(request, answer, &tag);
    }

    fn reply_tagged(&mut self, request: &Message, answer: &Answer<'_>, to_tag: &[u8]) {
        let Some(flow) = self.answer_flow(request) else { return };
        let bytes = self.write_response(request, answer, Some(to_tag));
        self.outbox.transmit(Sender::Nobody, &bytes, &flow, None);
    }

    /// Where responses to a request go that is taken up now.
    pub(in crate::agent) fn answer_flow(&mut self, request: &Message) -> Option<Flow> {
        let (flow, maddr) = self.reply_flow(request)?;
        match maddr {
            Maddr::Usual => {}
            Maddr::Followed => self.counters.count_quirk(quirk::MADDR_ELSEWHERE),
            Maddr::Ignored => {
                let rule = "maddr names another than the request came from (RFC 3261 18.2.2)";
                self.fault(Fault::new(Counter::Maddr, "Via", rule), request, Done::PassedOver);
            }
        }
        Some(flow)
    }

    /// The same link; the address by received, rport and maddr (RFC 3261 §18.2.2, RFC 3581 §4). Against a MUST of the
    /// former, another address in maddr than the request's source counts only where the host wants it, or where it is a
    /// multicast address of ours: else anybody could aim our answers, longer and repeated, at others.
    pub(in crate::agent) fn reply_flow(&self, request: &Message) -> Option<(Flow, Maddr)> {
        let flow = *request.flow()?;
        if flow.transport != Transport::Udp {
            return Some((flow, Maddr::Usual));
        }
        let elsewhere = self.tolerates(quirk::MADDR_ELSEWHERE);
        let mut ours = false;
        let (remote, maddr) = request.response_address(|ip| {
            let is_local = flow.local.is_some_and(|local| local.ip() == ip) || self.transports.is_local(ip);
            ours = ip.is_multicast() && is_local;
            ours || elsewhere
        })?;
        let maddr = if ours { Maddr::Usual } else { maddr };
        Some((Flow { remote: Some(remote), ..flow }, maddr))
    }

    /// There is no room: 503 where one can answer, else the request is dropped; either is counted.
    pub(in crate::agent) fn refuse_for_limit(&mut self, request: &Message, fault: Fault) {
        self.fault(fault, request, Done::Answered(503));
        let lines = drawn_retry_after(self.objects.keys, request);
        self.reply(request, &Answer { lines: &lines, ..Answer::plain(503) });
    }

    /// What does not parse: answered where it can be (RFC 3261 §18.3, §21.4.1), else dropped and counted.
    pub(in crate::agent) fn malformed(&mut self, flow: &Flow, malformed: &Malformed) {
        let message = malformed.message.as_deref();
        let fault = |kind| Fault::new(kind, malformed.header, malformed.rule).worded(BROKEN);
        match malformed.to_answer() {
            Some(request) => {
                let kind = if malformed.status() == 513 { Counter::Limit } else { Counter::Malformed };
                self.fault_on(Some(flow), message, fault(kind), Done::Answered(malformed.status()));
                let reason = format!("{} {}", malformed.header, malformed.rule);
                let reason = format!("Bad Request: {}", reason.trim_start());
                let status = malformed.status();
                let reason = (status == 400).then_some(ascii(&reason));
                self.reply(&request, &Answer { reason: reason.as_deref(), ..Answer::plain(status) });
            }
            None => self.fault_on(Some(flow), message, fault(Counter::Unreadable), Done::Dropped),
        }
    }

    /// Answers a received request without a transaction (RFC 3261 §8.2.7).
    pub fn reply_stateless(
        &mut self,
        now: Now,
        request: &Message,
        status: u16,
        options: &ResponseOptions<'_>,
    ) -> Result<()> {
        self.at(now);
        if !request.is_request() || request.method() == Method::Ack {
            return Err(Error::argument("request: a request other than ACK"));
        }
        if request.flow().is_none() {
            return Err(Error::argument("request: must have been received"));
        }
        let status = checked_status(status, 503, 100..=699)?;
        let mut answer = Answer::of_host(status, options, false)?;
        answer.abilities = status == 405;
        self.answer_fits(request, &answer)?;
        match options.to_tag {
            Some(tag) => {
                write::check_to_tag(tag)?;
                self.reply_tagged(request, &answer, tag);
            }
            None => self.reply(request, &answer),
        }
        Ok(())
    }
}

/// A reason phrase of ours holds ASCII only.
fn ascii(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii).collect()
}

/// A tag of ours, beside the session that it belongs to; on the stack, for ours are short.
pub(in crate::agent) type Tag = SmallVec<[u8; 32]>;

/// The To tag of our responses to a request, and to its CANCEL (RFC 3261 §9.2): made from what both share, with keys
/// that nobody knows. RFC 3261 §8.2.7: repeats of a request that is answered without a transaction get the same.
pub(in crate::agent) fn own_tag(keys: DialogKeys, request: &Message) -> Tag {
    let key = own_key(keys, request);
    let mut tag = [0; 16];
    for (at, letter) in tag.iter_mut().enumerate() {
        let nibble = (key >> (4 * at)) as u8 & 15;
        *letter = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    }
    Tag::from_slice(&tag)
}

/// What a request shares with its repeats and its CANCEL, and nobody can foresee.
fn own_key(keys: DialogKeys, request: &Message) -> u128 {
    let from_tag = request.from_tag().unwrap_or_default();
    keys.key(request.call_id(), from_tag, request.branch().unwrap_or_default())
}

/// Retry-After of 5 to 15 s, so that those who were refused together do not come together again; the same one for a
/// repeat, which a request that leaves no state behind may have. Of the half of the key that no tag shows.
fn drawn_retry_after(keys: DialogKeys, request: &Message) -> Vec<u8> {
    let mut line = Vec::new();
    write::number_header(&mut line, HeaderId::RetryAfter, 5 + (own_key(keys, request) >> 64) as u64 % 11);
    line
}
