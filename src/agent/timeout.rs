//! Timers of the agent: whose, and why.

use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::session::deed::Wake;
use crate::session::reason::Reason;
use crate::time::Now;
use crate::transaction;

/// What a timer in the wheel stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timeout {
    /// A letter of RFC 3261 §17.
    Transaction(transaction::Timer),
    /// Of a session.
    Session(SessionId, Wake),
    /// Of a request of the peer.
    Incoming(IncomingId, IncomingTimer),
    /// Of a request of ours.
    Outgoing(OutgoingId, OutgoingTimer),
    /// A look-up takes too long.
    Query(u64),
    /// A flow is to be kept alive, or was not.
    KeepAlive(u64),
}

/// Of a request of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IncomingTimer {
    /// A minute of the host's time to answer, or the last piece of it.
    Answer,
    /// The peer's Expires.
    Expires,
    /// The subscription of an accepted REFER.
    Subscription,
}

/// Of a request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutgoingTimer {
    /// The host's Expires of an INVITE (RFC 3261 §13.2.1).
    Expires,
    /// 64*T1 after CANCEL (RFC 3261 §9.1).
    CancelGivenUp,
    /// 64*T1 after the host ended an early dialog by BYE: the INVITE is answered 487, or other forks ring.
    Deserted,
    /// The host does not answer a challenge.
    Challenge,
    /// The wait after a 491 is over.
    Retry,
    /// The subscription of a REFER.
    Subscription,
}

impl Agent {
    /// Carries out all timers that are due. Early or late calls do no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        self.at(now);
        while let Some((_, timeout)) = self.wheel.pop_due(now.monotonic) {
            match timeout {
                Timeout::Transaction(timer) => {
                    let (table, mut effects) = self.transactions();
                    let outcome = table.timer_due(&mut effects, timer);
                    self.transaction_told(timer.transaction, outcome);
                }
                Timeout::Session(id, wake) => self.input(id, |session, clock| session.woken(wake, clock)),
                Timeout::Incoming(id, IncomingTimer::Subscription) => self.notifier_expired(id),
                Timeout::Incoming(id, timer) => self.answer_time_over(id, timer),
                Timeout::Outgoing(id, OutgoingTimer::Expires) => self.expired(id),
                Timeout::Outgoing(id, OutgoingTimer::Deserted) => self.invite_deserted(id),
                Timeout::Outgoing(id, OutgoingTimer::CancelGivenUp) => self.cancel_given_up(id),
                Timeout::Outgoing(id, OutgoingTimer::Challenge) => self.challenge_given_up(id),
                Timeout::Outgoing(id, OutgoingTimer::Retry) => self.retry_due(id),
                Timeout::Outgoing(id, OutgoingTimer::Subscription) => self.subscription_lost(id, Reason::None),
                Timeout::KeepAlive(number) => self.keep_alive_due(number),
                Timeout::Query(query) => {
                    self.query_answered(query, &[]);
                }
            }
        }
    }
}
