//! The one place that carries deeds out. A session gets an input, decides, and says what follows (`session/deed`); here
//! it is done, in that order.

use crate::agent::event::{Event, EventKind};
use crate::agent::theirs::incoming::{Acknowledges, Kind};
use crate::agent::timeout::Timeout;
use crate::agent::wire::outbox::Sender;
use crate::agent::words::headers::HostHeaders;
use crate::agent::words::response::Answer;
use crate::agent::{Agent, IncomingId, SessionId};
use crate::config::TimerValues;
use crate::message::Message;
use crate::session::Session;
use crate::session::deed::{Clock, Deed, Deeds, Refusal, Wake};
use crate::session::explain::Why;
use crate::session::reason::{Ending, Reason};
use crate::time::Time;
use crate::timer::{TimerId, Wheel};

const NO_ACK: Why = Why::new(Reason::AckTimeout, "a 2xx of ours is repeated no more: no ACK came (RFC 3261 13.3.1.4)");
const NO_PRACK: Why = Why::new(Reason::PrackTimeout, "a reliable response was never acknowledged (RFC 3262 3)");
const NO_ANSWER: Why = Why::new(
    Reason::NoAnswerIn2xx,
    "a message lacks the answer to our offer, which is as if never made (RFC 3261 13.2.1)",
);

/// The wheel as one session sees it.
pub(super) struct SessionClock<'a> {
    wheel: &'a mut Wheel<Timeout>,
    now: Time,
    values: &'a TimerValues,
    id: SessionId,
}

impl Clock for SessionClock<'_> {
    fn now(&self) -> Time {
        self.now
    }

    fn values(&self) -> &TimerValues {
        self.values
    }

    fn arm(&mut self, at: Time, wake: Wake) -> TimerId {
        self.wheel.arm(at, Timeout::Session(self.id, wake))
    }

    fn stop(&mut self, timer: TimerId) {
        self.wheel.stop(timer);
    }
}

