//! The 2xx of a callee until its ACK (RFC 3261 §13.3.1.4).

use crate::agent::event::{Event, EventKind, Reason};
use crate::agent::response::{Answer, wants_recv_info};
use crate::agent::timeout::Timeout;
use crate::agent::{Agent, Bytes, IncomingId, SessionId};
use crate::error::{Error, Result};
use crate::message::Message;
use crate::session::ack::{Accepted, AckProcessing, Refresh};
use crate::session::offer_answer::{Party, StoredBody};
use crate::session::reason::Ending;
use crate::session::reliable_server::{HeldAcceptance, ReliableServer};
use crate::session::{Origin, Phase, Session};
use std::sync::Arc;

impl Agent {
    /// The 2xx to an INVITE or re-INVITE. It waits while a reliable response with a description is unacknowledged (RFC 3262
    /// §3). Changes nothing when refused.
    pub(super) fn send_2xx(
        &mut self,
        id: IncomingId,
        session: SessionId,
        mut answer: Answer<'_>,
        description: Option<StoredBody>,
        to_tag: Option<&[u8]>,
    ) -> Result<()> {
        let request = Arc::clone(self.incoming(id)?.message());
        answer.dialog = true;
        answer.abilities = true;
        answer.recv_info = wants_recv_info(&request);
        // The host may have told the answer by hand before.
        let description = description.filter(|_| {
            request.session_body().is_none()
                || self.session(session).is_ok_and(|session| session.signaling.open_offer().is_some())
        });
        if description.is_some() {
            self.session(session)?.signaling.would_be(Party::Local)?;
        }
        let (status, response) = (answer.status, self.write_response(&request, &answer, to_tag));
        if self.reliable_server(id, Some(session)).is_some_and(ReliableServer::holds_acceptance) {
            self.hold_2xx(id, session, HeldAcceptance { status, response });
            return Ok(());
        }
        self.deliver_2xx(id, session, status, response, description)
    }

    /// The 2xx goes out, and is repeated from here until its ACK (§13.3.1.4).
    pub(super) fn deliver_2xx(
        &mut self,
        id: IncomingId,
        session: SessionId,
        status: u16,
        response: Bytes,
        description: Option<StoredBody>,
    ) -> Result<()> {
        let incoming = self.incoming(id)?;
        let (cseq, request) = (incoming.message().cseq_number(), Arc::clone(incoming.message()));
        let flow = Self::reply_flow(&request).ok_or_else(|| Error::state("the request has no way back"))?;
        let transaction =
            incoming.transaction.ok_or_else(|| Error::state("the request has no transaction any more"))?;
        let carried_offer = description.is_some() && request.session_body().is_none();
        self.respond(transaction, status, Bytes::clone(&response))?;
        self.reliable_over(session);
        let timers = self.config.timers;
        let timer = self.arm(timers.t1, Timeout::Accepted(session, cseq));
        let give_up_at = self.now.monotonic.plus(timers.patience());
        if let Some(session) = self.sessions.get_mut(session) {
            if let Some(description) = description {
                // Asked before.
                let _ = session.signaling.apply(Party::Local, description);
            }
            session.pending.retain(|pending| *pending != id);
            session.accepted.push(Box::new(Accepted {
                incoming: id,
                cseq,
                response,
                flow,
                interval: timers.t1,
                timer,
                give_up_at,
                carried_offer,
                refresh: Refresh::default(),
            }));
        }
        self.answered_finally(id);
        self.took_effect(id, session);
        self.end_replaced(id);
        Ok(())
    }

