//! What is asked of the agents' messages, by what they were told.

use crate::common::wire::{RULES, Trace};
use crate::random_acts::TOLERATED;

/// What may be done to the agents, and so by which rules they can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// Messages come again at any time, from where they came: every rule binds.
    Repeats,
    /// Messages that nobody sent, but that can be read: rules bind that no lie can excuse.
    Lies,
    /// Bytes that nobody can read; hosts that do by hand what is legal only for one who knows why: the form binds.
    None,
}

/// Bytes that a trimmed agent may hold beyond a fresh one.
pub const LEFT: u64 = 32_768;

/// Rules of the form of a message: they bind whatever was heard before.
const OF_FORM: [&str; 9] = [
    "parses",
    "mandatory-headers",
    "content-length",
    "content-type",
    "max-forwards",
    "from-tag",
    "cseq-method",
    "cseq-range",
    "branch-cookie",
];

/// What no lie excuses beyond the form: what an agent writes by itself into a message of this kind.
const OF_ITS_OWN: [&str; 18] = [
    "contact",
    "update-contact",
    "refer-contact",
    "refer-to",
    "notify-form",
    "reliable-form",
    "allow-405",
    "unsupported-420",
    "accept-415",
    "cancel-form",
    "response-to-ack",
    "non-invite-408",
    "non-invite-1xx",
    "session-expires",
    "min-se",
    "422-form",
    "timer-supported",
    "digest-form",
];

/// What the judge does not know of a network that only loses and repeats, or what hosts here do wrong.
const UNKNOWN_TO_THE_JUDGE: [&str; 13] = [
    // A host that takes reliable responses only has no 183 to send where it owes the offer (RFC 3262 §5).
    "1xx-every-minute",
    // The 2xx to an UPDATE or refresh that comes when the call has ended.
    "expiry-bye",
    "refresh-owed",
    // A REFER that overtakes the first one is the first to its receiver.
    "notify-subscription",
    // What comes again when its transaction has ended, after many repeats.
    "one-final",
    // An UPDATE that a later request has overtaken: 500 for its order (RFC 3261 §12.2.2) before all else.
    "update-491",
    "update-500",
    // A newer UPDATE of the host's with the same offer, which need not wait.
    "glare-wait",
    // The PRACK of a response that a final one has overtaken, behind a later request.
    "remote-cseq",
    // The answer in a PRACK that comes again after 500 for its order.
    "answer-missing",
    // An INVITE that was cancelled, and given up 64*T1 later, whose 2xx never came.
    "no-dialog-481",
    "bye-answer",
    // A repeated INVITE brings the final response between two of its own repeats.
    "timer-g",
];

/// Says which rules are judged.
pub fn tolerate(trace: &mut Trace, law: Law) {
    trace.allowed.extend(TOLERATED);
    let excused: &dyn Fn(&str) -> bool = match law {
        Law::Repeats => &|rule| UNKNOWN_TO_THE_JUDGE.contains(&rule),
        Law::Lies => &|rule| !OF_FORM.contains(&rule) && !OF_ITS_OWN.contains(&rule),
        Law::None => &|rule| !OF_FORM.contains(&rule),
    };
    trace.allowed.extend(RULES.iter().map(|(rule, _)| *rule).filter(|rule| excused(rule)));
}

pub fn judge(trace: &Trace) {
    trace.check();
}
