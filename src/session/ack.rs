//! ACK: the 2xx of a callee until its ACK comes (RFC 3261 §13.3.1.4), and the ACK that the host of a caller owes
//! (§13.2.2.4).

use crate::config::TimerValues;
use crate::error::{Error, Result};
use crate::flow::{Flow, Transport};
use crate::held;
use crate::message::Message;
use crate::session::deed::{Clock, Deed, Deeds, Wake, also};
use crate::session::offer_answer::{Carries, Part, Party, StoredBody};
use crate::session::reason::{Ending, Reason};
use crate::session::{Phase, Session};
use crate::slots::{IncomingId, OutgoingId};
use crate::time::Time;
use crate::timer::TimerId;
use crate::transaction::Bytes;
use smallvec::smallvec;
use std::sync::Arc;
use std::time::Duration;

/// Whether the host takes its time with an ACK (SIP.js: onAck returns a promise).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AckProcessing {
    /// With the ACK's arrival it is done.
    #[default]
    AtOnce,
    /// It says when; nothing waits now.
    Deferred,
    /// An ACK waits for it: no re-INVITE meanwhile (RFC 6337 §4.3, UAS-IsI).
    Waiting,
}

/// A 2xx to our INVITE whose ACK is left to the host.
#[derive(Clone, Copy, Debug)]
pub struct OwedAck {
    /// The INVITE.
    pub outgoing: OutgoingId,
    /// Whether the 2xx brought an offer.
    pub answer_due: bool,
}

/// A 2xx to an INVITE that waits for its ACK: repeated at T1, doubling to T2, on every transport, until 64*T1.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its number, which is the ACK's (RFC 5407 §3.1.4).
    cseq: u32,
    response: Bytes,
    flow: Flow,
    /// The end of patience.
    give_up_at: Time,
    /// What it owes to the books: with an offer in it the ACK owes the answer.
    carries: Carries,
    refresh: Refresh,
    /// Repeats so far.
    repeats: u8,
    /// The connection of `flow` is gone.
    lost: bool,
    running: Repeating,
}

/// What of it runs.
#[derive(Clone, Copy, Debug)]
struct Repeating {
    /// The INVITE or re-INVITE.
    incoming: IncomingId,
    /// The next repeat, or the end of patience.
    timer: TimerId,
}

/// What an accepted request did to the remote target (RFC 6141 §5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Refresh {
    /// It stayed.
    #[default]
    None,
    /// It moved, so that the peer may have left the place where the 2xx goes.
    Moved,
    /// It moved, and a newer INVITE came from there: that no ACK comes ends nothing.
    Superseded,
}

impl Accepted {
    /// The wait after this repeat: twice the last one, up to T2.
    fn next_interval(&mut self, timers: &TimerValues) -> Duration {
        self.repeats = self.repeats.saturating_add(1);
        let doubled = timers.t1.saturating_mul(1u32.checked_shl(self.repeats.into()).unwrap_or(u32::MAX));
        doubled.min(timers.t2.max(timers.t1))
    }

    /// Where it goes now; `connection`: that of its dialog. A lost one's repeats go by another, or open one (§18.2.2), else
    /// nowhere.
    fn way(&self, connection: Option<Flow>) -> Option<Flow> {
        if !self.lost {
            return Some(self.flow);
        }
        let another = connection.filter(|connection| connection.link != self.flow.link);
        another.or_else(|| Message::parse(&self.response, None).ok()?.way_back(&self.flow))
    }

    /// Bytes held.
    pub fn held(&self) -> usize {
        size_of::<Self>() + held::shared(&self.response) + self.carries.heap_bytes()
    }
}

/// A 2xx that has gone out.
#[derive(Debug)]
pub struct Sent2xx<'a> {
    /// The INVITE or re-INVITE.
    pub incoming: IncomingId,
    /// The same.
    pub request: &'a Message,
    /// As it was written.
    pub response: Bytes,
    /// Where it went.
    pub flow: &'a Flow,
    /// Our description in it, unless it waited for a PRACK.
    pub description: Option<StoredBody>,
}

