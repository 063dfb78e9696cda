//! Answers to requests of ours, and what a failure in a dialog ends (RFC 5057); those to INVITE are in `calls`.

use crate::agent::calls::session_timer::REFRESHED;
use crate::agent::event::{Event, EventKind, flag};
use crate::agent::methods::{effect_of_answer, rules};
use crate::agent::ours::outgoing::{Kind, Outgoing, OutgoingState};
use crate::agent::{Agent, OutgoingId, SessionId};
use crate::error::Result;
use crate::message::{Message, Method};
use crate::session::change::By;
use crate::session::explain::Why;
use crate::session::reason::{Ending, Reason};
use crate::session::usage::{Effect, Usage};
use crate::time::Now;
use crate::transaction::ClientId;
use std::sync::Arc;

const NO_ANSWER: Why = Why::new(Reason::Transport, "a request of ours was not answered in time (RFC 3261 8.1.3.1)");
const NOT_SENT: Why = Why::new(Reason::Transport, "a request of ours could not be sent (RFC 3261 8.1.3.1)");

impl Agent {
    /// A response that a transaction passed up.
    pub(in crate::agent) fn answered(&mut self, id: OutgoingId, response: &Arc<Message>) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if outgoing.invite().is_some() {
            return self.invite_answered(id, response);
        }
        if self.dealt_with(id, response) {
            return;
        }
        self.other_answered(id, response);
    }

    /// Whether a refusal is no final answer: the request goes out again, now or later, or the host is asked.
    pub(in crate::agent) fn dealt_with(&mut self, id: OutgoingId, response: &Arc<Message>) -> bool {
        self.unavailable(id, response)
            || self.challenged(id, response)
            || self.asked_for_more(id, response)
            || self.retried(id, response)
    }

    /// A response to a request other than INVITE that is no challenge, or one that nobody answers.
    pub(in crate::agent) fn other_answered(&mut self, id: OutgoingId, response: &Arc<Message>) {
        self.other_answered_as(id, response, 0);
    }

    /// The same, with the flags of its event.
    pub(in crate::agent) fn other_answered_as(&mut self, id: OutgoingId, response: &Arc<Message>, flags: u32) {
        let Some(session) = self.objects.outgoing.get(id).map(|outgoing| outgoing.session) else { return };
        let status = response.status();
        let mut reason = Reason::None;
        let apart = self.repairs_nothing(id, status);
        if status >= 200 {
            // Before its fate is told: the state in that event is the one right after it.
            self.prack_done(id, status, Some(response));
            reason = self.update_done(id, status, Some(response));
            self.tell_unanswered(session, reason, response);
        }
        let kind = match status {
            100 => EventKind::Trying,
            101..=199 => EventKind::Progress,
            200..=299 => EventKind::Accept,
            300..=399 => EventKind::Redirect,
            _ => EventKind::Reject,
        };
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let registered = outgoing.method == Method::Register && (200..300).contains(&status);
        let registered = if registered { outgoing.message() } else { None };
        let timer = if status < 200 {
            outgoing.proceeding();
            None
        } else {
            outgoing.done()
        };
        self.stop(timer);
        if let Some(request) = &registered {
            self.registered(request, response);
        }
        let message = Some(Arc::clone(response));
        self.tell_fate(id, Event { session, message, reason, flags, ..Event::new(kind) });
        if status >= 200 {
            self.request_done(id, status, Some(response));
        }
        if let Some((session, tried)) = apart {
            self.resync(session, tried);
        }
    }

    /// A request of ours gets no answer: 408 (time-out) or 503 (transport), made here.
    pub(in crate::agent) fn request_failed(&mut self, id: OutgoingId, status: u16) {
        self.queries.drop_of(id, &mut self.wheel);
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if outgoing.state() == OutgoingState::Completed {
            return;
        }
        let (session, is_invite) = (outgoing.session, outgoing.invite().is_some());
        match status {
            408 => self.act_for(id, NO_ANSWER, status, None),
            503 => self.act_for(id, NOT_SENT, status, None),
            _ => {}
        }
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let timer = if is_invite { None } else { outgoing.done() };
        // A name that was looked up is looked up again after a failure.
        if let Some(session) = session.and_then(|id| self.objects.holder_mut(id)) {
            session.set_resolved(None);
        }
        if is_invite {
            return self.invite_rejected(id, status, None);
        }
        self.stop(timer);
        let apart = self.repairs_nothing(id, status);
        self.prack_done(id, status, None);
        self.update_done(id, status, None);
        let event = Event { session, status_code: status, flags: flag::LOCAL, ..Event::new(EventKind::Reject) };
        self.tell_fate(id, event);
        self.request_done(id, status, None);
        if let Some((session, tried)) = apart {
            self.resync(session, tried);
        }
    }

    /// A request other than INVITE has its final answer.
    fn request_done(&mut self, id: OutgoingId, status: u16, response: Option<&Arc<Message>>) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let (session, method, refresh) = (outgoing.session, outgoing.method, outgoing.refresh);
        let is_bye = matches!(outgoing.kind, Kind::Bye);
        match (&outgoing.kind, session) {
            // It goes with its subscription.
            (Kind::Refer(_), Some(_)) => self.refer_answered(id, response),
            (Kind::Notify(refer), Some(session)) => {
                let refer = *refer;
                self.outgoing_over(id);
                self.notify_answered(refer, session, status, response.is_none());
            }
            _ => self.outgoing_over(id),
        }
        let Some(session) = session else { return };
        if refresh && status < 300 {
            self.act(Some(session), REFRESHED, status, response.map(|response| &**response));
        }
        if is_bye {
            self.finish_session(session);
        } else if status >= 300 {
            self.failure_in_dialog(session, method.name().as_bytes(), status, response);
            if refresh {
                self.refresh_failed(session, By::Update, status, response);
            }
        } else if rules(method).refreshes_target
            && let (Some(session), Some(response)) = (self.objects.holder_mut(session), response)
        {
            session.refreshed(response);
        }
        if method == Method::Update {
            self.tell_identity(session);
        }
    }

    /// What a failure in the dialog ends (RFC 5057). The usage is left by BYE (RFC 3261 §12.2.1.2).
    pub(in crate::agent) fn failure_in_dialog(
        &mut self,
        id: SessionId,
        method: &[u8],
        status: u16,
        response: Option<&Arc<Message>>,
    ) {
        let effect = effect_of_answer(&self.config, method, status, response.is_none());
        match effect {
            Effect::Transaction => return,
            // The subscription of a REFER is a usage of its own, and that alone is over (§5.3).
            Effect::Usage if rules(Method::from_name(method)).usage == Usage::Subscription => return,
            Effect::Usage | Effect::Dialog => {}
        }
        let ending =
            Ending { reason: Reason::DialogGone, status_code: status, message: response.cloned(), ended_ms: 0 };
        self.input(id, |session, _| session.usage_failed(ending));
        if effect == Effect::Dialog {
            self.end_referrals(id);
        }
    }

    /// The fate of a request of ours, unless the host does not want to know.
    pub(in crate::agent) fn tell_fate(&mut self, id: OutgoingId, mut event: Event) {
        event.outgoing = Some(id);
        if let Some(message) = &event.message {
            event.status_code = message.status();
        }
        self.tell_referrer(id, &event);
        if self.objects.outgoing.get(id).is_none_or(|outgoing| outgoing.silent) {
            return;
        }
        if matches!(event.kind, EventKind::Accept | EventKind::Redirect | EventKind::Reject)
            && let Some(invite) = self.objects.outgoing.get_mut(id).and_then(Outgoing::invite_mut)
        {
            invite.fate_told = true;
        }
        self.tell(event);
    }

    /// Nothing more comes of a request: it goes with its last event.
    pub(in crate::agent) fn outgoing_over(&mut self, id: OutgoingId) {
        self.forget_challenge(id);
        self.objects.outgoing_over(id);
    }

    /// A client transaction is over.
    pub(in crate::agent) fn client_ended(&mut self, id: OutgoingId, client: ClientId) {
        let current = |outgoing: &&mut Outgoing| outgoing.client() == Some(client);
        let Some(outgoing) = self.objects.outgoing.get_mut(id).filter(current) else { return };
        outgoing.client_ended();
        if outgoing.invite().is_some() {
            self.invite_client_ended(id);
        }
    }

    /// No more events of a request of ours.
    pub fn dispose_outgoing(&mut self, now: Now, id: OutgoingId) -> Result<()> {
        self.at(now);
        let outgoing = self.objects.outgoing.living_mut(id)?;
        outgoing.silent = true;
        let completed = outgoing.state() == OutgoingState::Completed;
        if let (Kind::Invite(invite), false) = (&mut outgoing.kind, completed)
            && matches!(invite.cancelling, crate::agent::ours::outgoing::Cancelling::No)
        {
            invite.cancelling = crate::agent::ours::outgoing::Cancelling::Abandoned;
            invite.cancel_reason = Reason::Disposed;
        }
        let subscribed = matches!(outgoing.kind, Kind::Refer(_));
        // Nobody will answer its challenge, or give it a new body.
        self.challenge_given_up(id);
        if self.needs_body(id) {
            self.retry_given_up(id);
        }
        if subscribed {
            // What still comes of its subscription gets 481, which ends it (RFC 6665 §4.1.3).
            self.subscriber_over(id);
        }
        Ok(())
    }
}
