//! What holds for a method, one row each: what one of the peer's is in a dialog and out of one, what it gets when
//! nobody answers it, what the failure of one of ours ends.

use crate::agent::event::EventKind;
use crate::config::{Config, Effect};
use crate::message::Method;
use crate::session::usage::{self, Usage};

/// What one of the peer's without a To tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outside {
    /// A new call.
    Invite,
    /// 481: it lives in a dialog only (RFC 3261 §15.1.2, RFC 6086 §4.2.2, RFC 3262 §3, RFC 3311 §5.2).
    Stray,
    /// It makes a subscription (RFC 3515 §2.4.4).
    Refer,
    /// Of a subscription that nobody has.
    Notify,
    /// The host's.
    HandUp(EventKind),
}

/// What one of the peer's in a dialog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// As if outside (RFC 3261 §12.2.2, §11.2): its number is neither checked nor taken.
    Options,
    /// Of usages that outlive the INVITE's (RFC 5057 §5.5).
    Notify,
    /// The same.
    Subscribe,
    /// The end. One that crosses ours gets 200 (RFC 5407 §3.2).
    Bye,
    /// A change of the session.
    Reinvite,
    /// An acknowledgement; good for a while when the session is over (RFC 3262 §3).
    Prack,
    /// Another change of the session (RFC 3311).
    Update,
    /// By package (RFC 6086).
    Info,
    /// It makes a subscription.
    Refer,
    /// The host's.
    HandUp(EventKind),
}

/// What one of the peer's gets when no function of the host's is found, or its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// This code, and nothing more.
    Plain(u16),
    /// 486 to a call, 488 to a change (RFC 3261 §21.4.26).
    Invite,
    /// By what it acknowledges (RFC 3262 §3, §5).
    Prack,
    /// 488 to an offer, else 200 (RFC 3311 §5.2).
    Update,
    /// 469 with Recv-Info, one that asks for nothing 200 (RFC 6086 §4.2.2).
    Info,
    /// What is asked for (RFC 3261 §11.2).
    Options,
    /// Clear since it came (RFC 6665 §4.1.3).
    Notify,
    /// 403 to that of a REFER (RFC 3515 §2.4.4), else 489.
    Subscribe,
    /// 405 with Allow.
    NotAllowed,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub method: Method,
    pub outside: Outside,
    pub inside: Inside,
    pub unanswered: Unanswered,
    /// Which usage one belongs to (RFC 5057 §5.3).
    pub usage: Usage,
    /// Whether one moves the target of who gets it (RFC 6141 §4; RFC 3311 §5.1, RFC 6665 §3, RFC 4488 §4).
    pub refreshes_target: bool,
}

#[rustfmt::skip]
const ROWS: [Rules; 15] = {
    use EventKind as E;
    use Method as M;
    use Unanswered as A;
    use Usage as U;
    const fn row(method: M, outside: Outside, inside: Inside, unanswered: A, usage: U, refreshes_target: bool) -> Rules {
        Rules { method, outside, inside, unanswered, usage, refreshes_target }
    }
    const fn host(event: E) -> (Outside, Inside) {
        (Outside::HandUp(event), Inside::HandUp(event))
    }
    let (by_host, request) = (host(E::Message), host(E::Request));
    [
        // method out of a dialog in one unanswered usage target
        row(M::Invite,    Outside::Invite,              Inside::Reinvite,           A::Invite,       U::Integral,     true),
        row(M::Ack,       request.0,                    request.1,                  A::NotAllowed,   U::Integral,     false),
        row(M::Bye,       Outside::Stray,               Inside::Bye,                A::Plain(200),   U::Ends,         false),
        row(M::Cancel,    request.0,                    request.1,                  A::NotAllowed,   U::Cancel,       false),
        row(M::Update,    Outside::Stray,               Inside::Update,             A::Update,       U::Extra,        true),
        row(M::Prack,     Outside::Stray,               Inside::Prack,              A::Prack,        U::Integral,     false),
        row(M::Info,      Outside::Stray,               Inside::Info,               A::Info,         U::Extra,        false),
        row(M::Message,   by_host.0,                    by_host.1,                  A::Plain(200),   U::None,         false),
        row(M::Notify,    Outside::Notify,              Inside::Notify,             A::Notify,       U::Subscription, true),
        row(M::Refer,     Outside::Refer,               Inside::Refer,              A::Plain(603),   U::Subscription, true),
        row(M::Subscribe, Outside::HandUp(E::Subscribe), Inside::Subscribe,         A::Subscribe,    U::Subscription, true),
        row(M::Register,  Outside::HandUp(E::Register), request.1,                  A::NotAllowed,   U::None,         false),
        row(M::Options,   Outside::HandUp(E::Options),  Inside::Options,            A::Options,      U::None,         false),
        row(M::Publish,   request.0,                    request.1,                  A::NotAllowed,   U::None,         false),
        row(M::Other,     request.0,                    request.1,                  A::NotAllowed,   U::None,         false),
    ]
};