impl Session {
    // ------------------------------------------------------------------ callee

    /// A 2xx of ours has gone out; it is repeated from here until its ACK. The first one ends the early state, another
    /// moves the peer's target (RFC 6141 §4: when its refresh is accepted).
    pub fn accepted(&mut self, sent: Sent2xx<'_>, clock: &mut impl Clock) -> Deeds {
        let Sent2xx { incoming, request, response, flow, description } = sent;
        let mut deeds = Deeds::new();
        self.reliable_over(&mut deeds, clock);
        let (cseq, values) = (request.cseq_number(), *clock.values());
        let mut carries = Carries::Nothing;
        // `accept_guard` has asked; an answer is final, an offer waits for the ACK.
        if let (Some(description), Ok(turn)) = (description, self.lasting.signaling.turn(Party::Local)) {
            match turn.part() {
                Part::Offer => carries = turn.carry(description),
                Part::Answer => turn.take(description),
            }
        }
        let mut accepted = Box::new(Accepted {
            cseq,
            response,
            flow: *flow,
            give_up_at: clock.now().plus(values.patience()),
            carries,
            refresh: Refresh::None,
            repeats: 0,
            lost: self.has_lost(flow),
            running: Repeating { incoming, timer: clock.arm(clock.now().plus(values.t1), Wake::Accepted(cseq)) },
        });
        if self.is_early() {
            self.lasting.dialog.route_set.lent_by(&accepted.response);
            self.lasting.phase = Phase::AckWait(Some(accepted));
        } else {
            if self.refreshed(request) {
                accepted.refresh = Refresh::Moved;
            }
            self.lasting.peer.learn(request);
            self.take_their_identity(request);
            self.lasting.accepted.push(accepted);
        }
        deeds
    }

    /// Whether no 2xx of ours can ever have waited for this ACK.
    pub fn owes_no_ack(&self, ack: &Message) -> bool {
        self.is_early() || self.lasting.dialog.remote.last().is_none_or(|last| ack.cseq_number() > last)
    }

    /// The ACK of a 2xx of ours, found by its number (RFC 5407 §3.1.4), not by the latest.
    pub fn ack_arrived(&mut self, ack: &Arc<Message>, clock: &mut impl Clock) -> Deeds {
        let Some((accepted, first)) = self.take_accepted(ack.cseq_number(), clock) else { return Deeds::new() };
        self.came_on(ack.flow());
        let mut deeds: Deeds = smallvec![];
        let answer = ack.session_body().map(|body| StoredBody::of_remote(&body));
        let mut unanswered = false;
        if accepted.carries.is_offer() {
            match answer {
                Some(answer) => {
                    if let Some(turn) = self.lasting.signaling.turn_to_answer(Party::Remote) {
                        turn.take(answer);
                    }
                }
                None => {
                    unanswered = true;
                    self.lasting.signaling.undo(accepted.carries);
                }
            }
        }
        if self.lasting.ack_processing == AckProcessing::Deferred {
            self.lasting.ack_processing = AckProcessing::Waiting;
        }
        if first {
            self.lasting.phase = Phase::Confirmed;
            self.running.origin = None;
            deeds.push(Deed::Confirmed);
        }
        deeds.push(Deed::State);
        deeds.push(Deed::Over(accepted.running.incoming));
        if self.is_terminated() {
            also(&mut deeds, self.finish_if_due());
            return deeds;
        }
        let reason = if unanswered { Reason::NoAnswerIn2xx } else { Reason::None };
        deeds.push(Deed::Acknowledged(Arc::clone(ack), reason));
        if unanswered && self.offer().is_none() && self.lasting.deferred_bye.is_none() {
            // RFC 3261 §13.2.2.4: the answer had to be in the ACK, and there is no earlier exchange to fall back to.
            deeds.extend(self.leave(Ending::because(Reason::NoAnswerIn2xx)));
        } else {
            also(&mut deeds, self.deferred_bye());
        }
        deeds
    }