    /// The ACK of a 2xx of ours, found by its number (RFC 5407 §3.1.4), not by the latest.
    pub(super) fn ack_of_2xx(&mut self, id: SessionId, ack: &Arc<Message>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let number = ack.cseq_number();
        let Some(at) = session.accepted.iter().position(|accepted| accepted.cseq == number) else { return };
        let accepted = session.accepted.remove(at);
        let answer = ack.session_body();
        if accepted.carried_offer {
            match &answer {
                Some(answer) => {
                    session.signaling.answer_with(Party::Remote, StoredBody::of_remote(answer));
                }
                None => session.signaling.rollback(),
            }
        }
        let unanswered = accepted.carried_offer && answer.is_none();
        let over = session.is_terminated();
        if session.ack_processing == AckProcessing::Deferred && !ack.body().is_empty() {
            session.ack_processing = AckProcessing::Waiting;
        }
        self.acknowledged(id, &accepted);
        self.accepted_over(id, &accepted);
        if over {
            return self.finish_if_owed(id);
        }
        let reason = if unanswered { Reason::NoAnswerIn2xx } else { Reason::None };
        self.tell(Event { session: Some(id), message: Some(Arc::clone(ack)), reason, ..Event::new(EventKind::Ack) });
        let Some(session) = self.sessions.get(id) else { return };
        if unanswered && session.offer().is_none() && session.deferred_bye.is_none() {
            // RFC 3261 §13.2.2.4: the answer had to be in the ACK, and there is no earlier exchange to fall back to.
            self.end_with_bye(id, Ending::because(Reason::NoAnswerIn2xx));
        } else {
            self.send_deferred_bye(id);
        }
    }

    /// The ACK of a 2xx of ours came; that of the first one confirms the session.
    fn acknowledged(&mut self, id: SessionId, accepted: &Accepted) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        // The ACK of a re-INVITE may overtake that of the INVITE.
        let first = session.origin == Some(Origin::Incoming(accepted.incoming));
        if first && matches!(session.phase, Phase::AckWait) {
            session.phase = Phase::Confirmed;
            session.origin = None;
            self.counters.calls_confirmed += 1;
        }
    }

    /// A 2xx of ours is no longer repeated: its ACK came, or its time is over.
    pub(super) fn accepted_over(&mut self, id: SessionId, accepted: &Accepted) {
        self.stop(Some(accepted.timer));
        if let Some(session) = self.sessions.get_mut(id)
            && session.reinvite_server == Some(accepted.incoming)
        {
            session.reinvite_server = None;
        }
        self.note_state(id);
        self.incoming_over(accepted.incoming);
    }

    /// The 2xx goes out again, or no ACK will come (§13.3.1.4).
    pub(super) fn accepted_due(&mut self, id: SessionId, cseq: u32) {
        let (timers, now) = (self.config.timers, self.now.monotonic);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(at) = session.accepted.iter().position(|accepted| accepted.cseq == cseq) else { return };
        let Some(accepted) = session.accepted.get_mut(at) else { return };
        if now < accepted.give_up_at {
            let next = now.plus(accepted.next_interval(&timers)).min(accepted.give_up_at);
            accepted.timer = self.wheel.arm(next, Timeout::Accepted(id, cseq));
            self.outbox.retransmissions_sent += 1;
            self.outbox.transmit(crate::agent::outbox::Sender::Session(id), &accepted.response, &accepted.flow);
            return;
        }
        let accepted = session.accepted.remove(at);
        let over = session.is_terminated();
        if accepted.carried_offer {
            session.signaling.rollback();
        }
        self.accepted_over(id, &accepted);
        if over {
            return self.finish_if_owed(id);
        }
        if accepted.refresh == Refresh::Superseded {
            // RFC 6141 §5.4: the peer moved on and never saw this 2xx.
            return self.send_deferred_bye(id);
        }
        if self.sessions.get(id).is_some_and(|session| session.deferred_bye.is_some()) {
            self.send_deferred_bye(id);
        } else {
            self.tell(Event { session: Some(id), reason: Reason::AckTimeout, ..Event::new(EventKind::AckTimeout) });
        }
    }

    /// The peer's BYE was answered while this 2xx still waited.
    fn finish_if_owed(&mut self, id: SessionId) {
        if self.sessions.get(id).is_some_and(|session| session.finish_owed) {
            self.finish_session(id);
        }
    }

    /// Whether the session waits for the ACK of its first 2xx.
    pub(super) fn waits_for_ack(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(Session::waits_for_ack)
    }
}
