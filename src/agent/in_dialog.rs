//! Requests in a dialog, both ways, other than INVITE's own rules.

use crate::agent::event::{Event, EventKind, flag};
use crate::agent::incoming::Kind as IncomingKind;
use crate::agent::methods::{Inside, effect_of_answer, rules};
use crate::agent::options::{Body, RequestOptions};
use crate::agent::outgoing::{Kind, Outgoing, OutgoingState};
use crate::agent::response::{Answer, retry_after_line};
use crate::agent::{Agent, IncomingId, OutgoingId, SessionId};
use crate::error::{Error, Result};
use crate::message::write;
use crate::message::{HeaderId, Message, Method};
use crate::session::Session;
use crate::session::offer_answer::StoredBody;
use crate::session::reason::{Ending, Reason};
use crate::session::usage::{Effect, Usage};
use crate::time::Now;
use crate::transaction::ClientId;
use std::sync::Arc;

/// How many requests of the peer may wait for the host in one dialog.
const PENDING_REQUESTS: usize = 64;

impl Agent {
    // ------------------------------------------------------------------ ours

    /// re-INVITE (RFC 3261 §14.1).
    pub fn reinvite(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        let body = options.body.map(Body::checked).transpose()?;
        let offer = body.as_ref().and_then(StoredBody::of_local);
        self.reinvite_may_go(id, offer.is_some())?;
        if self.session(id)?.retry().is_some() {
            return Err(Error::state(
                "our re-INVITE waits to be sent again; its cancellation stops it (RFC 3261 14.1)",
            ));
        }
        let expires_ms = options.expires_ms;
        let request =
            self.draft_for_session(id, (Method::Invite, b"INVITE"), Kind::Reinvite(Box::default()), options)?;
        self.input(id, |session, _| session.reinvite_sent(request, offer));
        self.launch(request);
        self.arm_expires(request, expires_ms);
        Ok(request)
    }

    /// INFO (RFC 6086).
    pub fn info(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        let session = self.session(id)?;
        session.established(self.config.takes_early())?;
        for line in &options.headers {
            let (name, value) = write::split_header_line(line)?;
            if name.id() == HeaderId::InfoPackage && !session.peer().takes_info_package(value) {
                return Err(Error::state("Info-Package: the peer's Recv-Info does not list it (RFC 6086 4.2.1)"));
            }
        }
        let request = self.draft_for_session(id, (Method::Info, b"INFO"), Kind::Other, options)?;
        self.launch(request);
        Ok(request)
    }

    /// MESSAGE in the dialog (RFC 3428 §4).
    pub fn message(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        self.session(id)?.established(self.config.takes_early())?;
        let request = self.draft_for_session(id, (Method::Message, b"MESSAGE"), Kind::Other, options)?;
        self.launch(request);
        Ok(request)
    }

    /// OPTIONS in the dialog (RFC 3261 §11).
    pub fn options(&mut self, now: Now, id: SessionId, options: RequestOptions<'_>) -> Result<OutgoingId> {
        self.at(now);
        self.session(id)?.established(true)?;
        let request = self.draft_for_session(id, (Method::Options, b"OPTIONS"), Kind::Other, options)?;
        self.launch(request);
        Ok(request)
    }

    /// Drafts a request in a session's dialog and takes its number; nothing is changed when it is refused.
    pub(super) fn draft_for_session(
        &mut self,
        id: SessionId,
        method: (Method, &[u8]),
        kind: Kind,
        options: RequestOptions<'_>,
    ) -> Result<OutgoingId> {
        self.table.room()?;
        let Some(session) = self.objects.holder(id) else { return Err(self.session(id).err().unwrap_or_else(over)) };
        let mut next = session.dialog().local;
        let draft = self.draft_in_dialog(session.dialog(), method, next.take(), &options)?;
        let mut outgoing = Outgoing::new(method.0, kind, draft);
        outgoing.session = Some(id);
        outgoing.flags = options.flags;
        outgoing.fixed_flow = options.flow;
        outgoing.attachment = options.attachment;
        if outgoing.attachment.user.is_none() {
            outgoing.attachment.user = session.attachment().user.clone();
        }
        let request = self.objects.add_outgoing(outgoing)?;
        if let Err(error) = self.find_way(request) {
            self.objects.outgoing.remove(request);
            return Err(error);
        }
        if let Some(session) = self.objects.holder_mut(id) {
            session.set_local_sequence(next);
        }
        self.authorize(request);
        Ok(request)
    }