    /// The 2xx goes out again, or no ACK will come (§13.3.1.4).
    pub(super) fn accepted_due(&mut self, cseq: u32, clock: &mut impl Clock) -> Deeds {
        let (now, connection) = (clock.now(), self.connection().copied());
        let Some(waiting) = self.unacknowledged(cseq) else { return Deeds::new() };
        if now < waiting.give_up_at {
            let next = now.plus(waiting.next_interval(clock.values())).min(waiting.give_up_at);
            waiting.running.timer = clock.arm(next, Wake::Accepted(cseq));
            // Where it has no way the next repeat may have one.
            let way = waiting.way(connection);
            return way.map(|way| Deed::Repeat(Box::new((Bytes::clone(&waiting.response), way)))).into_iter().collect();
        }
        let Some((accepted, _)) = self.take_accepted(cseq, clock) else { return Deeds::new() };
        self.lasting.signaling.undo(accepted.carries);
        let mut deeds: Deeds = smallvec![Deed::State, Deed::Over(accepted.running.incoming)];
        if self.is_terminated() {
            also(&mut deeds, self.finish_if_due());
        } else if accepted.refresh == Refresh::Superseded || self.lasting.deferred_bye.is_some() {
            // RFC 6141 §5.4: a peer that moved on never saw this 2xx.
            also(&mut deeds, self.deferred_bye());
        } else {
            deeds.push(Deed::AckTimedOut);
        }
        deeds
    }

    /// The host has nothing to say about a 2xx that nobody acknowledged: BYE, once it may be sent.
    pub fn ack_never_came(&mut self) -> Deeds {
        if self.is_terminated() || self.waits_for_ack() {
            return Deeds::new();
        }
        self.leave(Ending::because(Reason::AckTimeout))
    }

    fn unacknowledged(&mut self, cseq: u32) -> Option<&mut Accepted> {
        self.all_unacknowledged().find(|one| one.cseq == cseq)
    }

    fn all_unacknowledged(&mut self) -> impl Iterator<Item = &mut Accepted> {
        let first = match &mut self.lasting.phase {
            Phase::AckWait(first) => first.as_mut(),
            _ => None,
        };
        first.into_iter().chain(&mut self.lasting.accepted).map(|accepted| &mut **accepted)
    }

    /// A link is gone, or one of its 2xx could not be sent: which, nobody knows (`None`). They are repeated elsewhere.
    pub fn repeats_lost(&mut self, link: Option<u64>) {
        for one in self.all_unacknowledged().filter(|one| link.is_none_or(|link| one.flow.link == link)) {
            one.lost |= one.flow.transport != Transport::Udp;
        }
    }

    /// What was repeated by this link, or was lost with it, goes by that flow.
    pub(super) fn repeats_move(&mut self, link: u64, to: &Flow) {
        for one in self.all_unacknowledged().filter(|one| one.flow.link == link) {
            (one.flow, one.lost) = (*to, false);
        }
    }

    /// Waits no more for the ACK of this 2xx; true: it is that of the INVITE.
    fn take_accepted(&mut self, cseq: u32, clock: &mut impl Clock) -> Option<(Box<Accepted>, bool)> {
        let is_it = |accepted: &Accepted| accepted.cseq == cseq;
        let first = match &mut self.lasting.phase {
            Phase::AckWait(first) if first.as_deref().is_some_and(is_it) => first.take(),
            _ => None,
        };
        let is_first = first.is_some();
        let at = self.lasting.accepted.iter().position(|accepted| is_it(accepted));
        let accepted = first.or_else(|| at.map(|at| self.lasting.accepted.remove(at)))?;
        clock.stop(accepted.running.timer);
        self.lasting.dialog.route_set.own();
        self.their_reinvite_over(accepted.running.incoming);
        Some((accepted, is_first))
    }