/// The row of a method.
pub(super) fn rules(method: Method) -> &'static Rules {
    let [.., other] = &ROWS;
    // In the order of their numbers, which begin with 1.
    let row = ROWS.get((method as usize).wrapping_sub(1)).unwrap_or(other);
    debug_assert_eq!(row.method, method);
    row
}

/// What a failed request of ours in a dialog ends by RFC 5057 §5.1. `status` 0 is no response at all: a time-out.
pub fn effect_of(method: &[u8], status: u16) -> Effect {
    usage::effect_of(rules(Method::from_name(method)).usage, status)
}

/// What a final answer to a request of ours ends: as the host has it, else by the table. One that was made here tells
/// of no response: a time-out is a 408, a failed transport a 503 (RFC 3261 §8.1.3.1), unless the host has another word
/// for that.
pub(super) fn effect_of_answer(config: &Config, method: &[u8], status: u16, made_here: bool) -> Effect {
    let unanswered = config.effect_of(method, 0).filter(|_| made_here && matches!(status, 408 | 503));
    unanswered.or_else(|| config.effect_of(method, status)).unwrap_or_else(|| match status {
        // A redirection concerns the whole dialog, but ends none of it (RFC 5057 §5.1); to follow it is the host's.
        300..=399 => Effect::Transaction,
        _ => effect_of(method, status),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_has_its_row() {
        for (number, row) in (1..).zip(&ROWS) {
            assert_eq!(row.method as usize, number);
            assert_eq!(rules(row.method).method, row.method);
        }
    }

    /// RFC 5057 §5.1: what differs by method.
    #[test]
    fn what_a_failure_ends() {
        use Effect::{Dialog, Transaction, Usage};
        let rows: [(&[u8], u16, Effect); 22] = [
            (b"INFO", 405, Transaction),
            (b"INFO", 501, Transaction),
            (b"INFO", 481, Usage),
            (b"INFO", 0, Usage),
            (b"UPDATE", 501, Transaction),
            (b"UPDATE", 408, Usage),
            (b"PRACK", 481, Usage),
            (b"CANCEL", 481, Transaction),
            (b"CANCEL", 483, Dialog),
            (b"BYE", 481, Usage),
            (b"BYE", 500, Usage),
            (b"BYE", 603, Usage),
            (b"BYE", 401, Transaction),
            (b"INVITE", 489, Transaction),
            (b"NOTIFY", 489, Usage),
            (b"SUBSCRIBE", 405, Usage),
            (b"REFER", 603, Transaction),
            (b"OPTIONS", 0, Transaction),
            (b"OPTIONS", 481, Transaction),
            (b"MESSAGE", 408, Transaction),
            (b"MESSAGE", 404, Dialog),
            (b"invite", 481, Transaction),
        ];
        for (method, status, effect) in rows {
            assert_eq!(effect_of(method, status), effect, "{} {status}", String::from_utf8_lossy(method));
        }
    }
}