    // ------------------------------------------------------------------ their answers

    /// A response that a transaction passed up.
    pub(super) fn answered(&mut self, id: OutgoingId, response: &Arc<Message>) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if outgoing.invite().is_some() {
            return self.invite_answered(id, response);
        }
        if self.challenged(id, response) {
            return;
        }
        self.other_answered(id, response);
    }

    /// A response to a request other than INVITE that is no challenge, or one that nobody answers.
    pub(super) fn other_answered(&mut self, id: OutgoingId, response: &Arc<Message>) {
        let Some(session) = self.objects.outgoing.get(id).map(|outgoing| outgoing.session) else { return };
        let status = response.status();
        if status >= 200 {
            // Before its fate is told: the state in that event is the one right after it.
            self.prack_done(id, status, Some(response));
        }
        let kind = match status {
            100 => EventKind::Trying,
            101..=199 => EventKind::Progress,
            200..=299 => EventKind::Accept,
            300..=399 => EventKind::Redirect,
            _ => EventKind::Reject,
        };
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if status < 200 {
            outgoing.proceeding()
        } else {
            outgoing.done()
        }
        self.tell_fate(id, Event { session, message: Some(Arc::clone(response)), ..Event::new(kind) });
        if status >= 200 {
            self.request_done(id, status, Some(response));
        }
    }

    /// A request of ours gets no answer: 408 (time-out) or 503 (transport), made here.
    pub(super) fn request_failed(&mut self, id: OutgoingId, status: u16) {
        self.queries.drop_of(id, &mut self.wheel);
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        if outgoing.state() == OutgoingState::Completed {
            return;
        }
        if outgoing.invite().is_some() {
            return self.invite_rejected(id, status, None);
        }
        outgoing.done();
        let session = outgoing.session;
        // A name that was looked up is looked up again after a failure.
        if let Some(session) = session.and_then(|id| self.objects.holder_mut(id)) {
            session.set_resolved(None);
        }
        self.prack_done(id, status, None);
        let event = Event { session, status_code: status, flags: flag::LOCAL, ..Event::new(EventKind::Reject) };
        self.tell_fate(id, event);
        self.request_done(id, status, None);
    }

    /// A request other than INVITE has its final answer.
    fn request_done(&mut self, id: OutgoingId, status: u16, response: Option<&Arc<Message>>) {
        let Some(outgoing) = self.objects.outgoing.get_mut(id) else { return };
        let (session, method) = (outgoing.session, outgoing.method);
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
        if is_bye {
            self.finish_session(session);
        } else if status >= 300 {
            self.failure_in_dialog(session, method.name().as_bytes(), status, response);
        } else if rules(method).refreshes_target
            && let (Some(session), Some(response)) = (self.objects.holder_mut(session), response)
        {
            session.refreshed(response);
        }
    }

    /// What a failure in the dialog ends (RFC 5057). The usage is left by BYE (RFC 3261 §12.2.1.2).
    pub(super) fn failure_in_dialog(
        &mut self,
        id: SessionId,
        method: &[u8],
        status: u16,
        response: Option<&Arc<Message>>,
    ) {
        match effect_of_answer(&self.config, method, status, response.is_none()) {
            Effect::Transaction => return,
            // The subscription of a REFER is a usage of its own, and that alone is over (§5.3).
            Effect::Usage if rules(Method::from_name(method)).usage == Usage::Subscription => return,
            Effect::Usage => {}
            Effect::Dialog => self.end_referrals(id),
        }
        let ending = Ending { reason: Reason::DialogGone, status_code: status, message: response.cloned() };
        self.input(id, |session, _| session.usage_failed(ending));
    }

    /// The fate of a request of ours, unless the host does not want to know.
    pub(super) fn tell_fate(&mut self, id: OutgoingId, mut event: Event) {
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
    pub(super) fn outgoing_over(&mut self, id: OutgoingId) {
        self.forget_challenge(id);
        self.objects.outgoing_over(id);
    }

    /// A client transaction is over.
    pub(super) fn client_ended(&mut self, id: OutgoingId, client: ClientId) {
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
            && matches!(invite.cancelling, crate::agent::outgoing::Cancelling::No)
        {
            invite.cancelling = crate::agent::outgoing::Cancelling::Abandoned;
            invite.cancel_reason = Reason::Disposed;
        }
        let subscribed = matches!(outgoing.kind, Kind::Refer(_));
        // Nobody will answer its challenge.
        self.challenge_given_up(id);
        if subscribed {
            // What still comes of its subscription gets 481, which ends it (RFC 6665 §4.1.3).
            self.subscriber_over(id);
        }
        Ok(())
    }

    // ------------------------------------------------------------------ the peer's

    /// A request that belongs to a dialog of ours.
    pub(super) fn in_dialog_request(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(session) = self.objects.holder_mut(id) else { return };
        let inside = rules(request.method()).inside;
        if inside == Inside::Options {
            if session.is_terminated() {
                return self.refuse(&request, &Answer::plain(481));
            }
            return self.hand_up(EventKind::Options, Some(id), request);
        }
        if !session.in_order(&request) {
            return self.refuse(&request, &Answer::plain(500));
        }
        match inside {
            Inside::Notify => return self.notify_arrived(id, request),
            Inside::Subscribe => return self.subscribe_arrived(id, request),
            _ if session.is_terminated() => {
                let crossing = inside == Inside::Bye && !session.is_gone();
                if !self.late_prack(&request) {
                    // RFC 5407 §3.2: crossing BYE 200, everything else 481.
                    self.refuse(&request, &Answer::plain(if crossing { 200 } else { 481 }));
                }
                return;
            }
            _ => session.came_on(request.flow()),
        }
        match inside {
            Inside::Bye => self.bye_arrived(id, request),
            Inside::Reinvite => self.reinvite_arrived(id, request),
            Inside::Prack => self.prack_arrived(id, request),
            Inside::Info => self.info_arrived(id, request),
            Inside::Refer => self.refer_arrived(id, request),
            Inside::HandUp(event) => self.hand_up(event, Some(id), request),
            // Dealt with above.
            Inside::Options | Inside::Notify | Inside::Subscribe => {}
        }
    }

    /// A request that the host answers.
    pub(super) fn hand_up(&mut self, kind: EventKind, session: Option<SessionId>, request: Arc<Message>) {
        self.hand_up_as(Event::new(kind), session, request, IncomingKind::Other);
    }

    /// The same of another kind; `about`: what its event says beyond the request. False: it was refused.
    pub(super) fn hand_up_as(
        &mut self,
        about: Event,
        session: Option<SessionId>,
        request: Arc<Message>,
        kind: IncomingKind,
    ) -> bool {
        let Some(incoming) = self.take_in(&request, kind, session) else { return false };
        self.tell(Event { incoming: Some(incoming), session, message: Some(request), ..about });
        true
    }

    /// Stores a request that the host answers; where too many wait in its dialog it is answered 500.
    pub(super) fn take_in(
        &mut self,
        request: &Arc<Message>,
        kind: IncomingKind,
        session: Option<SessionId>,
    ) -> Option<IncomingId> {
        let waiting = session.and_then(|id| self.objects.holder(id)).map_or(0, Session::pending);
        if waiting >= PENDING_REQUESTS {
            let lines = retry_after_line(&mut self.random);
            self.refuse(request, &Answer { lines: &lines, ..Answer::plain(500) });
            return None;
        }
        let incoming = self.add_incoming(request, kind, session)?;
        if let Some(session) = session.and_then(|id| self.objects.holder_mut(id)) {
            session.waits(incoming, request.method());
        }
        Some(incoming)
    }

    /// RFC 3261 §15.1.2: the session is over; its pending requests are answered 487; the BYE itself is the host's.
    fn bye_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        let Some(incoming) = self.add_incoming(&request, IncomingKind::Other, Some(id)) else { return };
        self.end_session(id, Ending::by(Reason::RemoteBye, &request));
        self.tell(Event {
            incoming: Some(incoming),
            session: Some(id),
            message: Some(request),
            ..Event::new(EventKind::Bye)
        });
    }

    /// RFC 6086 §4.2.2: an INFO of a package that we do not list gets 469 at once.
    fn info_arrived(&mut self, id: SessionId, request: Arc<Message>) {
        if let Some(package) = request.header(HeaderId::InfoPackage) {
            let name = package.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            let listed = self.config.info_packages.iter().flatten().any(|known| known.eq_ignore_ascii_case(name));
            if !listed {
                let lines = self.face.recv_info_of_469();
                return self.refuse(&request, &Answer { lines: &lines, ..Answer::plain(469) });
            }
        }
        self.hand_up(EventKind::Info, Some(id), request);
    }
}

fn over() -> Error {
    Error::state("the session is over")
}