impl Agent {
    /// Something happens to a session, and what follows is done. Nothing where the session has gone.
    pub(super) fn input(&mut self, id: SessionId, input: impl FnOnce(&mut Session, &mut SessionClock<'_>) -> Deeds) {
        let Some(session) = self.objects.sessions.get_mut(id) else { return };
        let (now, values) = (self.now.monotonic, &self.config.timers);
        let mut deeds = input(session, &mut SessionClock { wheel: &mut self.wheel, now, values, id });
        self.carry_out(id, &mut deeds);
    }

    /// A session, with its clock.
    pub(super) fn decide<T>(
        &mut self,
        id: SessionId,
        decide: impl FnOnce(&mut Session, &mut SessionClock<'_>) -> T,
    ) -> Option<T> {
        let session = self.objects.sessions.get_mut(id)?;
        let mut clock =
            SessionClock { wheel: &mut self.wheel, now: self.now.monotonic, values: &self.config.timers, id };
        Some(decide(session, &mut clock))
    }

    /// Ends a session, and says so. One that is over already says so once its BYE, or the answer to the peer's, is done.
    pub(super) fn end_and_finish(&mut self, id: SessionId, ending: Ending) {
        if self.objects.lives(id) {
            self.end_session(id, ending);
            self.finish_session(id);
        } else {
            self.input(id, |session, clock| session.farewell_over(clock));
        }
    }

    pub(super) fn end_session(&mut self, id: SessionId, ending: Ending) {
        self.input(id, |session, clock| session.end(ending, clock));
    }

    pub(super) fn finish_session(&mut self, id: SessionId) {
        self.input(id, |session, _| session.finish());
    }

    pub(super) fn carry_out(&mut self, id: SessionId, deeds: &mut Deeds) {
        for deed in deeds.drain(..) {
            match deed {
                Deed::State => self.note_state(id),
                Deed::Confirmed => self.counters.calls_confirmed += 1,
                Deed::Acknowledged(ack, reason) => {
                    self.tell_unanswered(Some(id), reason, &ack);
                    let event = Event { session: Some(id), message: Some(ack), reason, ..Event::new(EventKind::Ack) };
                    self.tell(event);
                }
                Deed::AckTimedOut => {
                    let reason = Reason::AckTimeout;
                    self.act(Some(id), NO_ACK, 0, None);
                    self.tell(Event { session: Some(id), reason, ..Event::new(EventKind::AckTimeout) });
                }
                Deed::Over(incoming) => self.objects.incoming_over(incoming),
                Deed::Refuse(incoming, refusal) => self.refuse_as(incoming, *refusal),
                Deed::RefuseInvite(invite, refusal) => {
                    if self.objects.other_dialog(invite, id).is_some() {
                        self.end_fork(id, invite, refusal.ending, &HostHeaders::default());
                    } else if !self.accept_executed(invite) {
                        self.tell_refused_reinvite(id, invite, &refusal);
                        self.refuse_as(invite, *refusal);
                    }
                }
                Deed::LeaveInvite(invite, accepted) => self.leave_invite(id, invite, accepted),
                Deed::Respond(incoming, status, response, again) => {
                    let Some(incoming) = self.objects.incoming.get_mut(incoming) else { continue };
                    if again {
                        self.outbox.retransmissions_sent += 1;
                    } else {
                        incoming.provisional = None;
                    }
                    if let Some(transaction) = incoming.transaction {
                        // The INVITE is unanswered, so its transaction takes the response.
                        let _ = self.respond(transaction, status, response);
                    }
                }
                // The INVITE is unanswered, so its transaction takes the response.
                Deed::Accept(incoming, status, response) => {
                    let verdict = self.session_timer_in(id, &response);
                    if self.deliver_2xx(incoming, id, status, response, None).is_ok() {
                        self.session_timer_is(id, verdict);
                    }
                }
                Deed::Repeat(repeated) => {
                    self.outbox.retransmissions_sent += 1;
                    self.outbox.transmit(Sender::Session(id), &repeated.0, &repeated.1, None);
                }
                Deed::Left(left) => {
                    if let Some(key) = self.objects.sessions.get(id).map(|session| session.key(self.objects.keys)) {
                        self.left_responses.keep(key, left, self.now.monotonic, self.config.limits.sessions);
                    }
                }
                Deed::Acknowledge(outgoing) => {
                    let Some(session) = self.objects.sessions.get(id) else { continue };
                    let tag: Box<[u8]> = session.remote_tag().into();
                    self.acknowledge_plainly(outgoing, Some(id), &tag, None);
                }
                Deed::ForkEnded(outgoing, untold) => self.objects.fork_ended(outgoing, id, untold),
                Deed::GiveUpRetry(outgoing) => self.retry_given_up(outgoing),
                Deed::Refresh => self.refresh_session(id),
                Deed::GoOn(outgoing) => self.go_on_behind_refresh(outgoing),
                Deed::Bye(bye) => self.leave_by_bye(id, bye.ending, bye.wanted),
                Deed::Finish => self.finish_session(id),
                Deed::Terminated(ending, reinvite) => {
                    if !self.objects.holder(id).is_some_and(Session::is_referring) {
                        self.objects.forget_dialog(id);
                    }
                    if let Some(reinvite) = reinvite {
                        self.orphan_reinvite(reinvite.0, reinvite.1);
                    }
                    self.tell_terminated(id, ending);
                }
            }
        }
    }

    /// The exchange that had to end with a message did not: it is as if never made.
    pub(super) fn tell_unanswered(&mut self, session: Option<SessionId>, reason: Reason, message: &Message) {
        if reason == Reason::NoAnswerIn2xx {
            self.act(session, NO_ANSWER, message.status(), Some(message));
        }
    }

    /// A re-INVITE is refused for what became of its reliable response. An INVITE ends its session, which says why.
    fn tell_refused_reinvite(&mut self, id: SessionId, invite: IncomingId, refusal: &Refusal) {
        let why = match refusal.ending.reason {
            Reason::PrackTimeout => NO_PRACK,
            Reason::NoAnswerIn2xx => NO_ANSWER,
            _ => return,
        };
        let known = self.objects.incoming.get(invite).filter(|invite| matches!(invite.kind, Kind::Reinvite));
        if let Some(request) = known.and_then(|invite| invite.message().ok()).cloned() {
            self.act(Some(id), why, refusal.status, Some(&request));
        }
    }

    fn refuse_as(&mut self, id: IncomingId, refusal: Refusal) {
        // RFC 3262 §3: a PRACK that acknowledges gets a 2xx, though its session ended before the host gave one. An offer
        // in it would need an answer there (§5).
        let acknowledges = self.objects.incoming.get(id).is_some_and(|incoming| {
            let session = incoming.session.and_then(|id| self.objects.sessions.get(id));
            matches!(incoming.kind, Kind::Prack(Acknowledges::Response))
                && session.is_some_and(|session| !session.is_offering(id))
        });
        let status = if acknowledges { 200 } else { refusal.status };
        let answer = Answer { reason: refusal.reason, ..Answer::plain(status) };
        // Answered meanwhile: then there is nothing to refuse.
        let _ = self.refuse_request(id, answer, None, refusal.ending);
    }

    /// The last word of a session.
    fn tell_terminated(&mut self, id: SessionId, ending: Ending) {
        self.tell(Event {
            session: Some(id),
            reason: ending.reason,
            status_code: ending.status_code,
            message: ending.message,
            ..Event::new(EventKind::Terminated)
        });
        if let Some(session) = self.objects.sessions.get_mut(id) {
            session.terminated_told();
        }
    }
}