    /// All that waits for its ACK, which is not waited for any more.
    pub(super) fn drop_accepted(&mut self, clock: &mut impl Clock) -> Deeds {
        let list = std::mem::take(&mut self.lasting.accepted);
        let first = match &mut self.lasting.phase {
            Phase::AckWait(first) => first.take(),
            _ => None,
        };
        self.lasting.dialog.route_set.own();
        let mut deeds = Deeds::new();
        for accepted in first.into_iter().chain(list) {
            clock.stop(accepted.running.timer);
            deeds.push(Deed::Over(accepted.running.incoming));
        }
        deeds
    }

    /// The session is over, but its 2xx go on being repeated until their ACK.
    pub(super) fn keep_accepted(&mut self) {
        if let Phase::AckWait(first) = &mut self.lasting.phase
            && let Some(first) = first.take()
        {
            self.lasting.accepted.insert(0, first);
        }
    }

    /// An INVITE of the peer came, newer than those that wait for their ACK (RFC 6141 §5.4).
    pub fn newer_invite_came(&mut self) {
        for accepted in self.lasting.accepted.iter_mut().filter(|accepted| accepted.refresh == Refresh::Moved) {
            accepted.refresh = Refresh::Superseded;
        }
    }

    /// Whether a 2xx of ours waits for its ACK; of these only those whose ACK owes us an answer.
    pub(super) fn waits_for_acks(&self, with_answer: bool) -> bool {
        let first = match &self.lasting.phase {
            Phase::AckWait(first) => first.as_ref(),
            _ => None,
        };
        first.into_iter().chain(&self.lasting.accepted).any(|accepted| !with_answer || accepted.carries.is_offer())
    }

    /// Whether this request was accepted, and waits for its ACK.
    pub fn is_accepted(&self, incoming: IncomingId) -> bool {
        let first = match &self.lasting.phase {
            Phase::AckWait(first) => first.as_ref(),
            _ => None,
        };
        first.into_iter().chain(&self.lasting.accepted).any(|accepted| accepted.running.incoming == incoming)
    }

    // ------------------------------------------------------------------ caller

    /// The 2xx whose ACK the host owes.
    pub fn owed_ack(&self) -> Option<OwedAck> {
        self.running.owed_ack
    }

    /// The INVITE whose ACK the host sends with `describes`, or why it must not.
    pub fn ack_guard(&self, describes: bool) -> Result<OutgoingId> {
        // In the Mortal state too (RFC 5407 §3.2.3).
        let owed = self.running.owed_ack.filter(|_| !self.is_gone());
        let owed = owed.ok_or_else(|| Error::state("no 2xx waits for an ACK (RFC 3261 13.2.2.4)"))?;
        match (owed.answer_due, describes) {
            (true, false) => {
                Err(Error::state("body: the 2xx brought an offer, its answer belongs into the ACK (RFC 3261 13.2.1)"))
            }
            (false, true) => Err(Error::state("body: there is no offer to answer (RFC 3264)")),
            _ => Ok(owed.outgoing),
        }
    }

    /// The ACK that the host owed goes out; with its answer, unless the host told that by hand before.
    pub fn ack_sent(&mut self, answer: Option<StoredBody>) -> Deeds {
        if let Some(owed) = self.running.owed_ack.take() {
            self.our_reinvite_over(owed.outgoing);
        }
        if let (Some(answer), Some(turn)) = (answer, self.lasting.signaling.turn_to_answer(Party::Local)) {
            turn.take(answer);
        }
        smallvec![Deed::State]
    }

    /// The host owes an ACK but wants the session ended, or let 64*T1 pass: the ACK goes without an answer.
    pub(super) fn acknowledge_owed(&mut self) -> Option<Deed> {
        let owed = self.running.owed_ack.take()?;
        self.our_reinvite_over(owed.outgoing);
        Some(Deed::Acknowledge(owed.outgoing))
    }
}

#[cfg(test)]
pub(super) mod tests;
